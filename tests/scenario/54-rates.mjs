// Rates: how much a subject may ask in a minute, counted over all workers to the single request; what the answers say of it; over
// reloads, kills, and what a cache may store.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {anotherPool, cgi} from './lib/crew.mjs';
import {sleep, until} from './lib/process.mjs';
import {READ, WRITE, assertProblem, scenario} from './lib/site.mjs';

const READS = 120, WRITES = 30, WORKERS = 4;
const settings = {server: {workers: WORKERS}, limits: {reads_per_minute: READS, writes_per_minute: WRITES}, log: {level: 'warn'}};
const [POLICY, LIMIT] = ['ratelimit-policy', 'ratelimit'];

/** {r, t} of the one item of RateLimit. */
function left(answer, name, quota) {
  assert.equal(answer.header(POLICY), `"${name}";q=${quota};w=60`);
  const [, r, t] = /^"[a-z]+";r=(\d+);t=(\d+)$/.exec(answer.header(LIMIT)) ?? assert.fail(answer.header(LIMIT));
  assert(answer.header(LIMIT).startsWith(`"${name}";`));
  return {r: Number(r), t: Number(t)};
}
const silent = (answer) => { for (const name of [POLICY, LIMIT]) assert.equal(answer.header(name), undefined, answer.status); };

function refused(answer, name, quota) {
  assertProblem(answer, 429);
  assert.match(answer.json.type, /#rate-limited$/);
  const seconds = Number(answer.header('retry-after'));
  assert(Number.isInteger(seconds) && seconds >= 1 && seconds <= Math.ceil(60 / quota), answer.header('retry-after'));
  assert.deepEqual(left(answer, name, quota).r, 0);
}

scenario('rates', {settings}, (at) => {
  /** Many at once, until well over the quota: how many were granted, and over how many seconds. */
  async function storm(sub, call, count, options = {}) {
    const begun = Date.now(), answers = [];
    let begunCalls = 0;
    await Promise.all(Array.from({length: 24}, async () => {
      while (begunCalls < count) answers.push(await call(begunCalls++, {as: sub, ...options}));
    }));
    const seconds = (Date.now() - begun) / 1000;
    return {granted: answers.filter((a) => a.status !== 429).length, refused: answers.filter((a) => a.status === 429), answers, seconds};
  }
  const exact = (how, quota) => {
    const most = quota + Math.ceil(how.seconds * quota / 60), what = `${how.granted} of ${quota} in ${how.seconds} s`;
    assert(how.granted <= most, what);
    assert(how.granted >= quota, what);
    assert(how.refused.length > 0, what);
  };

  test('reads: the quota to the request, by all workers together; the asker is told how much is left', async () => {
    const {site} = at;
    const before = await site.counters();
    let how = await storm('amy', (i, o) => site.get(i % 2 ? '/v1/profiles/ann' : '/v1/profiles/@ann', o), READS * 2);
    exact(how, READS);
    for (const answer of how.refused) refused(answer, 'reads', READS);
    for (const answer of how.answers) if (answer.status === 200) silent(answer);
    const after = await site.counters();
    assert.equal(after.rate_refusals_reads - before.rate_refusals_reads, how.refused.length);
    assert.equal(after.rate_refusals_writes, before.rate_refusals_writes);
    // another subject is not concerned, nor are its writes, nor what needs no token
    assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
    assert.equal((await site.delete('/v1/me/tokens', {token: await site.mint('amy')})).status, 204);
    silent(await site.get('/healthz'));
  });

  test('HEAD, other tokens and scopes of the subject, problems and 304s count as well', async () => {
    const {site} = at;
    const etag = (await site.get('/v1/profiles/ann', {as: 'bob'})).etag;
    const calls = [(o) => site.head('/v1/profiles/ann', o), (o) => site.get('/v1/profiles/none', o), (o) => site.get('/v1/profiles/ann', {...o, none: etag}),
      (o) => site.get('/v1/profiles/ann?x', o), (o) => site.get('/v1/me', o), (o) => site.get('/v1/authorize', o)];
    const tokens = await Promise.all([site.mint('carl', READ), site.mint('carl', `${READ} ${WRITE}`, {jti: 'x'})]);
    exact(await storm('carl', (i) => calls[i % calls.length]({token: tokens[i % 2]}), READS * 2), READS);
  });

  test('what is refused for the token, the scope or the method is not counted', async () => {
    const {site} = at;
    const reader = await site.mint('dora', READ);
    for (let i = 0; i < WRITES + 5; i++) {
      silent(await site.get('/v1/me'));
      silent(assertStatus(await site.patch('/v1/me', {}, {token: reader}), 403));
      silent(assertStatus(await site.post('/v1/me', {}, {token: reader}), 405));
    }
    assert.equal(left(await site.delete('/v1/me', {token: await site.mint('dora'), match: '*'}), 'writes', WRITES).r, WRITES - 1);
  });

  test('writes: likewise, of every method', async () => {
    const {site} = at;
    await site.make({id: 'eva', handle: 'eva'});
    const how = await storm('eva', (i, o) => site.patch('/v1/me', {bio: `${i}`}, {...o, match: '*'}), WRITES * 2);
    exact(how, WRITES);
    for (const answer of how.answers) if (answer.status === 429) refused(answer, 'writes', WRITES); else left(answer, 'writes', WRITES);
    // what was refused was not done
    const bios = how.answers.filter((a) => a.status === 200).map((a) => a.json.bio);
    assert(bios.includes((await site.get('/v1/me', {as: 'eva'})).json.bio));
    refused(await site.put('/v1/me', {handle: 'eva'}, {as: 'eva', match: '*'}), 'writes', WRITES);
    refused(await site.delete('/v1/me', {as: 'eva', match: '*'}), 'writes', WRITES);
  });

  test('private answers say how much is left, public ones nothing', async () => {
    const {site} = at;
    const ask = (path, more) => site.get(path, {as: 'fay', ...more});
    await site.make({id: 'fay', handle: 'fay'});
    const first = await ask('/v1/me');
    assert.deepEqual(left(first, 'reads', READS), {r: READS - 1, t: 1});
    left(await ask('/v1/me', {none: first.etag}), 'reads', READS);
    left(await ask('/v1/profiles/fay/full'), 'reads', READS);
    left(await ask('/v1/profiles/nobody'), 'reads', READS);
    left(await ask('/v1/me?x'), 'reads', READS);
    const open = await ask('/v1/profiles/fay');
    silent(open);
    silent(await ask('/v1/profiles/fay', {none: open.etag}));
    silent(await site.call('OPTIONS', '/v1/me', {as: 'fay'}));
    silent(await site.get('/.well-known/jwks.json', {as: 'fay'}));
    for (let i = 0; i < 5; i++) await ask('/v1/profiles/fay');
    const {r, t} = left(await ask('/v1/me'), 'reads', READS);
    assert(r < READS - 8 && r > READS - 20 && t >= 2 && t <= 10, `${r} ${t}`);
  });

  test('who waits as long as told is let in', async () => {
    const {site} = at;
    let answer;
    for (let i = 0; (answer = await site.get('/v1/profiles/ann', {as: 'guy'})).status === 200; i++) assert(i < READS * 3);
    await sleep(Number(answer.header('retry-after')) * 1000);
    assert.equal((await site.get('/v1/profiles/ann', {as: 'guy'})).status, 200);
  });

  test('a reload keeps what was used, also with another quota, and with a cache of another size', async () => {
    const {site} = at;
    exact(await storm('hugo', (i, o) => site.get('/v1/profiles/ann', o), READS + 20), READS);
    const used = async () => { // nearly all: some came back meanwhile
      const how = await storm('hugo', (i, o) => site.get('/v1/profiles/ann', o), 60);
      assert(how.refused.length >= 20, `${how.granted} granted`);
    };
    await site.reload();
    await used();
    site.settings.limits = {...settings.limits, reads_per_minute: 60};
    site.writeConfig();
    await site.reload();
    await used();
    assert.equal(left(await site.get('/v1/me', {as: 'ike'}), 'reads', 60).r, 59);
    site.settings.cache = {size: '1M'};
    site.writeConfig();
    await site.reload();
    await used();
    site.settings.cache = {size: 0};
    site.settings.token.cache_size = 0;
    site.writeConfig();
    await site.reload();
    await used();
    assert(left(await site.get('/v1/me', {as: 'ike'}), 'reads', 60).r < 60);
    site.settings.limits = {};
    site.writeConfig();
    await site.reload();
    for (let i = 0; i < 70; i++) silent(assertStatus(await site.get('/v1/profiles/ann', {as: 'hugo'}), 200));
    site.settings.limits = settings.limits;
    delete site.settings.cache;
    delete site.settings.token.cache_size;
    site.writeConfig();
    await site.reload();
  });

  test('workers that are killed meanwhile take nothing along and leave nothing locked', async () => {
    const {site} = at;
    const killer = setInterval(() => { const pids = site.workers(); if (pids.length > 1) process.kill(pids[0], 'SIGKILL'); }, 60);
    const quiet = (promise) => promise.catch(() => ({status: 502}));
    const how = await storm('jill', (i, o) => quiet(site.get('/v1/profiles/ann', o)), READS * 3);
    clearInterval(killer);
    const granted = how.answers.filter((a) => a.status === 200).length;
    assert(granted <= READS + Math.ceil(how.seconds * READS / 60), `${granted}`);
    await until('the workers', () => site.workers().length === WORKERS);
    const answer = await site.get('/v1/profiles/ann', {as: 'kate'});
    assert.equal(answer.status, 200);
  });

  test('another pool counts for itself, and a CGI process not at all', async () => {
    const {site} = at;
    const other = await anotherPool(site, 'other', {'limits.reads_per_minute': 3});
    for (let i = 0; i < 3; i++) assert.equal((await site.get('/v1/profiles/ann', {as: 'liz', via: other.via})).status, 200);
    refused(await site.get('/v1/profiles/ann', {as: 'liz', via: other.via}), 'reads', 3);
    assert.equal((await site.get('/v1/profiles/ann', {as: 'liz'})).status, 200);
    silent(assertStatus(await site.get('/v1/me', {as: 'ann', via: cgi(site)}), 200));
    await other.stop();
  });
}, (site) => site.make({id: 'ann', handle: 'ann'}));

function assertStatus(answer, status) {
  assert.equal(answer.status, status, answer.text);
  return answer;
}

const edge = {http: {shared_cache: 'edge'}, limits: {reads_per_minute: 5}, log: {level: 'warn'}};
scenario('rates behind an edge', {settings: edge}, (at) => {
  test('nothing of it on what the edge may store: views, 304s, and the 404 of a missing profile', async () => {
    const {site} = at, open = await site.get('/v1/profiles/ann', {as: 'ann'});
    assert.match(open.header('cdn-cache-control'), /max-age/);
    silent(open);
    silent(assertStatus(await site.get('/v1/profiles/ann', {as: 'ann', none: open.etag}), 304));
    const missing = assertStatus(await site.get('/v1/profiles/none', {as: 'ann'}), 404);
    assert.match(missing.header('cdn-cache-control'), /max-age/);
    silent(missing);
    left(await site.get('/v1/me', {as: 'ann'}), 'reads', 5);
    silent(await site.get('/v1/profiles/ann', {as: 'ann'}));
    const answer = await site.get('/v1/profiles/ann', {as: 'ann'});
    refused(answer, 'reads', 5);
    assert.equal(answer.header('cdn-cache-control'), undefined);
  });
}, (site) => site.make({id: 'ann', handle: 'ann'}));

scenario('rates of those who wait', {settings: {limits: {reads_per_minute: 2}, log: {level: 'warn'}}}, (at) => {
  test('a request that waits counts once, and is not refused at its end', async () => {
    const {site} = at;
    const wait = () => site.get('/v1/changes?wait=1', {as: 'admin'});
    for (let i = 0; i < 2; i++) {
      const answer = await wait();
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json.changes, []);
    }
    assertProblem(await wait(), 429);
  });
});
