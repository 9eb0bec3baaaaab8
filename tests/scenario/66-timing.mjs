// Server-Timing: what an answer cost, for who may watch, and never on an answer that a cache may keep.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {READ, scenario} from './lib/site.mjs';

const ANN = {id: 'ann', handle: 'ann'};
const prepare = (site) => site.make(ANN);
const ASK = {Prefer: 'timing'};
const WATCH = `${READ} metrics:read`;
const parts = (answer) => answer.header('server-timing').split(', ').map((part) => part.split(';')[0]);

scenario('timing: on request', {settings: {http: {shared_cache: 'edge'}}}, (at) => {
  const get = (path, options) => at.site.get(path, {as: 'ann', ...options});
  test('nobody has asked: nothing is told, and caches may keep it', async () => {
    const answer = await get('/v1/profiles/ann', {scope: WATCH});
    assert.equal(answer.header('server-timing'), undefined);
    assert.equal(answer.header('cache-control'), 'public, no-cache, must-revalidate');
    assert(answer.header('cdn-cache-control'));
  });
  test('asked without the scope: as if not asked', async () => {
    const answer = await get('/v1/profiles/ann', {headers: ASK});
    assert.equal(answer.header('server-timing'), undefined);
    assert.equal(answer.header('preference-applied'), undefined);
    assert.equal(answer.header('cache-control'), 'public, no-cache, must-revalidate');
  });
  test('asked with the scope: a miss, then hits, and no cache may keep any of it', async () => {
    await at.site.make({id: 'bob', handle: 'bob'});
    const seen = [];
    for (let i = 0; i < 2; i++) {
      const answer = await get('/v1/profiles/bob', {scope: WATCH, headers: ASK});
      assert.equal(answer.status, 200);
      assert.equal(answer.header('cache-control'), 'no-store');
      for (const name of ['cdn-cache-control', 'surrogate-key']) assert.equal(answer.header(name), undefined, name);
      assert.equal(answer.header('preference-applied'), 'timing');
      assert.match(answer.header('server-timing'), /^auth;dur=\d+\.\d{3};desc="(verified|remembered)", cache;desc="profiled; .*", (store;dur=\d+\.\d{3}, )?total;dur=\d+\.\d{3}$/);
      assert(answer.header('server-timing').includes(`cache;desc="${answer.header('cache-status')}"`));
      seen.push(parts(answer));
    }
    assert.deepEqual(seen, [['auth', 'cache', 'store', 'total'], ['auth', 'cache', 'total']]);
    const again = await get('/v1/profiles/bob', {scope: WATCH, headers: ASK});
    assert.match(again.header('server-timing'), /desc="remembered".*desc="profiled; hit"/);
    const kept = await get('/v1/profiles/bob', {scope: WATCH, headers: ASK, none: again.etag});
    assert.equal(kept.status, 304);
    assert.equal(kept.header('cache-control'), 'no-store');
    assert(kept.header('server-timing'));
  });
  test('an open path tells nobody', async () => {
    const answer = await at.site.get('/.well-known/jwks.json', {headers: ASK});
    assert.equal(answer.header('server-timing'), undefined);
    assert.equal(answer.header('cache-control'), 'public, max-age=300');
  });
}, prepare);

scenario('timing: always, while debugging', {settings: {log: {level: 'debug'}}}, (at) => {
  test('every answer tells, and none may be kept', async () => {
    for (const [path, options] of [['/v1/profiles/ann', {as: 'ann'}], ['/v1/profiles/@ann', {as: 'ann'}], ['/v1/profiles/none', {as: 'ann'}], ['/v1/profiles/ann', {}], ['/.well-known/jwks.json', {}]]) {
      const answer = await at.site.get(path, options);
      assert.match(answer.header('server-timing'), /total;dur=\d+\.\d{3}$/, path);
      assert.equal(answer.header('cache-control'), 'no-store', path);
      assert.equal(answer.header('preference-applied'), undefined, path);
    }
  });
}, prepare);
