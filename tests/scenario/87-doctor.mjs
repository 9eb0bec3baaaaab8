// profiled doctor: a healthy site is well; then each fault, provoked by a front server that is set up badly, is found, and the line
// that mends it is named.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import {join} from 'node:path';
import {gunzipSync, gzipSync} from 'node:zlib';
import {after, before, describe, test} from 'node:test';
import {freePort, request} from './lib/client.mjs';
import {FrontSite, fronts, startFront} from './lib/fronts.mjs';
import {run, start, temporaryFolder, until} from './lib/process.mjs';
import {Site, binary, isRoot, root, scenario} from './lib/site.mjs';
import {Edge, haveVarnish} from './lib/varnish.mjs';

const ORIGIN = 'https://app.example';
const ANN = {id: 'ann', handle: 'ann', bio: 'something to compress '.repeat(60), email: 'ann@example.com'};
const prepare = (site) => site.make(ANN);
const open = [];
after(async () => { for (const close of open) await close(); });

/** Runs the doctor; its report as an object, checks by name. */
async function doctor(site, url, args = [], {as, env = {}} = {}) {
  as ??= ['--token', await site.token('ann'), '--admin-token', await site.token('admin')];
  const how = await run(binary, ['doctor', url, '--json', ...as, ...args], {env: {...site.env, ...env}});
  assert.equal(how.err, '');
  const report = JSON.parse(how.out);
  assert.equal(how.code, report.well ? 0 : 1);
  assert(!how.out.includes(await site.token('ann')) && !how.out.includes(await site.token('admin')), 'no token is printed');
  return {...report, code: how.code, by: Object.fromEntries(report.checks.map((check) => [check.name, check]))};
}
const faults = (report) => report.checks.filter((check) => check.verdict === 'fault').map((check) => check.name);

/** That just these checks found a fault, and that the first of them names this line, in this file. */
function assertFaults(report, names, line, file = 'conf/lighttpd/profiled.conf') {
  assert.deepEqual(faults(report).sort(), [...names].sort(), JSON.stringify(report.checks.filter((check) => check.verdict === 'fault'), null, 1));
  assert.equal(report.code, 1);
  if (line) assert(report.by[names[0]].remedies.some((r) => r.file === file && r.line.includes(line)), JSON.stringify(report.by[names[0]]));
}

/** lighttpd with the site's configuration, changed; its address. */
async function badFront(site, change, {wait = '/v1/me'} = {}) {
  const port = await freePort(), conf = join(site.folder, `bad-${port}.conf`), log = join(site.folder, `bad-${port}.log`);
  const shipped = readFileSync(join(site.folder, 'lighttpd.conf'), 'utf8').replace(/var\.profiled_port = \d+/, `var.profiled_port = ${port}`);
  const bad = change(shipped);
  assert.notEqual(bad, shipped);
  writeFileSync(conf, bad);
  const front = start(log, 'lighttpd', ['-D', '-f', conf], {env: site.env});
  open.push(() => front.stop());
  await until('lighttpd', async () => {
    if (!front.running) throw new Error(`lighttpd ended at once: ${readFileSync(log, 'utf8')}`);
    return request({port}, {path: wait, described: false}).then(() => true, () => false);
  });
  return `http://127.0.0.1:${port}`;
}
const add = (text) => (conf) => `${conf}\n${text}\n`;
const withModule = (name, text) => (conf) => `${conf.replace('"mod_setenv"', `"mod_setenv", "${name}"`)}\n${text}\n`;

/**
 * A proxy before the site's lighttpd: before(request) may give an answer of its own, change(answer, request) change what comes
 * back. An answer is {status, headers: {name in lower case: value or values}, body}. secure: for https.
 */
async function proxy(site, {before = () => undefined, change = (answer) => answer, secure} = {}) {
  const handle = async (incoming, outgoing) => {
    const parts = [];
    for await (const part of incoming) parts.push(part);
    const asked = {method: incoming.method, path: incoming.url, headers: incoming.headers, body: Buffer.concat(parts)};
    const ask = async () => {
      const {host, connection, ...headers} = asked.headers;
      const got = await request({port: site.port}, {...asked, described: false, headers, body: asked.body.length ? asked.body : undefined});
      const answer = {status: got.status, headers: {}, body: got.body};
      for (const name of new Set(got.names)) answer.headers[name] = got.all(name).length > 1 ? got.all(name) : got.header(name);
      delete answer.headers.connection;
      return answer;
    };
    const answer = await (await before(asked, ask) ?? await change(await ask(), asked));
    if (asked.method !== 'HEAD' && answer.status !== 304 && answer.status !== 204) answer.headers['content-length'] = answer.body.length;
    outgoing.sendDate = false;
    outgoing.writeHead(answer.status, answer.headers);
    outgoing.end(asked.method === 'HEAD' ? undefined : answer.body);
  };
  const server = secure ? https.createServer(secure) : http.createServer({maxHeaderSize: 65536});
  server.on('request', (incoming, outgoing) => handle(incoming, outgoing).catch(() => outgoing.destroy()));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }));
  return `http${secure ? 's' : ''}://127.0.0.1:${server.address().port}`;
}
const setHeaders = (headers) => ({change: (answer) => ({...answer, headers: {...answer.headers, ...headers}})});

/** A cache that answers by itself what it has seen: key(request) names what it keeps, undefined: nothing is kept. */
function cacheBy(key, more = {}) {
  const kept = new Map();
  return async (asked, ask) => {
    const name = ['GET', 'HEAD'].includes(asked.method) ? key(asked) : undefined;
    if (name === undefined) return undefined;
    if (!kept.has(name)) {
      const answer = await ask();
      if (answer.status !== 200 || asked.method === 'HEAD') return answer;
      kept.set(name, answer);
      return answer;
    }
    const {status, headers, body} = kept.get(name);
    return {status, headers: {...headers, age: '3', via: '1.1 varnish (Varnish/7.1)', ...more}, body};
  };
}

scenario('the doctor', {settings: {http: {cors_origins: ORIGIN}}}, (at) => {
  const url = () => `http://127.0.0.1:${at.site.port}`;
  const own = () => ['-c', at.site.config];

  test('a healthy site behind lighttpd is well, and nothing in it is changed', async () => {
    const before = await at.site.get('/v1/me', {as: 'ann'});
    const report = await doctor(at.site, url(), [...own(), '--write', '--origin', url()]);
    assert.deepEqual(faults(report), []);
    assert.equal(report.code, 0);
    assert.deepEqual(report.parts, ['lighttpd']);
    assert.deepEqual(report.checks.filter((check) => check.verdict === 'skipped').map((check) => check.name), ['tls', 'edge-key']);
    assert.equal((await at.site.get('/v1/me', {as: 'ann'})).text, before.text);
    const left = await at.site.cli('export', '-');
    assert.doesNotMatch(left, /profiled-doctor/);
  });

  test('the report is text for people, within 80 columns, and says what was skipped and why', async () => {
    const how = await run(binary, ['doctor', url()], {env: at.site.env});
    assert.equal(how.code, 0, how.out);
    assert(how.out.split('\n').every((line) => [...line].length <= 80));
    assert.match(how.out, /^skipped +authorization +needs --token$/m);
    assert.match(how.out, /\n\d+ ok, 0 faults, \d+ skipped\n$/);
  });

  test('the members of --json', async () => {
    const report = await doctor(at.site, url(), ['--cors-origin', 'https://other.example']);
    const {code, by, ...whole} = report;
    assert.deepEqual(Object.keys(whole), ['url', 'server', 'parts', 'well', 'ok', 'faults', 'skipped', 'checks']);
    assert.equal(whole.ok + whole.faults + whole.skipped, whole.checks.length);
    for (const check of whole.checks) assert.deepEqual(Object.keys(check), ['name', 'verdict', 'detail', 'remedies']);
    assertFaults(report, ['cors'], `cors_origins = https://other.example`, 'profiled.conf');
    assert.deepEqual(Object.keys(by.cors.remedies[0]), ['part', 'file', 'action', 'where', 'line']);
    const page = readFileSync(join(root, 'conf/man/profiled.1'), 'utf8');
    for (const check of whole.checks) assert(page.includes(`.B ${check.name.replaceAll('-', '\\-')}\n`), `${check.name} in the man page`);
  });

  test('tokens come out of a file or the environment too, or are minted where the keys are', async () => {
    const file = join(at.site.folder, 'token');
    writeFileSync(file, `${await at.site.token('ann')}\n`, {mode: 0o600});
    for (const [as, env] of [[['--token', `@${file}`], {}], [[], {PROFILED_TOKEN: await at.site.token('ann')}], [[...own(), '--profile', 'ann'], {}]]) {
      const report = await doctor(at.site, url(), [], {as, env});
      assert.deepEqual(faults(report), []);
      assert.equal(report.by.authorization.verdict, 'ok');
      assert.equal(report.by['write-precondition'].verdict, 'ok');
    }
    for (const token of ['@/nonexistent', 'two words', ''])
      assert.equal((await run(binary, ['doctor', url(), '--token', token], {env: at.site.env})).code, 1, token);
  });

  test('a token that is refused, and one of somebody without a profile', async () => {
    const old = await at.site.mint('ann', undefined, {exp: 1000, iat: 900});
    const refused = await doctor(at.site, url(), [], {as: ['--token', old]});
    assertFaults(refused, ['authorization'], 'profiled token verify', 'a shell of the server');
    assert.match(refused.by.authorization.detail, /expired/);
    const nobody = await doctor(at.site, url(), [], {as: ['--token', await at.site.token('nobody')]});
    assert.deepEqual(faults(nobody), []);
    assert.match(nobody.by.etag.detail, /--profile/);
    assert.equal((await doctor(at.site, url(), ['--profile', 'ann'], {as: ['--token', await at.site.token('nobody')]})).by.etag.verdict, 'ok');
  });

  test('lighttpd that compresses well is well', {skip: existsSync('/usr/lib/lighttpd/mod_deflate.so') ? false : 'lighttpd\'s mod_deflate is not here'}, async () => {
    const front = await badFront(at.site, withModule('mod_deflate', 'deflate.mimetypes = ("application/json")\ndeflate.allowed-encodings = ("br", "gzip")'));
    const report = await doctor(at.site, front, own());
    assert.deepEqual(faults(report), []);
    assert.match(report.by.gzip.detail, /-gzip"/);
    assert.match(report.by.br.detail, /-br"/);
  });

  const lighttpds = [
    ['Authorization dropped', add('setenv.set-request-header = ("Authorization" => "")'), ['authorization'], 'setenv.set-request-header = ("Authorization"'],
    ['the ETag stripped', add('setenv.set-response-header = ("ETag" => "")'), ['etag', 'owner', 'gzip', 'br'], 'setenv.set-response-header = ("ETag"'],
    ['the ETag changed', add('setenv.set-response-header = ("ETag" => "\\"5f-6a\\"")'), ['etag', 'not-modified', 'gzip', 'br', 'purge', 'private'].slice(0, 4), 'setenv.set-response-header = ("ETag"'],
    ['If-None-Match dropped', add('setenv.set-request-header = ("If-None-Match" => "")'), ['not-modified', 'gzip', 'br'], 'setenv.set-request-header = ("If-None-Match"'],
    ['If-Match dropped', add('setenv.set-request-header = ("If-Match" => "")'), ['precondition', 'write-precondition'], 'setenv.set-request-header = ("If-Match"'],
    ['methods blocked', withModule('mod_access', '$HTTP["request-method"] !~ "^(GET|HEAD|POST|OPTIONS)$" { url.access-deny = ("") }'), ['methods', 'write-precondition'], 'url.access-deny'],
    ['a limit of 8 KB on headers', (conf) => conf.replace(/server\.max-request-field-size\s*=\s*\d+/, 'server.max-request-field-size = 8192'), ['large-header', 'long-address'], 'server.max-request-field-size = 65535'],
    ['Cache-Control of its own', add('setenv.set-response-header = ("Cache-Control" => "public, max-age=60")'), ['policy', 'owner'], 'setenv.set-response-header = ("Cache-Control"'],
    ['nosniff taken out', add('setenv.set-response-header = ("X-Content-Type-Options" => "")'), ['profiled', 'answers', 'ready', 'methods', 'long-address', 'encoded-slash'], 'setenv.set-response-header = ("X-Content-Type-Options"'],
    ['the challenge taken out', add('setenv.set-response-header = ("WWW-Authenticate" => "")'), ['challenge'], 'setenv.set-response-header = ("WWW-Authenticate"'],
    ['Vary taken out', add('setenv.set-response-header = ("Vary" => "")'), ['owner', 'cors'], 'setenv.set-response-header = ("Vary"'],
  ];
  for (const [what, change, names, line] of lighttpds)
    test(`lighttpd with ${what}`, async () => assertFaults(await doctor(at.site, await badFront(at.site, change), own()), names, line));

  test('the pool is away', async () => {
    const front = await badFront(at.site, (conf) => conf.replace(/var\.profiled_socket = .*/, 'var.profiled_socket = "/nonexistent/pool.sock"'));
    const report = await doctor(at.site, front);
    assert(faults(report).includes('answers') && faults(report).includes('ready'));
    assert(report.by.answers.remedies.some((r) => r.line.includes('profiled status')));
  });

  test('a cache that answers without asking is the loudest fault, to people too', async () => {
    const front = await proxy(at.site, {before: cacheBy((asked) => (asked.path === '/v1/profiles/ann' ? asked.path : undefined))});
    const report = await doctor(at.site, front, own());
    for (const name of ['unauthenticated', 'forged', 'not-modified', 'precondition']) assert(faults(report).includes(name), name);
    assert.match(report.by.unauthenticated.detail, /^DANGER.*Age/);
    assert(report.by.unauthenticated.remedies.some((r) => r.part === 'varnish' && r.line.includes('return (pass)')));
    assert(report.by.unauthenticated.remedies.some((r) => r.part === 'profiled' && r.line === 'shared_cache = private'));
    const how = await run(binary, ['doctor', front, '--token', await at.site.token('ann')], {env: at.site.env});
    assert.equal(how.code, 1);
    assert.match(how.out, /^FAULT +unauthenticated +DANGER/m);
    assert.match(how.out, /in conf\/varnish\/[\w.]+:/);
    assert(how.out.split('\n').every((line) => [...line].length <= 80), how.out);
  });

  test('a cache to which any token will do', async () => {
    const front = await proxy(at.site, {before: cacheBy((asked) => (asked.headers.authorization && !asked.headers['if-match'] && !asked.headers['if-none-match'] &&
      !asked.headers['if-modified-since'] && asked.path === '/v1/profiles/ann' && !asked.headers.origin ? asked.path : undefined))});
    assertFaults(await doctor(at.site, front, own()), ['forged'], 'return (pass)', 'conf/varnish/profiled.vcl');
  });

  test('a cache that stores the owner\'s view for everybody', async () => {
    const front = await proxy(at.site, {before: cacheBy((asked) => (asked.path === '/v1/me' && asked.headers.authorization ? asked.path : undefined))});
    const report = await doctor(at.site, front, own());
    assertFaults(report, ['private'], 'if (req.url ~ "^/v1/me") { return (pass); }', 'conf/varnish/profiled.vcl');
    assert.match(report.by.private.detail, /^DANGER: .* another's token/);
  });

  test('a cache that keeps the owner\'s view for each owner', async () => {
    const front = await proxy(at.site, {before: cacheBy((asked) => (asked.path === '/v1/me' && asked.headers.authorization ? asked.headers.authorization : undefined), {age: '0'})});
    const report = await doctor(at.site, front, own());
    assertFaults(report, ['private']);
    assert.match(report.by.private.detail, /X-Request-Id/);
  });

  test('a cache that checks tokens and takes no purges', async () => {
    const kept = new Map();
    const front = await proxy(at.site, {change: (answer, asked) => {
      if (asked.method !== 'GET' || !asked.path.startsWith('/v1/profiles/profiled-doctor') || ![200, 404].includes(answer.status)) return answer;
      if (!kept.has(asked.path)) kept.set(asked.path, answer);
      return kept.get(asked.path);
    }});
    assertFaults(await doctor(at.site, front, [...own(), '--write']), ['purge'], 'purge = http://', 'profiled.conf');
    assert.doesNotMatch(await at.site.cli('export', '-'), /profiled-doctor/);
  });

  test('what the edge gives is older than what its origin gives', async () => {
    const old = await at.site.get('/v1/profiles/ann', {as: 'ann'});
    const front = await proxy(at.site, {change: (answer, asked) => (asked.path === '/v1/profiles/ann' && answer.headers.etag === old.etag
      ? {...answer, headers: {...answer.headers, etag: '"00-1p1"'}} : answer)});
    const report = await doctor(at.site, front, [...own(), '--origin', url()]);
    assert.equal(report.by.origin.verdict, 'fault');
  });

  test('a compression that breaks tags', async () => {
    const front = await proxy(at.site, {change: (answer, asked) => {
      if (asked.headers['accept-encoding'] !== 'gzip' || answer.status !== 200) return answer;
      const body = gzipSync(answer.body);
      assert.equal(gunzipSync(body).length, answer.body.length);
      return {...answer, body, headers: {...answer.headers, etag: `"${body.length}"`, 'content-encoding': 'gzip', vary: ['Origin', 'Accept-Encoding']}};
    }});
    assertFaults(await doctor(at.site, front, own()), ['gzip'], 'deflate.mimetypes');
  });

  test('a compression that makes tags weak, as nginx\'s does', async () => {
    const front = await proxy(at.site, {change: (answer, asked) => (asked.headers['accept-encoding'] !== 'gzip' || answer.status !== 200 ? answer
      : {...answer, body: gzipSync(answer.body), headers: {...answer.headers, server: 'nginx', etag: `W/${answer.headers.etag}`, 'content-encoding': 'gzip', vary: ['Origin', 'Accept-Encoding']}})});
    const report = await doctor(at.site, front, own());
    assertFaults(report, ['gzip'], 'fastcgi_param HTTP_IF_MATCH $profiled_if_match', 'conf/nginx/profiled.conf');
  });

  test('%2F decoded on the way', async () => {
    const front = await proxy(at.site, {before: (asked) => { asked.path = asked.path.replaceAll('%2F', '/'); }});
    assertFaults(await doctor(at.site, front, own()), ['encoded-slash'], 'url-path-2f-decode');
  });

  test('a front that answers preflights and hides ETag', async () => {
    const silent = await proxy(at.site, setHeaders({'access-control-expose-headers': 'Link'}));
    assertFaults(await doctor(at.site, silent, own()), ['cors'], 'Access-Control-');
  });

  for (const [off, wrong] of [[-600000, true], [600000, true], [-10000, false]])
    test(`a clock ${off / 1000} s off`, async () => {
      const front = await proxy(at.site, {change: (answer) => ({...answer, headers: {...answer.headers, date: new Date(Date.now() + off).toUTCString()}})});
      const report = await doctor(at.site, front, own());
      if (wrong) assertFaults(report, ['clock'], 'timedatectl set-ntp true', 'a shell of the server');
      else assert.equal(report.by.clock.verdict, 'ok');
    });

  test('Apache is told by its name, nginx by its, and where nobody says all of them are named', async () => {
    for (const [server, parts] of [['Apache/2.4.62', ['apache']], ['nginx', ['nginx']], ['secret', ['lighttpd', 'apache', 'nginx', 'varnish']]]) {
      const front = await proxy(at.site, {before: (asked) => { delete asked.headers.authorization; }, ...setHeaders({server})});
      const report = await doctor(at.site, front, own());
      assert.deepEqual(report.parts, parts);
      const files = new Set(report.by.authorization.remedies.map((r) => r.part));
      assert.deepEqual([...files], parts);
      if (parts.includes('apache')) assert(report.by.authorization.remedies.some((r) => r.line === 'CGIPassAuth On'));
    }
  });

  test('a token that an answer echoes is not printed', async () => {
    const front = await proxy(at.site, {change: (answer, asked) => ({...answer, headers: {...answer.headers, 'cache-control': `x="${(asked.headers.authorization ?? '').slice(7, 100)}"`,
      etag: asked.headers.authorization ? `"${asked.headers.authorization.slice(7)}"` : '"x"'}})});
    const short = (await at.site.token('ann'));
    const how = await run(binary, ['doctor', front, '--token', short], {env: at.site.env});
    assert.equal(how.code, 1);
    assert(!how.out.includes(short.slice(0, 30)) && how.out.includes('********'), how.out);
  });

  test('nobody there, nobody who answers, a redirect', async () => {
    const port = await freePort();
    const nobody = await run(binary, ['doctor', `http://127.0.0.1:${port}`], {env: at.site.env});
    assert.equal(nobody.code, 1);
    assert.equal(nobody.out, '');
    assert.match(nobody.err, /^profiled doctor: http:\/\/127\.0\.0\.1:\d+ does not answer: [^\n]+\n$/);
    const json = await doctor(at.site, `http://127.0.0.1:${port}`);
    assert.deepEqual(faults(json), ['answers']);
    const mute = http.createServer(() => {});
    await new Promise((resolve) => mute.listen(0, '127.0.0.1', resolve));
    open.push(() => new Promise((resolve) => { mute.closeAllConnections(); mute.close(resolve); }));
    const begun = Date.now();
    const slow = await run(binary, ['doctor', `http://127.0.0.1:${mute.address().port}`, '--timeout', '1s'], {env: at.site.env});
    assert.equal(slow.code, 1);
    assert(Date.now() - begun < 5000);
    assert.match(slow.err, /does not answer/);
    const elsewhere = await proxy(at.site, {before: () => ({status: 301, headers: {location: 'https://else.example/'}, body: Buffer.alloc(0)})});
    assert.match((await doctor(at.site, elsewhere)).by.answers.detail, /https:\/\/else\.example\//);
  });

  const openssl = spawnSync('openssl', ['version']).status === 0;
  test('certificates', {skip: openssl ? false : 'there is no openssl here'}, async () => {
    const folder = temporaryFolder();
    const make = (name, days) => {
      const how = spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', String(days), '-subj', '/CN=127.0.0.1',
        '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)]);
      assert.equal(how.status, 0, String(how.stderr));
      return {key: readFileSync(join(folder, `${name}.key`)), cert: readFileSync(join(folder, `${name}.pem`)), maxHeaderSize: 65536};
    };
    const good = await proxy(at.site, {secure: make('good', 90)}), soon = await proxy(at.site, {secure: make('soon', 3)});
    const well = await doctor(at.site, good, ['--ca', join(folder, 'good.pem')]);
    assert.deepEqual(faults(well), []);
    assert.match(well.by.tls.detail, /valid for (89|90) days/);
    assertFaults(await doctor(at.site, soon, ['--ca', join(folder, 'soon.pem')]), ['tls'], 'ssl.pemfile');
    const unknown = await doctor(at.site, good);
    assert(faults(unknown).includes('tls'));
    assert.equal(unknown.by.authorization.verdict, 'skipped', 'no token is sent to who knows whom');
  });

  test('on the machine itself: modes of database, keys and socket', async () => {
    const {site} = at;
    const file = site.key().file;
    for (const [path, mode, bad, name, line] of [[site.database, 0o640, 0o644, 'database-mode', 'chmod o= '], [file, 0o600, 0o644, 'keys', 'chmod go= '], [site.socket, 0o660, 0o666, 'socket', 'listen_mode = 0660']]) {
      chmodSync(path, bad);
      const report = await doctor(site, url(), own());
      chmodSync(path, mode);
      assertFaults(report, [name]);
      assert(report.by[name].remedies.some((r) => r.line.includes(line)), JSON.stringify(report.by[name]));
    }
    assert.deepEqual(faults(await doctor(site, url(), own())), []);
    const gone = await doctor(site, url(), [...own(), '-o', 'store.url=sqlite:/nonexistent/profiled.db']);
    assertFaults(gone, ['database']);
  });

  // Apache as it comes, which drops Authorization on the way to FastCGI.
  const modules = '/usr/lib/apache2/modules', apache = existsSync(`${modules}/mod_proxy_fcgi.so`);
  for (const [what, extra, lost] of [['as it comes', '', true], ['told to pass it on', 'CGIPassAuth On', false]])
    test(`Apache, ${what}`, {skip: apache ? false : 'there is no Apache here'}, async () => {
      const {site} = at, port = await freePort(), folder = join(site.folder, `apache-${port}`);
      mkdirSync(folder);
      writeFileSync(join(folder, 'httpd.conf'), `ServerRoot "${folder}"
Listen 127.0.0.1:${port}
ServerName localhost
PidFile "${folder}/pid"
ErrorLog "${folder}/error.log"
${['mpm_event', 'authz_core', 'proxy', 'proxy_fcgi'].map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
${isRoot ? 'User www-data\nGroup www-data' : ''}
LimitRequestFieldSize 32768
LimitRequestLine 32768
AllowEncodedSlashes NoDecode
<LocationMatch "^/(v1/|healthz|readyz)">
  SetHandler "proxy:unix:${site.socket}|fcgi://localhost"
  ${extra}
</LocationMatch>
`);
      chmodSync(site.socket, 0o666); // Apache's user is not in the pool's group here
      const front = start(join(folder, 'log'), 'apache2', ['-X', '-f', join(folder, 'httpd.conf')], {env: site.env});
      try {
        await until('Apache', () => {
          if (!front.running) throw new Error(readFileSync(join(folder, 'log'), 'utf8'));
          return request({port}, {path: '/healthz', described: false}).then((answer) => answer.status === 200, () => false);
        });
        // Apache's own 503s, now and then, are another matter.
        const report = await until('Apache to hand it on', async () => {
          const seen = await doctor(site, `http://127.0.0.1:${port}`, []);
          return !/\b503\b/.test(seen.by.authorization.detail) && !/\b503\b/.test(seen.by.answers.detail) && seen;
        });
        assert.equal(faults(report).includes('authorization'), lost, report.by.authorization.detail);
        if (lost) assert(report.by.authorization.remedies.some((r) => r.file === 'conf/apache/profiled.conf' && r.line === 'CGIPassAuth On'));
        assert.deepEqual(report.parts, ['apache']);
      } finally {
        chmodSync(site.socket, 0o660);
        await front.stop('SIGTERM', 3000);
      }
    });
}, prepare);

// What is shipped in conf/ is well, with compression too.
describe('the doctor, of the configurations in conf/', () => {
  let site;
  before(async () => {
    site = await FrontSite.start({front: false, settings: {http: {cors_origins: ORIGIN}}});
    const direct = await startFront(site, fronts[0]);
    site.port = direct.port;
    await prepare(site);
    await direct.stop();
  });
  after(async () => { if (site) await site.stop(); });
  // compressing asks for more; lighttpd without is what the tests above stand on
  const named = (...names) => fronts.filter((front) => names.includes(front.name));
  const both = named('Apache proxy_fcgi', 'nginx'), one = named('lighttpd', 'Apache fcgid');
  for (const front of [...both, ...one])
    for (const compress of both.includes(front) ? [false, true] : [true])
      test(`${front.name}${compress ? ', compressing' : ''}`, async () => {
        const started = await startFront(site, front, {compress});
        try {
          const report = await doctor(site, `http://127.0.0.1:${started.port}`, ['--cors-origin', ORIGIN]);
          assert.deepEqual(faults(report), [], JSON.stringify(report.checks.filter((check) => check.verdict === 'fault')));
          for (const coding of compress ? front.marks : []) assert.match(report.by[coding].detail, /holds in If-Match/);
        } finally {
          await started.stop();
        }
      });
});

scenario('the doctor, of a site in edge mode', {settings: {http: {shared_cache: 'edge'}}}, (at) => {
  test('without an edge, what is meant for one leaks out', async () => {
    const report = await doctor(at.site, `http://127.0.0.1:${at.site.port}`, ['-c', at.site.config]);
    assertFaults(report, ['edge'], 'shared_cache = revalidate', 'profiled.conf');
    assert(report.by.edge.remedies.some((r) => r.line.includes('CDN-Cache-Control')));
  });

  test('an edge that strips it is well, once purges are set up', async () => {
    const front = await proxy(at.site, {change: (answer) => {
      delete answer.headers['cdn-cache-control'];
      delete answer.headers['surrogate-key'];
      return answer;
    }});
    const args = ['-c', at.site.config];
    assertFaults(await doctor(at.site, front, args), ['edge'], 'purge = http://', 'profiled.conf');
    const key = join(at.site.folder, 'edge.key');
    writeFileSync(key, 'a-secret-of-the-doctor\n', {mode: 0o600});
    const set = ['-o', `edge.purge=${front}`, '-o', `edge.key=${key}`];
    assert.deepEqual(faults(await doctor(at.site, front, [...args, ...set])), []);
  });
}, prepare);

// The real cache that takes purges: without them it is found out.
describe('the doctor, of Varnish', {skip: haveVarnish ? false : 'there is no Varnish here'}, () => {
  let site, edge;
  before(async () => {
    site = await Site.start({settings: {http: {shared_cache: 'edge', cors_origins: ORIGIN}}});
    await prepare(site);
    edge = await Edge.start(site, {way: 'authorise', port: site.port});
  });
  after(async () => {
    await edge?.stop();
    if (site) await site.stop();
  });
  test('nobody purges it', async () => {
    const report = await doctor(site, `http://127.0.0.1:${edge.port}`, ['--write', '--cors-origin', ORIGIN, '--origin', `http://127.0.0.1:${site.port}`]);
    assert.equal(report.by.purge.verdict, 'fault', report.by.purge.detail);
    assert(report.by.purge.remedies.some((r) => r.part === 'varnish' && r.line.includes('-a purge=')));
    for (const name of ['unauthenticated', 'forged', 'private', 'shared', 'not-modified', 'gzip', 'precondition', 'edge', 'origin', 'cors'])
      assert.equal(report.by[name].verdict, 'ok', `${name}: ${report.by[name].detail}`);
  });
});

test('the doctor names only files that are there, or profiled\'s own', () => {
  const table = readFileSync(join(root, 'app/cli/doctor_remedy.h'), 'utf8');
  const named = [...table.matchAll(/"(conf\/[^"]+)"/g)].map(([, file]) => file);
  assert(named.length >= 4);
  assert(named.includes('conf/lighttpd/profiled.conf') && existsSync(join(root, 'conf/lighttpd/profiled.conf')));
  for (const file of named) if (existsSync(join(root, file.slice(0, file.lastIndexOf('/'))))) assert(existsSync(join(root, file)), file);
});
