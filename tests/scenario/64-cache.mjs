// What the shared cache does while all is well and while it is not: what stays a hit, what one read of the database serves, workers that
// are stopped or killed in the middle of a read, reloads, sizes of 0.
import assert from 'node:assert/strict';
import {readFileSync, statSync} from 'node:fs';
import {test} from 'node:test';
import {anotherPool, crewOf, stopReaders} from './lib/crew.mjs';
import {straight} from './lib/fastcgi.mjs';
import {sleep, until} from './lib/process.mjs';
import {Site, scenario} from './lib/site.mjs';

const HIT = 'profiled; hit', STORED = 'profiled; fwd=miss; stored', COLLAPSED = 'profiled; fwd=miss; collapsed', BYPASS = 'profiled; fwd=bypass';
const how = (answer) => answer.header('cache-status');
const QUIET = {level: 'warn'};

/** What the counters have gained while use ran. */
async function gained(site, use) {
  const before = await site.counters();
  await use();
  const after = await site.counters();
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name]]));
}

/** p0 to p39. */
async function people(site) {
  const lines = Array.from({length: 40}, (_, i) => JSON.stringify({id: `p${i}`, handle: `p_${i}`, name: `P ${i}`}));
  assert.equal((await site.tryCli(['import', '-'], lines.join('\n'))).code, 0);
}

scenario('cache: what stays a hit', {settings: {server: {workers: 3}, log: QUIET}}, (at) => {
  const status = async (path, as = 'admin') => how(await at.site.get(path, {as}));
  const warm = async (...paths) => { for (const path of paths) await at.site.get(path, {as: 'admin'}); };

  test('a read is stored, and then a hit for every worker, every reader, and every precondition', async () => {
    const {site} = at;
    assert.equal(await status('/v1/profiles/p1'), STORED);
    const crew = await crewOf(site.socket, () => site.workers(), 3);
    for (const as of ['admin', 'p1', 'stranger'])
      for (const answer of await crew.get(site, '/v1/profiles/p1', {as})) assert.equal(how(answer), HIT);
    const {etag} = await site.get('/v1/profiles/p1', {as: 'admin'});
    const again = await site.get('/v1/profiles/p1', {as: 'admin', none: etag});
    assert.equal(again.status, 304);
    assert.equal(how(again), HIT);
    assert.equal(how(await site.head('/v1/profiles/p1', {as: 'admin'})), HIT);
    assert.equal(await status('/v1/profiles/@p_1'), STORED);
    assert.equal(await status('/v1/profiles/@P_1'), HIT, 'handles are folded');
    assert.equal(await status('/v1/profiles/p1/full'), STORED);
    assert.equal(await status('/v1/me', 'p1'), HIT, 'the owner\'s view is one');
    assert.equal(await status('/v1/profiles/nobody'), STORED);
    assert.equal(await status('/v1/profiles/nobody'), HIT);
  });

  test('a private edit leaves the public answer a hit, and every other profile\'s', async () => {
    const {site} = at;
    const mine = ['/v1/profiles/p1', '/v1/profiles/@p_1'], own = '/v1/profiles/p1/full';
    const others = Array.from({length: 20}, (_, i) => [`/v1/profiles/p${i + 2}`, `/v1/profiles/p${i + 2}/full`]).flat();
    await warm(...mine, own, ...others);
    for (let i = 0; i < 3; i++) {
      assert.equal((await site.patch(own, {email: `${i}@example.org`}, {as: 'admin', match: '*'})).status, 200);
      const sum = await gained(site, async () => {
        for (const path of [...mine, ...others]) assert.equal(await status(path), HIT, path);
        assert.equal(await status(own), STORED);
      });
      assert.equal(sum.cache_hits, mine.length + others.length);
      assert.equal(sum.cache_misses, 1);
    }
    assert.equal((await site.patch(own, {name: 'New'}, {as: 'admin', match: '*'})).status, 200);
    for (const path of [...mine, own]) assert.equal(await status(path), STORED, path);
    for (const path of others) assert.equal(await status(path), HIT, path);
    // a write that changes nothing makes nothing old
    assert.equal((await site.patch(own, {name: 'New'}, {as: 'admin', match: '*'})).status, 200);
    for (const path of [...mine, own, ...others]) assert.equal(await status(path), HIT, path);
  });

  test('a 404 that became old does not take other 404s along', async () => {
    const {site} = at;
    const missing = Array.from({length: 10}, (_, i) => `/v1/profiles/m${i}`);
    await warm(...missing, '/v1/profiles/@m_0');
    await site.make({id: 'm0', handle: 'm_0'});
    assert.equal((await site.get('/v1/profiles/m0', {as: 'admin'})).status, 200);
    assert.equal((await site.get('/v1/profiles/@m_0', {as: 'admin'})).status, 200);
    for (const path of missing.slice(1)) assert.equal(await status(path), HIT);
  });

  test('faults are not kept: neither a refused token nor a bad request takes a place', async () => {
    const {site} = at;
    const sum = await gained(site, async () => {
      assert.equal((await site.get('/v1/profiles/p3', {token: 'x'})).status, 401);
      assert.equal((await site.get('/v1/profiles/p3', {as: 'p1', scope: 'metrics:read'})).status, 403);
      assert.equal((await site.get('/v1/profiles/p3?x=1', {as: 'p1'})).status, 400);
    });
    assert.equal(sum.cache_fills, 0);
  });
}, people);

const FLOCK = 16;
scenario('cache: one read for all', {front: false, settings: {server: {workers: FLOCK}, cache: {ttl: '1s', negative_ttl: '1s'}, log: QUIET}}, (at) => {
  /** All workers ask for one key at once: how often the database was read for it. */
  async function together(path, status) {
    const {site} = at;
    at.crew ??= await crewOf(site.socket, () => site.workers(), FLOCK);
    const answers = [];
    const sum = await gained(site, async () => answers.push(...await at.crew.get(site, path, {as: 'admin'})));
    assert.equal(answers.length, FLOCK);
    for (const answer of answers) assert.equal(answer.status, status, answer.text);
    assert.equal(new Set(answers.map((answer) => answer.etag)).size, 1);
    const ways = answers.map(how);
    // a worker that was not let in within its time goes to the database itself, which a laden machine may bring about
    const read = ways.filter((way) => ![HIT, COLLAPSED].includes(way)).length;
    assert.equal(sum.cache_misses + sum.cache_bypasses, read);
    assert.equal(sum.cache_misses, 1, `${ways.join('\n')}\n${JSON.stringify(sum)}`);
    assert.equal(sum.cache_fills, 1);
    return {read, waits: sum.cache_flight_waits};
  }
  const rounds = async (times, path, status, between) => {
    let more = 0;
    for (let i = 0; i < times; i++) {
      await between(i);
      const {read} = await together(typeof path === 'function' ? path(i) : path, status);
      more += read - 1;
    }
    assert(more <= times, `${more} reads too many in ${times} rounds`);
  };

  test('all have their database open', () => crewOf(at.site.socket, () => at.site.workers(), FLOCK)
    .then((crew) => crew.get(at.site, '/v1/profiles/p39', {as: 'admin'})));
  test(`${FLOCK} workers miss a key that nobody has read: one read of the database`, () => rounds(15, (i) => `/v1/profiles/p${i}`, 200, () => {}));
  test('by handle, and one that is not there', async () => {
    await rounds(6, (i) => `/v1/profiles/@p_${i + 20}`, 200, () => {});
    await rounds(6, (i) => `/v1/profiles/none${i}`, 404, () => {});
  });
  test('after a write', () => rounds(12, '/v1/profiles/p1', 200, async (i) => {
    const answer = await at.site.patch('/v1/profiles/p1', {name: `again ${i}`}, {as: 'admin', match: '*', via: straight(at.site.socket)});
    assert.equal(answer.status, 200);
  }));
  test('after its time', () => rounds(2, '/v1/profiles/p2', 200, () => sleep(1100)));
}, people);

const isStopped = (pid) => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
async function stopWorker(pid) {
  process.kill(pid, 'SIGSTOP');
  await until('the worker to stop', () => isStopped(pid));
}

scenario('cache: a worker that is stopped, or killed, in the middle of a read', {front: false, settings: {server: {workers: 4}, log: QUIET}}, (at) => {
  const ask = (connection, path) => at.site.get(path, {as: 'admin', via: (r) => connection.ask(r)});
  const free = (path) => at.site.get(path, {as: 'admin', via: straight(at.site.socket)});
  const crew = () => crewOf(at.site.socket, () => at.site.workers(), 4);
  const timed = async (promise) => {
    const begun = Date.now();
    return [await promise, Date.now() - begun];
  };
  /** Four held workers, the first of which is stopped while it reads path. */
  async function stopLeader(path) {
    const held = await (await crew()).holdEach();
    const readers = await stopReaders(at.site);
    const leader = ask(held[0], path);
    leader.catch(() => {});
    await sleep(40);
    await stopWorker(held[0].pid);
    return {held, leader, readers, pid: held[0].pid};
  }

  test('the one that reads for all is killed: another one reads, and nobody waits for long', async () => {
    const {site} = at;
    // a pool that starts looks after the files once, which is a commit to catch up with: not in the middle of this
    await until('the log to be copied back', () => statSync(`${site.database}-wal`).size < 65536);
    await (await crew()).get(site, '/v1/profiles/p39', {as: 'admin'});
    for (let i = 0; i < 4; i++) {
      const path = `/v1/profiles/p${i}`;
      const sum = await gained(site, async () => {
        const {held, leader, readers, pid} = await stopLeader(path);
        const begun = Date.now();
        const others = held.slice(1).map((connection) => timed(ask(connection, path)));
        await sleep(40);
        process.kill(pid, 'SIGKILL');
        await readers.release();
        const inTime = Date.now() - begun < 150;
        for (const [answer, ms] of await Promise.all(others)) {
          assert.equal(answer.json.id, `p${i}`);
          assert(ms < 5000, `${ms} ms`);
          if (inTime) assert.notEqual(how(answer), BYPASS);
        }
        await assert.rejects(leader, 'its own request is lost with it');
        await until('a replacement', () => site.workers().length === 4 && !site.workers().includes(pid));
        assert.equal(how(await free(path)), HIT);
      });
      assert(sum.cache_misses <= 2, JSON.stringify(sum));
      assert.equal(sum.cache_fills, 1, JSON.stringify(sum));
    }
  });

  test('it is stopped: hits go on, misses of other keys too, and of its own key after a while; when it goes on, all is well', async () => {
    const {site} = at;
    await free('/v1/profiles/p10');
    const {held, leader, readers, pid} = await stopLeader('/v1/profiles/p11');
    await readers.release();
    const [[hit, hitMs], [miss, missMs], [own, ownMs]] = await Promise.all([
      timed(ask(held[1], '/v1/profiles/p10')), timed(ask(held[2], '/v1/profiles/p12')), timed(ask(held[3], '/v1/profiles/p11'))]);
    assert.equal(how(hit), HIT);
    assert.equal(how(miss), STORED);
    assert.equal(how(own), BYPASS);
    for (const answer of [hit, miss, own]) assert.equal(answer.status, 200);
    assert(ownMs >= 200, 'it waited for the one that reads');
    for (const ms of [hitMs, missMs, ownMs]) assert(ms < 5000, `${ms} ms`);
    for (let i = 0; i < 40; i++) assert.equal(how(await free('/v1/profiles/p10')), HIT);
    // a write meanwhile: what it then puts into the cache is old, and nobody gets it
    assert.equal((await site.patch('/v1/profiles/p11', {name: 'Changed'}, {as: 'admin', match: '*', via: straight(site.socket)})).status, 200);
    assert.equal((await free('/v1/profiles/p11')).json.name, 'Changed');
    process.kill(pid, 'SIGCONT');
    assert.equal((await leader).status, 200);
    for (let i = 0; i < 12; i++) assert.equal((await free('/v1/profiles/p11')).json.name, 'Changed');
    assert.equal(how(await free('/v1/profiles/p11')), HIT);
  });

  for (const end of ['SIGCONT', 'SIGKILL'])
    test(`one is stopped while it reads the change log, and then gets ${end}: the others go round the cache, and it mends`, async () => {
      const {site} = at;
      const path = '/v1/profiles/p20';
      await free(path);
      // nobody of this pool has looked yet when it is stopped
      assert.equal((await site.patch(path, {name: `${end} 1`}, {as: 'admin', match: '*', via: at.other.via})).status, 200);
      const {held, leader, readers, pid} = await stopLeader(path);
      await readers.release();
      for (const [answer, ms] of await Promise.all(held.slice(1).map((connection) => timed(ask(connection, path))))) {
        assert.equal(answer.json.name, `${end} 1`);
        assert.equal(how(answer), BYPASS);
        assert(ms < 5000, `${ms} ms`);
      }
      assert.equal((await site.patch(path, {name: `${end} 2`}, {as: 'admin', match: '*', via: straight(site.socket)})).status, 200);
      for (let i = 0; i < 6; i++) assert.equal((await free(path)).json.name, `${end} 2`);
      process.kill(pid, end);
      if (end === 'SIGCONT') assert.equal((await leader).json.name, `${end} 2`, 'it reads only after it was let go on');
      else await assert.rejects(leader);
      await until('all workers', () => site.workers().length === 4);
      for (let i = 0; i < 6; i++) assert.equal((await free(path)).json.name, `${end} 2`);
      for (const answer of await (await crew()).get(site, path, {as: 'admin'})) assert.equal(how(answer), HIT);
    });

  test('one that is stopped while it has nothing to do is in nobody\'s way', async () => {
    const {site} = at;
    const idle = site.workers().slice(0, 3);
    for (const pid of idle) await stopWorker(pid);
    for (let i = 0; i < 60; i++) {
      const [answer, ms] = await timed(free(`/v1/profiles/p${i % 40}`));
      assert.equal(answer.status, 200);
      assert(ms < 5000);
    }
    idle.forEach((pid) => process.kill(pid, 'SIGCONT'));
    await (await crew()).get(site, '/v1/profiles/p1', {as: 'admin'});
    await at.other.stop();
  });
}, async (site, at) => {
  at.other = await anotherPool(site, 'other');
  await people(site);
  await (await crewOf(site.socket, () => site.workers(), 4)).get(site, '/healthz', {as: 'admin'});
  await site.get('/v1/profiles/p39', {as: 'admin', via: straight(site.socket)}); // its token is known
});

test('a reload: the memory is handed on; what shapes the answers begins anew; sizes of 0', async () => {
  const site = await Site.start({settings: {log: QUIET}});
  const reload = async (settings) => {
    for (const [section, keys] of Object.entries(settings)) site.settings[section] = {...site.settings[section], ...keys};
    site.writeConfig();
    await site.reload();
  };
  const read = () => site.get('/v1/profiles/ann', {as: 'bob'});
  try {
    await site.make({id: 'ann', handle: 'ann', name: 'Ann'});
    assert.equal(how(await read()), STORED);
    for (let i = 0; i < 3; i++) {
      const sum = await gained(site, async () => {
        await reload({});
        for (let n = 0; n < 6; n++) assert.equal(how(await read()), HIT, 'a hit stays one');
      });
      assert.equal(sum.token_memo_misses, 0, 'tokens stay known too');
    }
    await reload({server: {workers: 3}, log: {level: 'error'}});
    assert.equal(how(await read()), HIT, 'what has nothing to do with it changes nothing');
    await reload({http: {max_age: '7s'}});
    const anew = await read();
    assert.equal(how(anew), STORED);
    assert.equal(anew.header('cache-control'), 'private, max-age=7, must-revalidate');
    assert.equal(how(await read()), HIT);
    await reload({cache: {size: '1M'}});
    assert.equal(how(await read()), STORED);
    assert.equal((await site.status()).gauges.cache_size_bytes, 1 << 20);
    // a write between: the old image's, then the new one's
    for (let i = 0; i < 3; i++) {
      assert.equal((await site.patch('/v1/profiles/ann', {name: `before ${i}`}, {as: 'admin', match: '*'})).status, 200);
      await reload({});
      assert.equal((await read()).json.name, `before ${i}`);
      assert.equal((await site.patch('/v1/profiles/ann', {name: `after ${i}`}, {as: 'admin', match: '*'})).status, 200);
      for (let n = 0; n < 4; n++) assert.equal((await read()).json.name, `after ${i}`);
    }
    for (const sizes of [{cache: {size: 0}}, {token: {cache_size: 0}}, {cache: {size: '1M'}}, {token: {cache_size: '1M'}}]) {
      await reload(sizes);
      for (let i = 0; i < 4; i++) {
        const name = `${JSON.stringify(sizes)} ${i}`;
        assert.equal((await site.patch('/v1/profiles/ann', {name}, {as: 'admin', match: '*'})).status, 200);
        for (let n = 0; n < 4; n++) {
          const answer = await read();
          assert.equal(answer.json.name, name);
          if (String(site.settings.cache.size) === '0') assert.equal(how(answer), BYPASS);
          else assert.equal(how(answer), n ? HIT : STORED);
        }
      }
      const sum = await gained(site, read);
      assert.equal(sum.token_memo_hits, site.settings.token.cache_size === 0 ? 0 : 1);
    }
  } finally {
    await site.stop();
  }
});
