// The feed of changes: order, places to go on from, tombstones, 410; and waiting for what is not there yet, which holds no worker.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {request} from './lib/client.mjs';
import {cgi} from './lib/crew.mjs';
import {alive, run, sleep, until} from './lib/process.mjs';
import {ADMIN, READ, WRITE, assertProblem, scenario} from './lib/site.mjs';
import {now} from './lib/token.mjs';

const settings = {server: {workers: 2}};
const feed = async (site, query = '', options = {}) => {
  const answer = await site.get(`/v1/changes${query}`, {as: 'admin', ...options});
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
};
const newest = async (site) => (await feed(site, '?limit=1')).newest;
const profile = (id, more = {}) => ({id, handle: `h_${id.replaceAll('-', '_')}`, ...more});
/** A request that waits, and how long it did. */
const wait = (site, after, seconds = 20, options = {}) => {
  const begun = performance.now();
  return site.get(`/v1/changes?after=${after}&wait=${seconds}`, {as: 'admin', ...options})
    .then((answer) => Object.assign(answer, {ms: performance.now() - begun}));
};
const sql = async (site, text) => {
  const how = await run('flock', [`${site.database}.lock`, 'sqlite3', '-cmd', '.timeout 5000', site.database, `PRAGMA wal_autocheckpoint=0;${text}`]);
  assert.equal(how.code, 0, how.err);
  return how.out.split('\n').slice(1).join('\n').trim();
};
/** The processor time of a process, in clock ticks. */
const ticks = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((a, b) => a + Number(b), 0);
const descriptors = async (pid) => (await run('ls', [`/proc/${pid}/fd`])).out.split('\n').length;

scenario('the feed', {settings}, (at) => {
  test('what changed, in order, with its kind and its handles', async () => {
    const {site} = at, from = await newest(site);
    await site.make(profile('ann', {name: 'Ann'}));
    await site.patch('/v1/me', {email: 'ann@mail.example'}, {as: 'ann', match: '*'});
    await site.patch('/v1/me', {name: 'Ann B.'}, {as: 'ann', match: '*'});
    await site.patch('/v1/me', {handle: 'annie'}, {as: 'ann', match: '*'});
    await site.patch('/v1/profiles/ann/full', {state: 'suspended'}, {as: 'admin', match: '*'});
    await site.patch('/v1/profiles/ann/full', {state: 'active'}, {as: 'admin', match: '*'});
    const page = await feed(site, `?after=${from}`);
    assert.deepEqual(page.changes.map(({what}) => what), ['create', 'private', 'update', 'update', 'suspend', 'revoke', 'resume']);
    assert.deepEqual(page.changes.map(({seq}) => seq), [1, 2, 3, 4, 5, 6, 7].map((n) => from + n));
    for (const {id, at: when} of page.changes) {
      assert.equal(id, 'ann');
      assert.match(when, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert(Math.abs(Date.parse(when) - Date.now()) < 60000);
    }
    assert.deepEqual(page.changes.map((c) => [c.handle, c.old_handle]).filter(([a, b]) => a || b), [['h_ann', undefined], ['annie', 'h_ann']]);
    assert.equal(page.last, from + 7);
    assert.equal(page.newest, page.last);
    assert.equal(page.more, false);
    assert.match(page.epoch, /^[0-9a-f]+$/);
    const full = await site.get('/v1/profiles/ann/full', {as: 'admin'});
    assert(full.etag.includes(`${page.epoch}-`), 'the epoch is that of the tags');
  });

  test('page by page: each entry once, whoever writes meanwhile', async () => {
    const {site} = at, from = await newest(site);
    for (let i = 0; i < 12; i++) await site.make(profile(`page-${i}`));
    const seen = [];
    let after = from, more = true;
    while (more) {
      const page = await feed(site, `?after=${after}&limit=5`);
      seen.push(...page.changes.map(({seq}) => seq));
      assert(page.changes.length <= 5);
      assert.equal(page.last, page.changes.at(-1)?.seq ?? after);
      ({last: after, more} = page);
      if (seen.length === 5) await site.make(profile('page-late'));
    }
    assert.deepEqual(seen, Array.from({length: 13}, (_, i) => from + 1 + i));
    const beginning = await feed(site, '?limit=3');
    assert.equal(beginning.changes[0].seq, 1, 'without a place: from the oldest on');
    assert.equal(beginning.more, true);
  });

  test('a deletion is a tombstone: no entry tells a handle of it any more, and others keep theirs', async () => {
    const {site} = at, from = await newest(site);
    await site.make(profile('gone', {name: 'Gone'}));
    await site.patch('/v1/me', {handle: 'gone_two'}, {as: 'gone', match: '*'});
    await site.make(profile('stays'));
    assert.equal((await site.delete('/v1/profiles/gone', {as: 'admin', match: '*'})).status, 204);
    const {changes} = await feed(site, `?after=${from}`);
    assert.deepEqual(changes.map(({id, what}) => `${id} ${what}`), ['gone create', 'gone update', 'stays create', 'gone delete', 'gone revoke']);
    for (const change of changes) assert.equal(change.handle, change.id === 'stays' ? 'h_stays' : undefined);
    assert(changes.every(({old_handle}) => old_handle === undefined));
    // made anew, it is another life
    await site.make(profile('gone', {handle: 'third'}));
    assert.deepEqual((await feed(site, `?after=${from}`)).changes.filter(({id}) => id === 'gone').map(({handle}) => handle), [undefined, undefined, undefined, undefined, 'third']);
    assert.notEqual((await site.tryCli(['db', 'check'])).code, null);
    assert.match(await site.cli('db', 'check'), /ok/);
  });

  test('conditional: nothing new is a 304', async () => {
    const {site} = at, after = await newest(site);
    const answer = await site.get(`/v1/changes?after=${after}`, {as: 'admin'});
    assert.equal(answer.header('cache-control'), 'private, no-cache');
    assert.equal((await site.get(`/v1/changes?after=${after}`, {as: 'admin', none: answer.etag})).status, 304);
    const head = await site.head(`/v1/changes?after=${after}`, {as: 'admin'});
    assert.equal(head.status, 200);
    assert.equal(head.etag, answer.etag);
    assert.equal(head.body.length, 0);
    assert.notEqual((await site.get(`/v1/changes?after=${after}&limit=7`, {as: 'admin'})).etag, answer.etag);
    await site.make(profile('one-more'));
    assert.equal((await site.get(`/v1/changes?after=${after}`, {as: 'admin', none: answer.etag})).status, 200);
  });

  test('who may, and what makes no sense', async () => {
    const {site} = at;
    assertProblem(await site.get('/v1/changes'), 401);
    for (const scope of [READ, WRITE, 'profile:list metrics:read']) {
      const answer = await site.get('/v1/changes', {as: 'somebody', scope});
      assertProblem(answer, 403);
      assert.match(answer.header('www-authenticate'), /profile:admin/);
    }
    for (const query of ['after=', 'after=-1', 'after=x', 'after=1.5', 'after=9223372036854775808', 'limit=0', 'limit=1001', 'limit=', 'wait=-1', 'wait=x', 'wait=1s',
      'limit=99999999999999999999999'])
      assert.match(assertProblem(await site.get(`/v1/changes?${query}`, {as: 'admin'}), 400).type, /#invalid-parameter$/, query);
    assert.match(assertProblem(await site.get('/v1/changes?before=1', {as: 'admin'}), 400).type, /#unknown-parameter$/);
    for (const query of ['after=%zz', 'after=1&after=1', 'wait=1&wait=2']) assert.match(assertProblem(await site.get(`/v1/changes?${query}`, {as: 'admin'}), 400).type, /#bad-target$/, query);
    const post = await site.post('/v1/changes', {}, {as: 'admin'});
    assertProblem(post, 405);
    assert.equal(post.header('allow'), 'GET, HEAD, OPTIONS');
    assert.equal((await site.get('/v1/changes?limit=1000&wait=0', {as: 'admin'})).status, 200);
  });

  test('a place that the log does not go on from: 410, which says where it is', async () => {
    const {site} = at, page = await feed(site, '?limit=1');
    const gone = async (query) => {
      const problem = assertProblem(await site.get(`/v1/changes?${query}`, {as: 'admin'}), 410);
      assert.equal(problem.type, '/problems.html#changes-gone');
      assert.equal(problem.newest, await newest(site));
      assert.equal(problem.epoch, (await feed(site, '?limit=1')).epoch);
      assert.equal((await feed(site, `?after=${problem.newest}&epoch=${problem.epoch}`)).changes.length, 0, 'it can be gone on from');
    };
    await gone(`after=${page.newest + 1}`);
    await gone(`after=${page.newest + 1}&wait=10`);
    await gone(`after=${page.newest}&epoch=0badc0de&wait=10`);
    await gone('epoch=');
    assert.equal((await site.get(`/v1/changes?after=${page.newest}&epoch=${page.epoch}`, {as: 'admin'})).status, 200);
    await sql(site, 'DELETE FROM changes WHERE seq <= 5');
    await gone('after=4');
    await gone('after=0');
    assert.equal((await feed(site, '?after=5&limit=1')).changes[0].seq, 6);
    assert.equal((await feed(site, '?limit=1')).changes[0].seq, 6);
    assert.match(await (await request({port: site.port}, {path: '/problems.html'})).text, /id="changes-gone"/);
  });

  test('the workers answer as well, and wait for nothing', async () => {
    const {site} = at, after = await newest(site);
    const {straight} = await import('./lib/fastcgi.mjs');
    for (const via of [straight(site.socket), cgi(site)]) {
      const answer = await wait(site, after, 20, {via});
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json.changes, []);
      assert(answer.ms < 5000, `${answer.ms} ms`);
    }
    const other = await site.get('/v1/me', {as: 'ann', via: straight(`${site.socket}-changes`)});
    assertProblem(other, 404);
  });
});

scenario('waiting', {settings: {server: {workers: 2}, log: {level: 'info'}}}, (at) => {
  test('at once when there is something, or nobody wants to wait', async () => {
    const {site} = at;
    const after = await newest(site);
    await site.make(profile('first'));
    const some = await wait(site, after);
    assert(some.ms < 5000 && some.json.changes.length === 1);
    const none = await wait(site, some.json.last, 0);
    assert(none.ms < 5000);
    assert.deepEqual(none.json.changes, []);
  });

  test('an empty page when the time is over, also by Prefer: wait', async () => {
    const {site} = at, after = await newest(site);
    for (const asked of [[`?after=${after}&wait=1`, {}], [`?after=${after}`, {Prefer: 'respond-async, wait=1'}]]) {
      const begun = performance.now();
      const answer = await site.get(`/v1/changes${asked[0]}`, {as: 'admin', headers: asked[1]});
      const ms = performance.now() - begun;
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json.changes, []);
      assert.equal(answer.json.last, after);
      assert(ms > 950 && ms < 6000, `${ms} ms`);
    }
  });

  test('it wakes within a second of a write, whoever wrote', async () => {
    const {site} = at;
    const writers = {
      worker: () => site.make(profile('by-worker')),
      CGI: async () => assert.equal((await site.post('/v1/profiles', profile('by-cgi'), {as: 'admin', via: cgi(site)})).status, 201),
      import: async () => assert.equal((await site.tryCli(['import', '-'], `${JSON.stringify(profile('by-import'))}\n`)).code, 0),
      shell: () => sql(site, "INSERT INTO profiles (id, handle) VALUES ('by-shell', 'by_shell')"),
    };
    for (const [name, write] of Object.entries(writers)) {
      const after = await newest(site), waiting = wait(site, after);
      await sleep(200);
      await write();
      const written = performance.now(), answer = await waiting;
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.changes[0].id, `by-${name.toLowerCase()}`);
      assert(performance.now() - written < 1000, `${name}: ${performance.now() - written} ms`);
    }
  });

  test('two hundred wait: no worker is held, other requests go on, all of them hear of a write', async () => {
    const {site} = at, after = await newest(site);
    const [pid] = site.changes();
    const before = await descriptors(pid);
    const all = Array.from({length: 200}, () => wait(site, after, 40));
    await until('all of them to wait', async () => (await descriptors(pid)) >= before + 200);
    const busy = (await site.status()).workers.filter(({state}) => state === 'busy');
    assert.deepEqual(busy, []);
    const cpu = ticks(pid), begun = performance.now();
    for (let i = 0; i < 40; i++) assert.equal((await site.get('/v1/profiles/first', {as: 'reader', scope: READ})).status, 200);
    assert((performance.now() - begun) / 40 < 250, 'a request among them');
    await sleep(1000);
    assert(ticks(pid) - cpu < 40, `waiting costs next to nothing: ${ticks(pid) - cpu} ticks`);
    const written = performance.now();
    await site.make(profile('wakes-all'));
    const answers = await Promise.all(all);
    assert(performance.now() - written < 4000, `${performance.now() - written} ms`);
    for (const answer of answers) {
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json.changes.map(({id}) => id), ['wakes-all']);
    }
    await until('the connections to be closed', async () => (await descriptors(pid)) <= before);
    assert(site.changes().includes(pid));
  });

  test('a request of the metrics like others, whoever answered it', async () => {
    const {site} = at;
    const count = async () => {
      const text = (await site.get('/metrics', {as: 'watcher', scope: 'metrics:read'})).text;
      return Number(text.match(/^profiled_requests_total\{[^}]*route="\/v1\/changes"[^}]*status="200"[^}]*\} (\d+)$/m)?.[1] ?? 0);
    };
    const before = await count(), after = await newest(site);
    await wait(site, after, 1);
    assert.equal(await count(), before + 2);
  });

  test('who went away is forgotten', async () => {
    const {site} = at, after = await newest(site), [pid] = site.changes();
    const before = await descriptors(pid);
    const {Held, variables} = await import('./lib/fastcgi.mjs');
    const token = await site.token('admin');
    const gone = Array.from({length: 20}, () => {
      const held = new Held(`${site.socket}-changes`);
      held.ask({method: 'GET', path: `/v1/changes?after=${after}&wait=40`, headers: {Authorization: `Bearer ${token}`}}).catch(() => {});
      return held;
    });
    await until('them to wait', async () => (await descriptors(pid)) >= before + 20);
    for (const held of gone) held.close();
    await until('them to be forgotten', async () => (await descriptors(pid)) <= before, 3000);
    assert(variables);
  });

  test('a token is looked at again when the wait is over', async () => {
    const {site} = at, after = await newest(site);
    await site.make(profile('boss'));
    const from = await newest(site);
    const short = await site.mint('boss', ADMIN, {iat: now() - 60, exp: now() - 30 + 2}); // with 30 s of leeway: two more seconds
    const expired = await wait(site, from, 4, {as: undefined, token: short});
    assertProblem(expired, 401);
    assert(expired.ms > 1900, `${expired.ms}`);
    const long = await site.mint('boss', ADMIN, {iat: now() - 60});
    const waiting = wait(site, from, 20, {as: undefined, token: long});
    await sleep(300);
    await sql(site, `INSERT INTO revoke (subject, until_s) VALUES ('boss', ${now()})`);
    assertProblem(await waiting, 401);
    assert(after < from);
  });

  test('garbage on its socket ends the connection that it came on, and slow senders hold nobody', async () => {
    const {site} = at, [pid] = site.changes();
    const net = await import('node:net');
    const sockets = [];
    const send = (bytes) => new Promise((resolve) => {
      const socket = net.connect(`${site.socket}-changes`);
      sockets.push(socket);
      socket.on('error', () => {});
      socket.on('close', resolve);
      socket.write(bytes);
      socket.resume();
    });
    const begin = [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    const bad = [[0], [1, 9, 0, 0, 0, 0, 0, 0], [2, 1, 0, 1, 0, 8, 0, 0], [1, 4, 0, 1, 0, 0, 0, 0], [...begin, ...begin], [1, 1, 0, 1, 0, 8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0],
      [...begin, 1, 4, 0, 1, 0, 3, 0, 0, 255, 255, 255, 1, 4, 0, 1, 0, 0, 0, 0, 1, 5, 0, 1, 0, 0, 0, 0], [...begin, 1, 2, 0, 1, 0, 0, 0, 0], [...begin, 1, 4, 0, 2, 0, 0, 0, 0]];
    await Promise.race([Promise.all(bad.slice(1).map((bytes) => send(Buffer.from(bytes)))), sleep(5000).then(() => { throw new Error('not closed'); })]);
    for (let i = 0; i < 50; i++) send(Buffer.from(begin.slice(0, 1 + (i % 15))));
    await sleep(200);
    const begun = performance.now();
    await newest(site);
    assert(performance.now() - begun < 2000);
    sockets.forEach((socket) => socket.destroy());
    assert(alive(pid));
  });

  for (const [signal, what] of [['SIGHUP', 'a reload'], ['SIGKILL', 'kill -9 of the process']])
    test(`${what} while clients wait`, async () => {
      const {site} = at, after = await newest(site), [pid] = site.changes();
      const before = await descriptors(pid);
      const all = Array.from({length: 10}, () => wait(site, after, 30));
      await until('them to wait', async () => (await descriptors(pid)) >= before + 10);
      if (signal === 'SIGHUP') site.pool.kill('SIGHUP');
      else process.kill(pid, 'SIGKILL');
      const answers = await Promise.all(all);
      for (const answer of answers) {
        assert.equal(answer.status < 500, signal === 'SIGHUP', `${answer.status}`);
        assert(answer.ms < 20000);
        if (signal === 'SIGHUP') assert.deepEqual([answer.json.changes, answer.json.last], [[], after]);
      }
      await until('another process', () => site.changes().length === 1 && site.changes()[0] !== pid);
      const waiting = wait(site, after, 20);
      await sleep(200);
      await site.make(profile(`after-${signal.toLowerCase()}`));
      assert.equal((await waiting).json.changes[0].id, `after-${signal.toLowerCase()}`);
    });

  test('a database that is set back: whoever waits is told', async () => {
    const {site} = at;
    await site.cli('db', 'backup', `${site.folder}/backup.db`);
    await site.make(profile('lost'));
    const after = await newest(site), waiting = wait(site, after, 20);
    await sleep(200);
    const how = await run('flock', [`${site.database}.lock`, 'sh', '-c', `rm -f ${site.database}-wal ${site.database}-shm && mv ${site.folder}/backup.db ${site.database}`]);
    assert.equal(how.code, 0, how.err);
    assertProblem(await waiting, 410);
  });

  test('SIGTERM: they are answered at once, with what there is', async () => {
    const {site} = at, after = await newest(site), [pid] = site.changes();
    const before = await descriptors(pid);
    const all = Array.from({length: 10}, () => wait(site, after, 30));
    await until('them to wait', async () => (await descriptors(pid)) >= before + 10);
    site.pool.kill('SIGTERM');
    for (const answer of await Promise.all(all)) {
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.json.changes, []);
      assert(answer.ms < 10000);
    }
  });
});

scenario('more than may wait', {settings: {server: {workers: 1}}, front: false}, (at) => {
  test('beyond a thousand: 503 with Retry-After; those who wait are not harmed', async () => {
    const {site} = at;
    const {Held} = await import('./lib/fastcgi.mjs');
    const {straight} = await import('./lib/fastcgi.mjs');
    const via = straight(`${site.socket}-changes`);
    const after = (await feed(site, '?limit=1', {via})).newest, [pid] = site.changes();
    const headers = {Authorization: `Bearer ${await site.token('admin')}`};
    const held = Array.from({length: 1000}, () => new Held(`${site.socket}-changes`, 120000));
    const answers = held.map((connection) => connection.ask({method: 'GET', path: `/v1/changes?after=${after}&wait=50`, headers}));
    await until('them to wait', async () => (await descriptors(pid)) >= 1010, 30000);
    await sleep(300);
    const refused = await site.get(`/v1/changes?after=${after}&wait=50`, {as: 'admin', via});
    assertProblem(refused, 503);
    assert.match(refused.header('retry-after'), /^\d+$/);
    assert.equal((await feed(site, '?limit=1', {via})).newest, after, 'who does not wait is answered');
    assert.equal((await site.post('/v1/profiles', profile('thousand'), {as: 'admin', via: straight(site.socket)})).status, 201);
    for (const answer of await Promise.all(answers)) assert.equal(answer.status, 200);
    assert(alive(pid));
  });
});

scenario('tidying', {settings: {server: {workers: 1}, store: {changes_kept: '1h'}}}, (at) => {
  test('old entries go, the newest stays, and who is behind is told', async () => {
    const {site} = at;
    for (let i = 0; i < 5; i++) await site.make(profile(`old-${i}`));
    await sql(site, "DROP TRIGGER changes_update; UPDATE changes SET at = at - 7200000 WHERE seq <= 4; INSERT INTO changes (profile_id, what, at) SELECT 'x', 'private', 1 FROM (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 900) SELECT n FROM c)");
    site.pool.kill('SIGHUP'); // a new process looks at once
    await until('the oldest to go', async () => (await feed(site, '?limit=1')).changes[0].seq === 5);
    assertProblem(await site.get('/v1/changes?after=3', {as: 'admin'}), 410);
    assert.equal((await feed(site, '?after=4&limit=1000')).changes.length, 901);
    await sql(site, 'UPDATE changes SET at = 1');
    site.pool.kill('SIGHUP');
    await until('all but the newest to go', async () => (await sql(site, 'SELECT count(*) FROM changes')) === '1', 20000);
    const {changes, more} = await feed(site);
    assert.deepEqual([changes.length, changes[0].seq, more], [1, 905, false]);
    await site.make(profile('next'));
    assert.equal((await feed(site, '?after=905')).changes[0].seq, 906);
  });
});
