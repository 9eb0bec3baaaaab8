// What caches are told, in each mode of http.shared_cache.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {assertProblem, scenario} from './lib/site.mjs';

const ANN = {id: 'ann', handle: 'ann'};
const prepare = (site) => site.make(ANN);
const cdn = 'cdn-cache-control', key = 'surrogate-key';
const parts = (value) => (value ?? '').split(/, */).filter(Boolean).sort();

/** The headers that caches go by, of a 200 and of the 304 that stands for it; they must be the same. */
async function policy(site, path) {
  const answer = await site.get(path, {as: 'ann'});
  assert.equal(answer.status, 200);
  const again = await site.get(path, {as: 'ann', none: answer.etag});
  assert.equal(again.status, 304);
  for (const name of ['cache-control', cdn, key, 'vary', 'etag', 'content-location']) assert.equal(again.header(name), answer.header(name), name);
  return answer;
}

/** What holds in every mode. */
function everywhere(at) {
  test('the owner\'s view is private', async () => {
    for (const path of ['/v1/me', '/v1/profiles/ann/full']) {
      const answer = await policy(at.site, path);
      assert.equal(answer.header('cache-control'), 'private, no-cache');
      assert.deepEqual(parts(answer.header('vary')), ['Authorization']);
      assert.equal(answer.header(cdn), undefined);
      assert.equal(answer.header(key), undefined);
    }
  });
  test('open documents may be kept for five minutes', async () => {
    for (const path of ['/.well-known/jwks.json']) {
      const answer = await policy(at.site, path);
      assert.equal(answer.header('cache-control'), 'public, max-age=300');
      assert(answer.header('last-modified'));
    }
  });
  test('problems are not stored', async () => {
    for (const answer of [await at.site.get('/v1/me'), await at.site.get('/v1/profiles/ann?x=1', {as: 'ann'}), await at.site.get('/v1/me', {as: 'nobody'}),
      await at.site.get('/v1/profiles/ann', {as: 'ann', match: '"x"'}), await at.site.get('/v1/nothing', {as: 'ann'})]) {
      assertProblem(answer, answer.status);
      assert.equal(answer.header('cache-control'), 'no-store');
      assert.equal(answer.header(cdn), undefined);
      assert.equal(answer.header(key), undefined);
    }
  });
  test('health is asked, never remembered', async () => {
    for (const path of ['/healthz', '/readyz']) assert.match((await at.site.get(path)).header('cache-control') ?? '', /no-store|no-cache/);
  });
}

scenario('caching: revalidate', {settings: {http: {shared_cache: 'revalidate'}}}, (at) => {
  test('the public view may be stored, and is asked about each time', async () => {
    for (const path of ['/v1/profiles/ann', '/v1/profiles/@ann']) {
      const answer = await policy(at.site, path);
      assert.equal(answer.header('cache-control'), 'public, no-cache, must-revalidate');
      for (const name of [cdn, key, 'vary', 'x-request-id']) assert.equal(answer.header(name), undefined, name);
    }
  });
  test('a missing profile is not stored', async () => {
    for (const path of ['/v1/profiles/nobody', '/v1/profiles/@nobody']) {
      const answer = await at.site.get(path, {as: 'ann'});
      assertProblem(answer, 404);
      assert.equal(answer.header('cache-control'), 'no-store');
      assert.equal(answer.header(cdn), undefined);
    }
  });
  everywhere(at);
}, prepare);

const edge = {shared_cache: 'edge', s_maxage: '120s', stale_while_revalidate: '7s', stale_if_error: '90s'};
scenario('caching: edge', {settings: {http: edge, cache: {negative_ttl: '11s'}}}, (at) => {
  const forEdge = ['max-age=120', 'stale-if-error=90', 'stale-while-revalidate=7'];
  test('the edge is told how long, everybody else to ask', async () => {
    const byId = await policy(at.site, '/v1/profiles/ann');
    assert.equal(byId.header('cache-control'), 'public, no-cache, must-revalidate');
    assert.deepEqual(parts(byId.header(cdn)), forEdge);
    assert.deepEqual(byId.header(key).split(' '), ['profile/ann']);
    const byHandle = await policy(at.site, '/v1/profiles/@ANN');
    assert.deepEqual(parts(byHandle.header(cdn)), forEdge);
    assert.deepEqual(byHandle.header(key).split(' ').sort(), ['handle/ann', 'profile/ann']);
    for (const answer of [byId, byHandle]) for (const name of ['vary', 'x-request-id', 'set-cookie', 'server-timing']) assert.equal(answer.header(name), undefined);
  });
  test('that somebody is missing is remembered under the key that their creation purges', async () => {
    for (const [path, surrogate] of [['/v1/profiles/nobody', 'profile/nobody'], ['/v1/profiles/@NoBody', 'handle/nobody']]) {
      const answer = await at.site.get(path, {as: 'ann'});
      assert.equal(answer.status, 404);
      assert.equal(answer.header('content-type'), 'application/problem+json');
      assert.equal(answer.header('cache-control'), 'no-store');
      assert.deepEqual(parts(answer.header(cdn)), ['max-age=11']);
      assert.equal(answer.header(key), surrogate);
      assert.equal(answer.header('x-request-id'), undefined, 'nothing of the asker on what a shared cache stores');
      assert.equal(answer.json.instance, undefined);
      const other = await at.site.get(path, {as: 'bob'});
      assert.equal(other.text, answer.text);
    }
  });
  everywhere(at);
}, prepare);

scenario('caching: private', {settings: {http: {shared_cache: 'private'}}}, (at) => {
  test('no shared cache', async () => {
    for (const path of ['/v1/profiles/ann', '/v1/profiles/@ann']) {
      const answer = await policy(at.site, path);
      assert.equal(answer.header('cache-control'), 'private, no-cache');
      for (const name of [cdn, key]) assert.equal(answer.header(name), undefined, name);
    }
  });
  everywhere(at);
}, prepare);

for (const mode of ['revalidate', 'private', 'edge'])
  scenario(`caching: max_age with ${mode}`, {settings: {http: {...edge, shared_cache: mode, max_age: '40s'}}}, (at) => {
    test('the reader\'s own cache need not ask for a while', async () => {
      const answer = await policy(at.site, '/v1/profiles/ann');
      assert.equal(answer.header('cache-control'), 'private, max-age=40, must-revalidate');
      assert.equal(answer.header(cdn) !== undefined, mode === 'edge', 'the edge still goes by its own line');
    });
    everywhere(at);
  }, prepare);
