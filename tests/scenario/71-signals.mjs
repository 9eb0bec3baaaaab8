// Signals: SIGTERM drains, SIGHUP reloads and loses nothing, a bad configuration leaves the old one, SIGUSR1 opens logs anew.
import assert from 'node:assert/strict';
import {existsSync, readFileSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {freePort} from './lib/client.mjs';
import {load} from './lib/load.mjs';
import {alive, children, sleep, start, until} from './lib/process.mjs';
import {Site, binary, scenario} from './lib/site.mjs';

const prepare = (site) => site.make({id: 'ann', handle: 'ann', name: 'Ann'});

scenario('SIGHUP', {settings: {server: {workers: 3}}}, (at) => {
  test('again and again under load: nothing is lost, no tag changes', async () => {
    const {site} = at;
    const before = await site.get('/v1/profiles/ann', {as: 'bob'});
    const traffic = load(site, {token: await site.token('bob'), path: '/v1/profiles/ann', connections: 8,
      good: (answer) => answer.status === 200 && answer.etag === before.etag && answer.text === before.text});
    for (let i = 0; i < 4; i++) {
      await sleep(200);
      await site.reload();
    }
    const done = await traffic.stop();
    assert.deepEqual(done.bad, []);
    assert(done.count > 100);
  });

  test('signals in a flurry: one pool comes out of it', async () => {
    const {site} = at;
    const traffic = load(site, {token: await site.token('bob'), path: '/v1/profiles/ann', connections: 4});
    for (let i = 0; i < 10; i++) {
      site.pool.kill(i % 3 ? 'SIGHUP' : 'SIGUSR1');
      await sleep(30);
    }
    await until('three workers that stay', async () => {
      const workers = site.workers().join();
      await sleep(400);
      return site.workers().length === 3 && site.workers().join() === workers;
    });
    assert.deepEqual((await traffic.stop()).bad, []);
  });

  test('a new configuration is taken', async () => {
    const {site} = at;
    site.settings.http = {shared_cache: 'private'};
    site.settings.server.workers = 5;
    site.writeConfig();
    site.pool.kill('SIGHUP');
    await until('five workers', () => site.workers().length === 5);
    await until('the new policy', async () => (await site.get('/v1/profiles/ann', {as: 'bob'})).header('cache-control') === 'private, no-cache');
  });

  const broken = [
    ['an unknown key', (text) => `${text}\n[http]\nshared_cach = edge\n`, /shared_cach/],
    ['a bad value', (text) => text.replace(/workers = \d+/, 'workers = many'), /workers/],
    ['no INI at all', () => 'this is [not\n', /profiled\.conf/],
  ];
  for (const [what, spoil, says] of broken)
    test(`${what} leaves the old one running and says why`, async () => {
      const {site} = at;
      const good = readFileSync(site.config, 'utf8');
      const workers = site.workers(), length = site.readLog().length;
      writeFileSync(site.config, spoil(good));
      try {
        site.pool.kill('SIGHUP');
        await until('a word about it', () => says.test(site.readLog().slice(length)));
        await sleep(200);
        assert.deepEqual(site.workers(), workers);
        const answer = await site.get('/v1/profiles/ann', {as: 'bob'});
        assert.equal(answer.status, 200);
        assert.equal(answer.header('cache-control'), 'private, no-cache');
      } finally {
        writeFileSync(site.config, good);
      }
    });

  test('and a good one is taken after it', async () => at.site.reload());

  test('a configuration that is not there leaves the old one', async () => {
    const {site} = at;
    const workers = site.workers(), length = site.readLog().length;
    renameSync(site.config, `${site.config}.away`);
    try {
      site.pool.kill('SIGHUP');
      await until('a word about it', () => site.readLog().slice(length).includes('profiled.conf'));
      assert.deepEqual(site.workers(), workers);
      assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
    } finally {
      renameSync(`${site.config}.away`, site.config);
    }
  });
}, prepare);

test('SIGTERM: what is in hand is finished, and then it exits 0', async () => {
  const site = await Site.start({settings: {server: {workers: 2}}});
  try {
    await prepare(site);
    const traffic = load(site, {token: await site.token('bob'), path: '/v1/profiles/ann', connections: 8, keepAlive: false, most: 100000, ms: 20000,
      good: (answer) => [200, 503].includes(answer.status)});
    await sleep(300);
    const family = [site.pool.pid, ...site.workers()];
    const how = await site.pool.stop();
    assert.deepEqual(how, {code: 0, signal: null});
    assert.deepEqual(family.filter(alive), []);
    const done = await traffic.stop();
    // Those that came while nobody listened got lighttpd's 503; none was cut off in the middle (a 500 or 502).
    assert.deepEqual(done.bad, [], JSON.stringify(done.answers));
    assert(done.answers[200] > 10);
    assert(!existsSync(site.socket) || !site.pool.running);
    // And it starts again where it was.
    await site.startPool();
    await until('an answer', async () => (await site.get('/v1/profiles/ann', {as: 'bob'})).status === 200);
  } finally {
    await site.stop();
  }
});

test('SIGINT ends it like SIGTERM; a second pool on the same socket is refused', async () => {
  const site = await Site.start();
  try {
    const second = await site.tryCli(['serve']);
    assert.equal(second.code, 1);
    assert.match(second.err, /pool\.sock/);
    assert.equal((await site.get('/readyz')).status, 200);
    site.pool.kill('SIGINT');
    assert.deepEqual(await site.pool.exited, {code: 0, signal: null});
  } finally {
    await site.stop();
  }
});

test('a socket that a killed pool left behind is no hindrance', async () => {
  const site = await Site.start();
  try {
    const workers = site.workers();
    site.pool.kill('SIGKILL');
    await site.pool.exited;
    await until('the workers to follow their supervisor', () => !workers.some(alive));
    await site.startPool();
    await until('an answer', async () => (await site.get('/readyz')).status === 200);
  } finally {
    await site.stop();
  }
});

test('SIGUSR1: logs are opened anew, here and in every worker', async () => {
  const site = new Site();
  try {
    await site.prepare({settings: {log: {access: 'on'}}});
    const log = join(site.folder, 'profiled.log');
    site.settings.log.file = log;
    site.writeConfig();
    await site.startPool();
    await site.startFront();
    const lines = (path) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)) : []);
    await site.get('/healthz');
    await until('lines', () => lines(log).length > 0);
    renameSync(log, `${log}.1`);
    site.pool.kill('SIGUSR1');
    await until('the new file', () => existsSync(log));
    const rotated = statSync(`${log}.1`).size;
    const pids = new Set();
    await until('a line of each worker in the new file', async () => {
      await Promise.all(Array.from({length: 8}, () => site.get('/healthz')));
      lines(log).forEach((line) => pids.add(line.pid));
      return site.workers().every((pid) => pids.has(pid));
    });
    assert(statSync(`${log}.1`).size - rotated < 4096, 'nobody goes on writing to the old one');
  } finally {
    await site.stop();
  }
});

test('workers that die before their first answer are started ever more slowly, and a reload mends it', async () => {
  const site = await Site.start({settings: {server: {workers: 1}}});
  try {
    const seen = new Set();
    const end = Date.now() + 2500;
    // Killed as soon as they are seen: nobody gets to answer.
    while (Date.now() < end) {
      for (const pid of children(site.pool.pid)) {
        if (!seen.has(pid)) try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
        seen.add(pid);
      }
      await sleep(2);
    }
    assert(seen.size < 100, `${seen.size} workers in 2.5 s: that is a spin`);
    assert(seen.size > 1);
    assert(site.pool.running);
    await until('an answer', async () => (await site.get('/readyz')).status === 200, 30000);
  } finally {
    await site.stop();
  }
});

test('listening on TCP', async () => {
  const site = new Site();
  try {
    await site.prepare();
    const port = await freePort();
    site.settings.server.listen = `tcp:127.0.0.1:${port}`;
    site.writeConfig();
    site.pool = start(site.poolLog, binary, ['serve', '-c', site.config], {env: site.env});
    await until('workers', () => site.workers().length === 2);
    await site.startFront(`"host" => "127.0.0.1", "port" => ${port}`);
    assert.equal((await site.get('/readyz')).status, 200);
  } finally {
    await site.stop();
  }
});

test('the socket\'s mode is as configured', async () => {
  const site = await Site.start({settings: {server: {listen_mode: '0600'}}, front: false});
  try {
    assert.equal(statSync(site.socket).mode & 0o777, 0o600);
  } finally {
    await site.stop();
  }
});
