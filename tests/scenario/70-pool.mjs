// The pool under load: workers killed, recycled, stuck; every tag the same in each of them.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import net from 'node:net';
import {test} from 'node:test';
import {load} from './lib/load.mjs';
import {children, sleep, start, until} from './lib/process.mjs';
import {MERGE, scenario} from './lib/site.mjs';

const prepare = (site) => site.make({id: 'ann', handle: 'ann', name: 'Ann'});

scenario('pool: workers die', {settings: {server: {workers: 4}}}, (at) => {
  test('every process of the pool is named profiled', () => {
    for (const pid of [at.site.pool.pid, ...at.site.workers()]) assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), 'profiled');
    assert.equal(at.site.workers().length, 4);
  });

  test('every worker gives the same tag, and none says which it was', async () => {
    const tags = new Set();
    for (let round = 0; round < 10; round++)
      for (const answer of await Promise.all(Array.from({length: 16}, () => at.site.get('/v1/profiles/ann', {as: 'bob'})))) tags.add(answer.etag + answer.text);
    assert.equal(tags.size, 1);
  });

  test('kill -9 of workers under load loses at most the request that each had in hand', async () => {
    const {site} = at;
    await site.token('bob');
    const traffic = load(site, {token: await site.token('bob'), path: '/v1/profiles/ann', connections: 8});
    let killed = 0;
    for (let i = 0; i < 6; i++) {
      await sleep(150);
      const victim = site.workers()[0];
      process.kill(victim, 'SIGKILL');
      killed++;
      await until('a replacement', () => !site.workers().includes(victim) && site.workers().length === 4);
    }
    await sleep(300);
    const done = await traffic.stop();
    assert(done.bad.length <= killed, `${killed} killed, ${done.bad.length} requests lost: ${done.bad.slice(0, 10)}`);
    assert(done.count > 200, `${done.count} requests`);
    assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
  });

  test('two at once, and then all at once: it goes on', async () => {
    const {site} = at;
    for (const many of [2, 4]) {
      const victims = site.workers().slice(0, many);
      victims.forEach((pid) => process.kill(pid, 'SIGKILL'));
      await until('replacements', () => site.workers().length === 4 && site.workers().every((pid) => !victims.includes(pid)));
      for (let i = 0; i < 20; i++) assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
    }
    const log = site.logLines();
    assert(log.some((line) => line.signal === 9 || /kill|signal|died/i.test(JSON.stringify(line))), 'the log says so');
  });

  test('writes under kill -9: each is there whole or not at all, and an answered one is there', async () => {
    const {site} = at;
    let answered = 0;
    const traffic = load(site, {token: await site.token('ann'), path: '/v1/me', method: 'PATCH', connections: 1, keepAlive: false,
      headers: () => ({'Content-Type': MERGE, 'If-Match': '*'}), body: (i) => JSON.stringify({name: `n${i}`, nickname: `n${i}`}),
      onAnswer: (answer, i) => { if (answer.status === 200) answered = i; }});
    for (let i = 0; i < 5; i++) {
      await sleep(120);
      const victims = site.workers();
      process.kill(victims[i % victims.length], 'SIGKILL');
    }
    await sleep(200);
    const done = await traffic.stop();
    assert(done.bad.length <= 5, `${done.bad}`);
    const now = (await site.get('/v1/me', {as: 'ann'})).json;
    assert.equal(now.name, now.nickname);
    assert(Number(now.name.slice(1)) >= answered, `${now.name} after n${answered} was answered`);
  });
}, prepare);

scenario('pool: recycling', {settings: {server: {workers: 2, max_requests: 50}}}, (at) => {
  test('max_requests replaces workers and loses nothing', async () => {
    const {site} = at;
    const first = site.workers();
    const traffic = load(site, {token: await site.token('bob'), path: '/v1/profiles/ann', connections: 6, most: 1500});
    await until('the load', () => traffic.begun >= 1500, 60000);
    const done = await traffic.stop();
    assert.deepEqual(done.bad, []);
    assert.equal(done.count, 1500);
    assert(site.workers().every((pid) => !first.includes(pid)));
    await until('both workers', () => site.workers().length === 2);
  });
}, prepare);

scenario('pool: a request that takes too long', {settings: {server: {workers: 2, request_timeout: '1s'}}}, (at) => {
  test('a worker past request_timeout is killed and logged, the others go on', async () => {
    const {site} = at;
    // Whoever holds the writers' lock keeps a write waiting for some seconds, longer than this pool has patience.
    const holder = start(site.frontLog, 'flock', ['--no-fork', `${site.database}.lock`, 'sleep', '60']);
    try {
      await sleep(200);
      const before = site.workers(), length = site.readLog().length;
      const begun = Date.now();
      const answer = await site.patch('/v1/me', {name: 'Late'}, {as: 'ann', match: '*'});
      assert(answer.status >= 500, `${answer.status}`);
      assert(Date.now() - begun < 4500, 'cut off before the lock\'s own patience ended');
      await until('a replacement', () => site.workers().length === 2 && site.workers().some((pid) => !before.includes(pid)));
      assert.equal(site.workers().filter((pid) => before.includes(pid)).length, 1, 'the other one was left alone');
      assert.match(site.readLog().slice(length), /time/i);
      assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200, 'readers take no lock');
    } finally {
      await holder.stop();
    }
    assert.equal((await site.get('/v1/me', {as: 'ann'})).json.name, 'Ann');
    assert.equal((await site.patch('/v1/me', {name: 'Ann'}, {as: 'ann', match: '*'})).status, 200);
  });

  test('a peer of the socket that says nothing holds no worker for long', async () => {
    const {site} = at;
    const silent = Array.from({length: 2}, () => net.connect(site.socket));
    silent.forEach((socket) => socket.on('error', () => {}));
    await sleep(100);
    const begun = Date.now();
    assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
    assert(Date.now() - begun < 15000);
    silent.forEach((socket) => socket.destroy());
  });

  test('a peer that goes away in the middle of its parameters writes nothing', async () => {
    const {site} = at;
    const before = await site.get('/v1/me', {as: 'ann'});
    // FCGI_BEGIN_REQUEST, then FCGI_PARAMS that promise more than comes (FastCGI specification sections 5.1, 5.2).
    const begin = Buffer.from([1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    const pair = (name, value) => Buffer.concat([Buffer.from([name.length, 0x80, 0, value.length >> 8, value.length & 255]), Buffer.from(name), Buffer.from(value)]);
    const params = Buffer.concat([pair('REQUEST_METHOD', 'DELETE'), pair('REQUEST_URI', '/v1/me'), pair('HTTP_AUTHORIZATION', `Bearer ${await site.token('ann')}`),
      pair('HTTP_IF_MATCH', '*')]);
    for (const cut of [10, 40, 120, params.length]) {
      const header = Buffer.from([1, 4, 0, 1, params.length >> 8, params.length & 255, 0, 0]);
      const socket = net.connect(site.socket);
      socket.on('error', () => {});
      socket.end(Buffer.concat([begin, header, params.subarray(0, cut)]));
      await new Promise((resolve) => socket.on('close', resolve).resume());
    }
    const after = await site.get('/v1/me', {as: 'ann'});
    assert.equal(after.text, before.text);
  });

  test('rubbish on the socket harms nobody', async () => {
    const {site} = at;
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), Buffer.alloc(4096, 255), Buffer.alloc(64), Buffer.from([1, 9, 0, 0, 255, 255, 255, 0])]) {
      const socket = net.connect(site.socket);
      socket.on('error', () => {});
      socket.end(bytes);
      await new Promise((resolve) => socket.on('close', resolve).resume());
    }
    assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
    await until('both workers', () => site.workers().length === 2);
  });
}, prepare);

scenario('pool: a queue', {settings: {server: {workers: 1}}}, (at) => {
  test('far more connections than workers: all are answered', async () => {
    const answers = await Promise.all(Array.from({length: 200}, () => at.site.get('/v1/profiles/ann', {as: 'bob'})));
    assert.deepEqual([...new Set(answers.map((a) => a.status))], [200]);
  });

  test('the supervisor has no children but workers and the changes process', () => assert.deepEqual(children(at.site.pool.pid).length, 1 + at.site.changes().length));
}, prepare);
