// What dies in front or behind comes back, and two seconds later everybody is right: nobody is shown what was written over, nobody gets in
// who was revoked. Everything is killed for good (kill -9), with something that was not told yet.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {withEdge} from './lib/edge-site.mjs';
import {alive, children, killAll, sleep, until} from './lib/process.mjs';
import {READ, assertUnauthorized} from './lib/site.mjs';
import {haveModule, haveVarnish} from './lib/varnish.mjs';

const PROMISE_MS = 2000;
// long enough that nothing is right merely because it has ended
const settings = {server: {workers: 2}, http: {shared_cache: 'edge', s_maxage: '600s', stale_while_revalidate: '30s', stale_if_error: '600s'}};

/** The edge's answers, and writes to one profile. */
function speaker({site, edge}) {
  let n = 0;
  const ask = (as = 'bob', path = '/v1/profiles/ann') => site.get(path, {as, scope: READ, target: {port: edge.port}});
  const s = {
    ask,
    name: () => `n${n}`,
    write: async () => assert.equal((await site.patch('/v1/profiles/ann/full', {nickname: `n${++n}`}, {as: 'admin', match: '*'})).status, 200),
    /** How long from now until what was written last is what everybody gets; fails when the promise is not kept. */
    right: async (what, of = async () => (await ask()).json.nickname === s.name()) => {
      const begun = performance.now();
      await until(what, () => of().catch(() => false), PROMISE_MS);
      const took = performance.now() - begun;
      console.log(`# ${what}: right after ${took.toFixed(0)} ms`);
      for (let i = 0; i < 10; i++) assert(await of(), `${what}: and not again`);
    },
  };
  return s;
}
const edgePid = (site) => until('an edge process', async () => (await site.status()).edge?.pid);
/** kill -9 of the pool, its edge process stopped before, so that it did not say what it knows. */
async function killPool(site, between = async () => {}) {
  const pid = await edgePid(site), family = [site.pool.pid, ...site.workers()];
  process.kill(pid, 'SIGSTOP');
  await between();
  killAll(family);
  await until('the pool to be gone', () => !family.some(alive));
}

for (const way of ['vmod', 'authorise']) {
  const skip = !haveVarnish ? 'there is no Varnish here' : way === 'vmod' && !haveModule ? 'the module is not built' : false;
  test(`${way}: Varnish or the pool is killed and comes back: right within 2 s`, {skip}, () => withEdge(way, settings, async (at) => {
    const {site, edge} = at, s = speaker(at);
    for (const id of ['ann', 'bob', 'eve']) await site.make({id, handle: id});
    for (let round = 0; round < 2; round++) {
      await s.write();
      await s.right('a write');

      killAll(children(edge.varnish.pid));
      await s.write();
      await until('Varnish to answer', () => s.ask().then(({status}) => status === 200, () => false));
      await s.right('Varnish lost its child');
      await s.write();
      await s.right('a write after that');

      edge.varnish.kill('SIGKILL');
      await edge.varnish.exited;
      await s.write();
      await edge.again();
      await s.right('Varnish was killed');
      await s.write();
      await s.right('a write after that');

      killAll([await edgePid(site)]);
      await s.write();
      await s.right('the edge process was killed');

      assert.equal((await s.ask()).json.nickname, s.name()); // it lies there
      await killPool(site, () => s.write());
      await site.startPool();
      await s.right('the pool was killed');
    }
    // the same of a revocation
    assert.equal((await s.ask('eve')).status, 200);
    await killPool(site, async () => assert.equal((await site.delete('/v1/profiles/eve', {as: 'admin', match: '*'})).status, 204));
    await site.startPool();
    await s.right('a revocation before the pool was killed', async () => (await s.ask('eve')).status === 401);
    assertUnauthorized(await s.ask('eve'));
    assert.equal((await s.ask()).status, 200);
  }));
}

test('vmod: a Varnish that was started anew trusts no list that ends before the first word it hears', {skip: haveModule ? false : 'the module is not built'},
  () => withEdge('vmod', settings, async (at) => {
    const {site, edge, relay, pull} = at, s = speaker(at);
    const asked = async () => Number(/requests_total\{[^}]*route="\/v1\/authorize"[^}]*\} (\d+)/.exec((await site.get('/metrics', {as: 'monitor', scope: 'metrics:read'})).text)?.[1] ?? 0);
    /** Whether hits go without the origin. */
    const alone = async () => {
      const before = await asked();
      for (let i = 0; i < 5; i++) assert.equal((await s.ask()).status, 200);
      return await asked() === before;
    };
    for (const id of ['ann', 'bob', 'eve', 'fay']) await site.make({id, handle: id});
    await pull();
    await until('the module to be current', alone);
    for (const [who, end] of [['eve', async () => { edge.varnish.kill('SIGKILL'); await edge.varnish.exited; await edge.again(); }],
      ['fay', async () => { killAll(children(edge.varnish.pid)); await until('Varnish to answer', () => s.ask().then(({status}) => status === 200, () => false)); }]]) {
      assert.equal((await s.ask(who)).status, 200);
      assert.equal((await site.delete(`/v1/profiles/${who}`, {as: 'admin', match: '*'})).status, 204);
      await s.right(`${who} is refused`, async () => (await s.ask(who)).status === 401);
      await end();
      // its list knows nothing of it, and what was pushed is gone
      const words = relay.heartbeats + relay.purges;
      assertUnauthorized(await s.ask(who));
      await until('a word to be heard', () => relay.heartbeats + relay.purges > words + 1, 10000);
      await sleep(1100); // its files were looked at since
      for (let i = 0; i < 20; i++) assertUnauthorized(await s.ask(who));
      assert.equal(await alone(), false, 'the origin is asked each time');
      await pull();
      await until('the module to be current', alone);
      for (let i = 0; i < 20; i++) assertUnauthorized(await s.ask(who));
    }
  }, {pulling: false}));

test('an edge process that is stopped is replaced', {skip: haveVarnish ? false : 'there is no Varnish here', timeout: 90000}, () => withEdge('authorise', settings, async (at) => {
  const {site} = at, s = speaker(at);
  await site.make({id: 'ann', handle: 'ann'});
  await s.write();
  await s.right('a write');
  const pid = await edgePid(site);
  process.kill(pid, 'SIGSTOP');
  await s.write();
  await until('it to be noticed', () => site.logLines().some((line) => line.event === 'edge-killed' && /no sign of life/.test(line.reason)), 30000);
  await s.right('a stopped edge process was killed');
  assert.notEqual(await edgePid(site), pid);
  // a reload while it is stopped: the new one gets its place, and tells what the old one did not
  process.kill(await edgePid(site), 'SIGSTOP');
  await s.write();
  site.pool.kill('SIGHUP');
  await until('the write to be seen', async () => (await s.ask()).json.nickname === s.name(), 40000);
  assert.equal((await site.status()).deaths, 0);
  assert.equal((await site.status()).timeouts, 0);
}));
