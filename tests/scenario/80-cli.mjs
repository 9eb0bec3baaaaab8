// The command line: help, wrong calls, configuration and its faults, tokens explained.
import assert from 'node:assert/strict';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {run} from './lib/process.mjs';
import {AUDIENCE, ISSUER, Site, binary, cleanEnvironment, root, scenario} from './lib/site.mjs';
import {handmade, makeKey, now, publicKey, base64url} from './lib/token.mjs';

const env = cleanEnvironment();
const profiled = (args, options) => run(binary, args, {env, ...options});

/** A wrong call: one line on stderr, nothing on stdout, exit 2. */
function assertUsage(how) {
  assert.equal(how.code, 2, how.err);
  assert.equal(how.out, '');
  assert.match(how.err, /^profiled[^\n]*\n$/);
}

for (const command of ['serve', 'key', 'token', 'db', 'import', 'export', 'status', 'doctor', 'config']) {
  test(`profiled ${command} --help`, async () => {
    const how = await profiled([command, '--help']);
    assert.equal(how.code, 0);
    assert.equal(how.err, '');
    assert.match(how.out, new RegExp(`usage: profiled ${command}`));
    assert(how.out.split('\n').every((line) => [...line].length <= 120), 'lines fit a terminal');
  });
  test(`profiled ${command} --nonsense`, async () => assertUsage(await profiled([command, '--nonsense'])));
}

for (const args of [[], ['nonsense'], ['--nonsense'], ['key', 'nonsense'], ['key'], ['token'], ['token', 'issue'], ['token', 'issue', '--sub'],
  ['token', 'nonsense'], ['db'], ['db', 'nonsense'], ['import'], ['import', 'a', 'b'], ['import', '--on-conflict', 'maybe', '-'], ['export'], ['export', 'a', 'b'],
  ['config', 'x', 'y'], ['status', 'nonsense'], ['serve', 'nonsense'], ['config', '-c'], ['key', 'retire'], ['doctor'],
  ['doctor', 'localhost'], ['doctor', 'ftp://localhost'], ['doctor', 'http://'], ['doctor', 'http:///x'], ['doctor', 'http://me@localhost'], ['doctor', 'http://localhost/?a'],
  ['doctor', 'http://a', 'http://b'], ['doctor', 'http://a', '--token'], ['doctor', 'http://a', '--profile', 'a/b'], ['doctor', 'http://a', '--timeout', 'soon'],
  ['doctor', 'http://a', '--origin', 'b'], ['doctor', 'http://a', '--cors-origin', 'a b']])
  test(`a wrong call: profiled ${args.join(' ')}`, async () => {
    const how = await profiled(args);
    assert.equal(how.code, 2, how.err);
    if (args.length) assertUsage(how);
  });

test('profiled --help names every subcommand', async () => {
  const how = await profiled(['--help']);
  assert.equal(how.code, 0);
  for (const name of ['serve', 'key', 'token', 'db', 'import', 'export', 'status', 'doctor', 'config']) assert.match(how.out, new RegExp(`\\b${name}\\b`));
});

test('output that cannot be written is a failure', async () => {
  const how = await run('sh', ['-c', `"${binary}" config -c "${join(root, 'conf/profiled.conf')}" >&-`], {env});
  assert.equal(how.code, 1);
});

scenario('configuration', {front: false}, (at) => {
  const read = async (text, more = {}) => {
    const file = join(at.site.folder, 'try.conf');
    writeFileSync(file, text);
    return {file, ...await run(binary, ['config', '-c', file, ...(more.args ?? [])], {env: cleanEnvironment(more.env)})};
  };

  test('the example is a good configuration, and all defaults', async () => {
    const how = await run(binary, ['config', '-c', join(root, 'conf/profiled.conf')], {env});
    assert.equal(how.code, 0, how.err);
  });

  test('each value comes with where it came from: default, file, environment, flag', async () => {
    const how = await read('[server]\nworkers = 3\nmax_requests = 10\n[http]\nmax_age = 1m\n', {env: {PROFILED_SERVER_MAX_REQUESTS: '20', PROFILED_HTTP_MAX_AGE: '2m'}, args: ['-o', 'http.max_age=3m']});
    assert.equal(how.code, 0, how.err);
    const line = (key) => how.out.split('\n').find((text) => new RegExp(`\\b${key}\\b\\s*=`).test(text));
    assert.match(line('workers'), /3.*try\.conf/);
    assert.match(line('max_requests'), /20.*PROFILED_SERVER_MAX_REQUESTS|20.*environment/);
    assert.match(line('max_age'), /(3m|180).*(flag|-o|command)/);
    assert.match(line('backlog'), /1024.*default/);
  });

  const faults = [
    ['an unknown key', '[server]\nworkrs = 3\n', 2, /workrs/],
    ['an unknown section', '[servers]\nworkers = 3\n', null, /servers/],
    ['a word for a number', '[server]\n\nworkers = four\n', 3, /workers/],
    ['a number out of range', '[server]\nworkers = 0\n', 2, /workers/],
    ['a number too large', '[server]\nworkers = 99999999999999999999\n', 2, /workers/],
    ['a size with a strange unit', '[limits]\nbody = 64X\n', 2, /body/],
    ['a size that overflows', '[cache]\nsize = 99999999999999G\n', 2, /size/],
    ['a time with a strange unit', '[token]\nleeway = 3w\n', 2, /leeway/],
    ['a word that is none of the choices', '[http]\nshared_cache = edgy\n', 2, /shared_cache/],
    ['a line that is no key', '[server]\nworkers\n', 2, /./],
    ['a key outside every section', 'workers = 3\n', 1, /./],
    ['a section that does not end', '[server\nworkers = 3\n', 1, /./],
    ['a line too long for the reader', `[token]\naudience = ${'x'.repeat(5000)}\n`, 2, /./],
    ['an issuer without a name', '[issuer]\niss = https://x.example\n', null, /issuer/],
    ['a NUL', '[server]\nworkers = 3\u0000\n', null, /./],
  ];
  for (const [what, text, line, says] of faults)
    test(`a fault names file and line: ${what}`, async () => {
      const how = await read(text);
      assert.equal(how.code, 1, how.out);
      assert.match(how.err, says);
      assert(how.err.includes(how.file), how.err);
      if (line !== null) assert.match(how.err, new RegExp(`try\\.conf[:, ]+(line )?${line}\\b`));
      assert.equal(how.err.trim().split('\n').length, 1);
    });

  for (const [what, more, says] of [['a variable', {env: {PROFILED_SERVER_WORKERS: 'x'}}, /PROFILED_SERVER_WORKERS/], ['an unknown variable', {env: {PROFILED_SERVER_WORKRS: '1'}}, /PROFILED_SERVER_WORKRS/],
    ['a flag', {args: ['-o', 'server.workers=x']}, /server\.workers/], ['an unknown flag', {args: ['-o', 'server.workrs=1']}, /server\.workrs/], ['a flag without a value', {args: ['-o', 'server.workers']}, /./]])
    test(`a fault of ${what} is named`, async () => {
      const how = await read('', more);
      assert.notEqual(how.code, 0);
      assert.match(how.err, says);
    });

  test('a file that is not there is an error', async () => {
    const how = await run(binary, ['config', '-c', '/nonexistent/profiled.conf'], {env});
    assert.equal(how.code, 1);
    assert.match(how.err, /\/nonexistent\/profiled\.conf/);
  });

  test('status tells of the pool, to people and to programs', async () => {
    const text = await at.site.cli('status');
    assert.match(text, /worker/);
    const json = JSON.parse(await at.site.cli('status', '--json'));
    assert(JSON.stringify(json).includes(String(at.site.workers()[0])), 'the workers by pid');
  });
});

test('status of a pool that does not run fails', async () => {
  const site = new Site();
  try {
    await site.prepare();
    const how = await site.tryCli(['status']);
    assert.equal(how.code, 1);
    assert.match(how.err, /^profiled status: [^\n]+\n$/);
  } finally {
    await site.stop();
  }
});

scenario('tokens on the command line', {front: false}, (at) => {
  const issue = async (...args) => (await at.site.cli('token', 'issue', '--sub', 'ann', ...args)).trim();
  const body = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

  test('issue prints the token alone', async () => {
    const out = await at.site.cli('token', 'issue', '--sub', 'ann', '--scope', 'profile:read profile:write', '--ttl', '10m');
    assert.match(out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const claims = body(out.trim());
    assert.equal(claims.iss, ISSUER);
    assert.equal(claims.aud, AUDIENCE);
    assert.equal(claims.sub, 'ann');
    assert.equal(claims.scope, 'profile:read profile:write');
    assert.equal(claims.exp - claims.iat, 600);
    assert(Math.abs(claims.iat - now()) < 5);
    assert.equal(body(await issue('--aud', 'else')).aud, 'else');
    assert.match(await issue('--format', 'paseto'), /^v4\.public\.[\w-]+\.[\w-]+$/);
  });

  for (const args of [['--sub', 'a/b'], ['--sub', ''], ['--sub', 'ann', '--scope', 'profile:everything'], ['--sub', 'ann', '--ttl', 'soon'], ['--sub', 'ann', '--ttl', '400d'],
    ['--sub', 'ann', '--format', 'saml']])
    test(`issue refuses ${args.join(' ')}`, async () => {
      const how = await at.site.tryCli(['token', 'issue', ...args]);
      assert.notEqual(how.code, 0);
      assert.equal(how.out, '');
      assert.match(how.err, /^profiled token: [^\n]+\n$/);
    });

  test('verify explains a good one and a bad one', async () => {
    const good = await issue();
    const fine = await at.site.tryCli(['token', 'verify', good]);
    assert.equal(fine.code, 0);
    assert.match(fine.out, /ann/);
    const piped = await at.site.tryCli(['token', 'verify', '-'], `${good}\n`);
    assert.equal(piped.code, 0);
    for (const bad of [`${good.slice(0, -4)}AAAA`, 'x', `${good}x`, handmade(makeKey(), {alg: 'EdDSA', kid: 'x'}, {sub: 'ann'})])
      assert.equal((await at.site.tryCli(['token', 'verify', bad])).code, 1);
    for (const format of [[], ['--format', 'paseto']]) {
      const how = await at.site.tryCli(['token', 'verify', '--json', await issue(...format)]);
      assert.equal(typeof JSON.parse(how.out), 'object');
    }
  });

  test('vectors: RFC 8032, RFC 8037 and what is made here', async () => {
    const key = makeKey();
    const pk = publicKey(key).export({type: 'spki', format: 'der'}).subarray(-32).toString('hex');
    const jws = handmade(key, {alg: 'EdDSA'}, 'any payload');
    // RFC 8032 section 7.1, test 2.
    const rfc = {kind: 'ed25519', pk: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', msg: '72',
      sig: '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00'};
    // RFC 8037 appendix A.4.
    const rfc8037 = {kind: 'jws', pk: Buffer.from('11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', 'base64url').toString('hex'),
      token: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg'};
    const rows = [
      [rfc, 'valid'], [{...rfc, msg: '73'}, 'invalid'], [{...rfc, sig: rfc.sig.replace('92', '93')}, 'invalid'], [{...rfc, sig: rfc.sig.slice(2)}, 'invalid'],
      [{...rfc, pk: '01'.padEnd(64, '0')}, 'invalid'], [{...rfc, sig: `${rfc.sig}00`}, 'invalid'], [{...rfc, msg: ''}, 'invalid'],
      [rfc8037, 'valid'], [{...rfc8037, token: rfc8037.token.replace('RXh', 'RXg')}, 'invalid'], [{...rfc8037, token: `${rfc8037.token}=`}, 'invalid'],
      [{kind: 'jws', pk, token: jws}, 'valid'], [{kind: 'jws', pk: rfc8037.pk, token: jws}, 'invalid'], [{kind: 'jws', pk, token: `${base64url('{"alg":"none"}')}.${jws.split('.')[1]}.`}, 'invalid'],
    ];
    const how = await at.site.tryCli(['token', 'vectors'], rows.map(([row]) => `${JSON.stringify(row)}\n`).join(''));
    assert.equal(how.code, 0, how.err);
    assert.deepEqual(how.out.trim().split('\n'), rows.map(([, verdict]) => verdict));
  });

  test('the configuration was not changed by any of it', () => assert.match(readFileSync(at.site.config, 'utf8'), /workers = 2/));
});
