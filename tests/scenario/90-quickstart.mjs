// conf/quickstart.sh as a newcomer runs it: detached and stopped, twice, in the foreground, and when it cannot work.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {existsSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync} from 'node:fs';
import net from 'node:net';
import {join} from 'node:path';
import {after, test} from 'node:test';
import {freePort, request} from './lib/client.mjs';
import {load} from './lib/load.mjs';
import {alive, run, sleep, temporaryFolder, until} from './lib/process.mjs';
import {MERGE, cleanEnvironment, isRoot, root} from './lib/site.mjs';
import {haveVarnish} from './lib/varnish.mjs';

const script = join(root, 'conf/quickstart.sh');
const folder = temporaryFolder('profiled quick-'); // with a space: paths are quoted
const state = join(folder, 'state');
const quick = (args, {env = {}, ...more} = {}) => run('sh', [script, '--no-install', ...args], {env: cleanEnvironment(env), cwd: folder, ms: 170000, ...more});
after(() => quick(['--stop', '--state', state]));

/** quickstart.env as a shell reads it. */
async function environment(from = state) {
  const how = await run('sh', ['-c', '. "$1"; for n in BASE TOKEN_READ TOKEN_WRITE TOKEN_ADMIN SUBJECT KEYS CONFIG DATABASE SOCKET; do eval "printf \'%s=%s\\n\' $n \\"\\$$n\\""; done', 'sh', join(from, 'quickstart.env')]);
  assert.equal(how.code, 0, how.err);
  return Object.fromEntries(how.out.trim().split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}
const call = (e, method, path, {token = e.TOKEN_READ, headers = {}, body} = {}) => request({port: new URL(e.BASE).port}, {method, path,
  headers: {...(token ? {Authorization: `Bearer ${token}`} : {}), ...(body ? {'Content-Length': Buffer.byteLength(body)} : {}), ...headers}, body});
/** The processes that have something of a state folder in their command line. */
const about = (path) => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
  .filter((pid) => {
    try {
      return pid !== process.pid && alive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(path);
    } catch {
      return false;
    }
  });
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);

let port, e;

test('--detach returns once the service answers, though its output is a pipe', async () => {
  port = await freePort();
  const how = await run('bash', ['-c', 'exec 7>"$4" 25>"$4"; sh "$1" --no-install --detach --port "$2" --state "$3" | cat', 'bash', script, port, state, join(folder, 'open')],
    {env: cleanEnvironment({PROFILED_LOG_ACCESS: 'on'}), ms: 170000});
  assert.equal(how.code, 0, how.out + how.err);
  e = await environment();
  assert.equal(e.BASE, `http://127.0.0.1:${port}`);
  for (const token of [e.TOKEN_READ, e.TOKEN_WRITE, e.TOKEN_ADMIN, e.BASE]) assert(how.out.includes(token), how.out);
  assert.match(how.out, /curl .*If-None-Match: "[^"]+"/);
  for (const [page, scope] of [['', 'profile:list profile:read profile:write'], ['status.html', 'metrics:read']]) {
    const [, link] = new RegExp(`${e.BASE}/${page}#token=(\\S+)`).exec(how.out) ?? assert.fail(`no link to ${page || '/'}:\n${how.out}`);
    const {iat, exp, scope: held, sub} = JSON.parse(Buffer.from(link.split('.')[1], 'base64url'));
    assert.equal(exp - iat, 600, 'browsers keep addresses');
    assert.equal(held.split(' ').sort().join(' '), scope);
    if (page === '') assert.equal(sub, e.SUBJECT);
    assert(!readFileSync(join(state, 'quickstart.env'), 'utf8').includes(link));
  }
  assert.equal(statSync(join(state, 'quickstart.env')).mode & 0o777, 0o600);
  for (const path of [e.KEYS, e.CONFIG, e.DATABASE, e.SOCKET]) assert(existsSync(path), path);
});

test('the tokens are as promised', () => {
  const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  const scopes = {TOKEN_READ: 'profile:list profile:read', TOKEN_WRITE: 'profile:list profile:read profile:write', TOKEN_ADMIN: 'metrics:read profile:admin'};
  for (const [name, scope] of Object.entries(scopes)) {
    const {iss, aud, sub, iat, exp, scope: held} = claims(e[name]);
    assert(iss && aud);
    assert.equal(exp - iat, 86400);
    assert.equal(held.split(' ').sort().join(' '), scope);
    if (name !== 'TOKEN_ADMIN') assert.equal(sub, e.SUBJECT);
    assert(JSON.parse(Buffer.from(e[name].split('.')[0], 'base64url')).kid);
  }
});

test('the lines to paste do what they say', async () => {
  const me = await call(e, 'GET', '/v1/me');
  assert.equal(me.status, 200);
  assert.equal(me.json.id, e.SUBJECT);
  const byId = await call(e, 'GET', `/v1/profiles/${encodeURIComponent(e.SUBJECT)}`);
  assert.equal(byId.status, 200);
  assert.equal((await call(e, 'GET', `/v1/profiles/@${me.json.handle}`)).text, byId.text);
  assert.equal((await call(e, 'GET', `/v1/profiles/${encodeURIComponent(e.SUBJECT)}`, {headers: {'If-None-Match': byId.etag}})).status, 304);
  const patch = (tag) => call(e, 'PATCH', '/v1/me', {token: e.TOKEN_WRITE, body: `{"nickname":"${Date.now()}"}`, headers: {'Content-Type': MERGE, 'If-Match': tag}});
  assert.equal((await patch(me.etag)).status, 200);
  assert.equal((await patch(me.etag)).status, 412);
  assert.equal((await call(e, 'GET', '/v1/me', {token: null})).status, 401);
});

test('what runs is in a session of its own, holds nothing of the caller\'s, and is not root', () => {
  const pids = about(state);
  assert(pids.length >= 3, `${pids}`);
  for (const pid of pids) {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      assert.notEqual(target, join(folder, 'open'), `${fd} of ${pid}`);
      if (Number(fd) <= 2) assert.doesNotMatch(target, /^pipe:|^\/dev\/(pts|tty)/, `${fd} of ${pid}`);
    }
    const session = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /, '').split(' ')[3];
    assert(pids.includes(Number(session)), `${pid} is in session ${session}`);
    // As root it gives that up, unless www-data could not get at this checkout: then the configuration says root.
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
    if (isRoot && !readFileSync(e.CONFIG, 'utf8').includes('user = root')) assert.notEqual(uid, '0', `${pid} is root`);
  }
});

test('PROFILED_ variables reach the server', () => assert.match(readFileSync(join(state, 'log/pool.log'), 'utf8'), /"path"|"status"/));

test('a second start on the same state says that it runs, and where', async () => {
  const before = about(state);
  const how = await quick(['--detach', '--port', String(await freePort()), '--state', state]);
  assert.equal(how.code, 0, how.err);
  assert(how.out.includes(e.BASE));
  assert.deepEqual(about(state), before);
});

test('its port is not another\'s: said before anything is started', async () => {
  const other = join(folder, 'other');
  const how = await quick(['--detach', '--port', String(port), '--state', other]);
  assert.equal(how.code, 1);
  assert.match(how.err, new RegExp(`port ${port}`));
  assert.deepEqual(about(`${other}/`), []);
});

test('two workers killed with -9 under load: the pool goes on', async () => {
  const pool = Number(readFileSync(join(state, 'run/pool.pid'), 'utf8').split(' ')[0]);
  const traffic = load({port}, {token: e.TOKEN_READ, path: '/v1/me', connections: 4});
  for (let i = 0; i < 2; i++) {
    await sleep(200);
    process.kill(children(pool)[0], 'SIGKILL');
  }
  await sleep(300);
  const done = await traffic.stop();
  assert(done.bad.length <= 2, `${done.bad}`);
  assert(done.count > 50);
});

test('--stop leaves nothing running, and can be said again', async () => {
  const pids = about(state);
  for (let i = 0; i < 2; i++) {
    const how = await quick(['--stop', '--state', state]);
    assert.equal(how.code, 0, how.err);
  }
  assert.deepEqual(pids.filter(alive), []);
  assert.deepEqual(about(state), []);
  await assert.rejects(request({port}, {path: '/healthz'}));
});

test('started again: the same people, key and subject, quickly', async () => {
  const begun = Date.now();
  const how = await quick(['--detach', '--port', String(port), '--state', state, '--workers', '3']);
  assert.equal(how.code, 0, how.err);
  assert(Date.now() - begun < 15000, `${Date.now() - begun} ms`);
  const again = await environment();
  for (const name of ['BASE', 'SUBJECT', 'KEYS', 'CONFIG', 'DATABASE', 'SOCKET']) assert.equal(again[name], e[name], name);
  assert.equal((await call(again, 'GET', '/v1/me', {token: e.TOKEN_READ})).status, 200, 'a token of the first start still counts');
  const pool = Number(readFileSync(join(state, 'run/pool.pid'), 'utf8').split(' ')[0]);
  assert.equal(children(pool).length, 4, 'three workers, and the changes process');
});

test('a half that was killed is cleared away by the next start', async () => {
  const front = Number(readFileSync(join(state, 'run/front.pid'), 'utf8').split(' ')[0]);
  process.kill(front, 'SIGKILL');
  await until('its end', () => !alive(front));
  const how = await quick(['--detach', '--port', String(port), '--state', state]);
  assert.equal(how.code, 0, how.err);
  assert.equal((await call(await environment(), 'GET', '/v1/me')).status, 200);
  const pids = about(state);
  assert.equal((await quick(['--stop', '--state', state])).code, 0);
  assert.deepEqual(pids.filter(alive), []);
});

test('a pid that is somebody else\'s by now is left alone', async () => {
  const bystander = spawn('sleep', ['30']);
  try {
    writeFileSync(join(state, 'run/pool.pid'), `${bystander.pid} 1\n`);
    assert.equal((await quick(['--stop', '--state', state])).code, 0);
    assert(alive(bystander.pid));
  } finally {
    bystander.kill('SIGKILL');
  }
});

for (const signal of ['SIGINT', 'SIGTERM'])
  test(`in the foreground it stays until ${signal}, and then all is stopped`, async () => {
    const child = spawn('sh', [script, '--no-install', '--port', String(port), '--state', state], {env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe']});
    let out = '';
    child.stdout.on('data', (part) => { out += part; });
    child.stderr.on('data', (part) => { out += part; });
    const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
    try {
      await until('the service', () => /Ctrl-C/.test(out), 60000);
      assert.equal((await call(await environment(), 'GET', '/v1/me')).status, 200);
      const pids = about(state);
      child.kill(signal);
      assert.equal(await ended, 0, out);
      assert.deepEqual(pids.filter(alive), []);
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  });

test('--stop stops one in the foreground, too', async () => {
  const child = spawn('sh', [script, '--no-install', '--port', String(port), '--state', state], {env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'ignore']});
  let out = '';
  child.stdout.on('data', (part) => { out += part; });
  const ended = new Promise((resolve) => child.on('close', (code) => resolve(code)));
  await until('the service', () => /Ctrl-C/.test(out), 60000);
  assert.equal((await quick(['--stop', '--state', state])).code, 0);
  assert.equal(await ended, 0, out);
  assert.deepEqual(about(state), []);
});

for (const front of ['apache', 'nginx'])
  test(`--front ${front}`, async () => {
    const how = await quick(['--detach', '--port', String(port), '--state', state, '--front', front]);
    try {
      assert.equal(how.code, 0, how.out + how.err);
      const there = await environment();
      const answer = await call(there, 'GET', '/v1/me');
      assert.equal(answer.status, 200);
      assert.match(answer.header('server'), new RegExp(front, 'i'));
      assert.equal((await call(there, 'PATCH', '/v1/me', {token: there.TOKEN_WRITE, body: `{"nickname":"${front}"}`, headers: {'Content-Type': MERGE, 'If-Match': answer.etag}})).status, 200);
      assert.equal((await call(there, 'GET', '/', {token: null})).status, 200);
      const pids = about(state);
      const again = await quick(['--detach', '--port', String(await freePort()), '--state', state, '--front', front]);
      assert.equal(again.code, 0, again.err);
      assert(again.out.includes(there.BASE));
      assert.equal((await quick(['--stop', '--state', state])).code, 0);
      assert.deepEqual(pids.filter(alive), []);
      assert.deepEqual(about(state), []);
    } finally {
      await quick(['--stop', '--state', state]);
    }
  });

const wrong = [
  [['--front', 'caddy'], /caddy/], [['--varnish', '--port', '65534'], /varnish/], [['--store', 'postgresql://x/y'], /postgresql/],
  [['--port', '0'], /port/], [['--port', '65536'], /port/], [['--port', 'http'], /port/], [['--port'], /port/], [['--workers', '-1'], /workers/],
  [['--frobnicate'], /frobnicate/], [['more'], /more/], [['--state', 'a"b'], /quotes/],
];
for (const [args, says] of wrong)
  test(`a wrong call: ${args.join(' ')}`, async () => {
    const how = await quick([...args, '--detach'].slice(0, args.length === 1 && args[0] === '--port' ? 1 : undefined));
    assert.equal(how.code, 2, how.out + how.err);
    assert.match(how.err, says);
    assert.equal(how.err.trim().split('\n').length, 1);
    assert(!existsSync(join(folder, 'var')));
  });

test('a failing step says which, why and what to do, and leaves nothing running', async () => {
  const how = await quick(['--detach', '--port', String(port), '--state', state], {env: {PROFILED_HTTP_SHARED_CACHE: 'sometimes'}});
  assert.equal(how.code, 1);
  assert.match(how.err, /configuration/);
  assert.match(how.err, /PROFILED_HTTP_SHARED_CACHE|shared_cache/);
  assert.match(how.err, /what to do: /);
  assert.deepEqual(about(state), []);
});

test('a state folder that is a file', async () => {
  writeFileSync(join(folder, 'file'), '');
  const how = await quick(['--detach', '--state', join(folder, 'file')]);
  assert.equal(how.code, 1);
  assert.match(how.err, /--state/);
});

test('a path too long for a socket gets its socket elsewhere, and that is cleared away', async () => {
  const deep = join(folder, 'x'.repeat(60), 'y'.repeat(60));
  const how = await quick(['--detach', '--port', String(port), '--state', deep]);
  try {
    assert.equal(how.code, 0, how.err);
    const there = await environment(deep);
    assert.equal((await call(there, 'GET', '/v1/me')).status, 200);
    assert.equal((await quick(['--stop', '--state', deep])).code, 0);
    assert(!existsSync(there.SOCKET.replace(/\/[^/]*$/, '')));
  } finally {
    await quick(['--stop', '--state', deep]);
  }
});

test('the state is ./var where the caller stands, when none is named', async () => {
  const how = await quick(['--detach', '--port', String(port), '--store', 'sqlite:elsewhere.db']);
  try {
    assert.equal(how.code, 0, how.err);
    const there = await environment(join(folder, 'var'));
    assert.equal(there.DATABASE, join(folder, 'elsewhere.db'));
    assert.equal((await call(there, 'GET', '/v1/me')).status, 200);
  } finally {
    assert.equal((await quick(['--stop'])).code, 0);
  }
});

test('nobody listens on the port afterwards', async () => {
  const socket = net.connect(port, '127.0.0.1');
  await assert.rejects(new Promise((resolve, reject) => { socket.on('connect', resolve); socket.on('error', reject); }));
});

test('--varnish: one in front, which is stopped along with the rest', {skip: haveVarnish ? false : 'there is no Varnish here'}, async () => {
  const here = join(folder, 'edge');
  let base = await freePort();
  if (base > 65533) base = 20080;
  const how = await quick(['--detach', '--varnish', '--port', String(base), '--state', here]);
  try {
    assert.equal(how.code, 0, how.out + how.err);
    const at = await environment(here);
    const edge = (await run('sh', ['-c', '. "$1"; echo "$EDGE"', 'sh', join(here, 'quickstart.env')])).out.trim();
    assert.equal(edge, `http://127.0.0.1:${base + 1}`);
    const me = await call({...at, BASE: edge}, 'GET', '/v1/me');
    assert.equal(me.json.id, at.SUBJECT);
    assert.match(me.header('cache-status'), /varnish; fwd=bypass/);
    const nobody = await call({...at, BASE: edge}, 'GET', `/v1/profiles/${encodeURIComponent(at.SUBJECT)}`, {token: null});
    assert.equal(nobody.status, 401);
    assert.equal((await request({port: base + 2}, {method: 'PURGE'})).status, 403);
  } finally {
    assert.equal((await quick(['--stop', '--state', here])).code, 0);
  }
  await until('nobody to be left', () => about(here).length === 0);
});
