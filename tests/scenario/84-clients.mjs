// Caching HTTP clients that are not ours agree with our headers about what may be stored, what reused, and what must be asked about:
// http-cache-semantics by its judgement, undici's cache interceptor and make-fetch-happen by what they do.
import assert from 'node:assert/strict';
import {join} from 'node:path';
import {test} from 'node:test';
import CachePolicy from 'http-cache-semantics';
import fetchHappen from 'make-fetch-happen';
import {Agent, cacheStores, interceptors, request} from 'undici';
import {straight} from './lib/fastcgi.mjs';
import {scenario} from './lib/site.mjs';

const prepare = async (site) => {
  await site.make({id: 'ann', handle: 'ann', name: 'Ann', email: 'ann@example.org'});
  await site.make({id: 'bob', handle: 'bob', name: 'Bob', email: 'bob@example.org'});
};
const fields = (answer) => Object.fromEntries(answer.names.map((name) => [name, answer.header(name)]));

/** Answers of every kind, by name: [request, response] as http-cache-semantics takes them. */
async function kinds(site) {
  const list = {
    'public view': ['GET', '/v1/profiles/ann', {as: 'bob'}],
    'by handle': ['GET', '/v1/profiles/@ann', {as: 'bob'}],
    'owner\'s view': ['GET', '/v1/me', {as: 'ann'}],
    'full view': ['GET', '/v1/profiles/ann/full', {as: 'admin'}],
    missing: ['GET', '/v1/profiles/nobody', {as: 'bob'}],
    'no token': ['GET', '/v1/profiles/ann', {}],
    'too little scope': ['GET', '/v1/profiles/ann', {as: 'bob', scope: 'metrics:read'}],
    'bad query': ['GET', '/v1/profiles/ann?x=1', {as: 'bob'}],
    'old tag': ['GET', '/v1/profiles/ann', {as: 'bob', match: '"x"'}],
    'write result': ['PATCH', '/v1/me', {as: 'ann', match: '*', body: {}}],
    keys: ['GET', '/.well-known/jwks.json', {}],
    health: ['GET', '/healthz', {}],
  };
  const pairs = {};
  for (const [name, [method, url, options]] of Object.entries(list)) {
    const answer = await site.call(method, url, options);
    const token = options.as && {authorization: `Bearer ${await site.token(options.as, options.scope)}`};
    pairs[name] = [{url, method, headers: {host: 'x', ...token}}, {status: answer.status, headers: fields(answer)}];
  }
  return pairs;
}

// What each kind allows: may it be stored by a shared cache, by the reader's own; may the reader's own reuse it without asking.
const ASK = {shared: true, own: true, reuse: false}, OWN = {shared: false, own: true, reuse: false}, NEVER = {shared: false, own: false, reuse: false};
const OPEN = {shared: true, own: true, reuse: true}, AGED = {shared: false, own: true, reuse: true};
const always = {'owner\'s view': OWN, 'full view': OWN, missing: NEVER, 'no token': NEVER, 'too little scope': NEVER, 'bad query': NEVER, 'old tag': NEVER, 'write result': NEVER,
  keys: OPEN, health: NEVER};
const modes = [
  ['revalidate', {shared_cache: 'revalidate'}, ASK],
  ['edge', {shared_cache: 'edge', s_maxage: '300s', stale_while_revalidate: '10s', stale_if_error: '60s'}, ASK],
  ['private', {shared_cache: 'private'}, OWN],
  ['revalidate, max_age', {shared_cache: 'revalidate', max_age: '60s'}, AGED],
];

for (const [mode, http, view] of modes)
  scenario(`caching clients: ${mode}`, {settings: {http}}, (at) => {
    const base = () => `http://127.0.0.1:${at.site.port}`;
    const bearer = async (as) => ({authorization: `Bearer ${await at.site.token(as)}`});
    /** How many requests the pool answered while something was done. */
    async function asked(what) {
      const total = async () => {
        const {text} = await at.site.get('/metrics', {as: 'watcher', scope: 'metrics:read', via: straight(at.site.socket)});
        return [...text.matchAll(/^profiled_requests_total\{(.*)\} (\d+)$/gm)].filter(([, labels]) => !labels.includes('"/metrics"')).reduce((sum, [, , n]) => sum + Number(n), 0);
      };
      const before = await total();
      const result = await what();
      return [await total() - before, result];
    }

    test('http-cache-semantics: what may be stored, reused, and how it is asked about', async () => {
      const expected = {'public view': view, 'by handle': view, ...always};
      for (const [name, [req, res]] of Object.entries(await kinds(at.site))) {
        const shared = new CachePolicy(req, res, {shared: true}), own = new CachePolicy(req, res, {shared: false});
        const want = expected[name], what = `${name}: ${res.status} ${res.headers['cache-control']}`;
        assert.equal(shared.storable(), want.shared, `${what}, shared`);
        assert.equal(own.storable(), want.own, `${what}, own`);
        if (want.own) assert.equal(own.satisfiesWithoutRevalidation(req), want.reuse, `${what}, reuse`);
        if (want.shared && name !== 'keys') assert.equal(shared.satisfiesWithoutRevalidation(req), false, `${what}, shared reuse`);
        if (!want.own) continue;
        // Stale or not, it is never used when the origin cannot be asked; and asked about by its tag.
        if (!want.reuse) assert.equal(own.useStaleWhileRevalidate?.() ?? false, false, what);
        const headers = own.revalidationHeaders(req);
        assert(headers['if-none-match'].includes(res.headers.etag), what);
        const again = await at.site.call(req.method, req.url, {headers});
        assert.equal(again.status, 304, what);
        const {policy, modified} = own.revalidatedPolicy(req, {status: 304, headers: fields(again)});
        assert.equal(modified, false, what);
        assert.equal(policy.storable(), want.own);
        assert.equal(policy.satisfiesWithoutRevalidation(req), want.reuse, `${what}, after a 304`);
        if (/view/.test(name) && !view.shared && name !== 'public view') // another token's copy is none of mine
          assert.equal(own.satisfiesWithoutRevalidation({...req, headers: {...req.headers, authorization: 'Bearer other'}}), false, what);
      }
    });

    for (const type of ['shared', 'private'])
      test(`undici's cache, ${type}`, async () => {
        const dispatcher = new Agent().compose(interceptors.cache({store: new cacheStores.MemoryCacheStore(), type}));
        const get = async (path, headers = {}) => {
          const {statusCode, headers: fields, body} = await request(base() + path, {dispatcher, headers});
          return {statusCode, etag: fields.etag, text: await body.text()};
        };
        try {
          const bob = await bearer('bob'), ann = await bearer('ann'), reuse = type === 'private' && view.reuse;
          const first = await get('/v1/profiles/ann', bob);
          assert.equal(first.statusCode, 200);
          for (const headers of [bob, bob, ann]) {
            const [count, answer] = await asked(() => get('/v1/profiles/ann', headers));
            assert.equal(answer.statusCode, 200);
            assert.equal(answer.text, first.text);
            if (!reuse) assert(count > 0, 'asked each time');
            else if (headers === bob) assert.equal(count, 0, 'not asked while it is fresh');
          }
          if (type === 'shared' || !view.reuse) // as a shared cache, nothing for those without a token
            for (const headers of [{}, {authorization: 'Bearer x.y.z'}]) assert.equal((await get('/v1/profiles/ann', headers)).statusCode, 401);
          for (const [headers, id] of [[ann, 'ann'], [bob, 'bob'], [ann, 'ann'], [bob, 'bob']]) {
            const [count, answer] = await asked(() => get('/v1/me', headers));
            assert.equal(JSON.parse(answer.text).id, id);
            assert(count > 0);
          }
          assert.equal((await get('/v1/me')).statusCode, 401);
          assert.equal((await get('/v1/profiles/late', bob)).statusCode, 404);
          assert((await asked(() => get('/v1/profiles/late', bob)))[0] > 0, 'a 404 is not kept');
          await get('/.well-known/jwks.json');
          assert.equal((await asked(() => get('/.well-known/jwks.json')))[0], 0, 'keys are reused');
          if (!reuse) { // a write is seen by the next read
            const name = `Ann by undici ${type}`;
            assert.equal((await at.site.patch('/v1/me', {name}, {as: 'ann', match: '*'})).status, 200);
            assert.equal(JSON.parse((await get('/v1/profiles/ann', bob)).text).name, name);
          }
        } finally {
          await dispatcher.close();
        }
      });

    test('make-fetch-happen', async () => {
      const fetch = fetchHappen.defaults({cachePath: join(at.site.folder, 'npm-cache'), retry: false});
      const get = async (path, headers = {}) => {
        const answer = await fetch(base() + path, {headers});
        return {status: answer.status, text: await answer.text(), cache: answer.headers.get('x-local-cache-status')};
      };
      const bob = await bearer('bob'), ann = await bearer('ann');
      const first = await get('/v1/profiles/ann', bob);
      assert.equal(first.cache, 'miss');
      const [count, second] = await asked(() => get('/v1/profiles/ann', bob));
      assert.equal(second.cache, view.reuse ? 'hit' : 'revalidated');
      assert.equal(second.text, first.text);
      assert.equal(count > 0, !view.reuse);
      for (const [headers, id] of [[ann, 'ann'], [bob, 'bob'], [ann, 'ann']]) {
        const [times, answer] = await asked(() => get('/v1/me', headers));
        assert.equal(JSON.parse(answer.text).id, id);
        assert(times > 0);
      }
      for (let i = 0; i < 2; i++) {
        assert.equal((await get('/v1/me')).status, 401);
        const [times, missing] = await asked(() => get('/v1/profiles/late', bob));
        assert.equal(missing.status, 404);
        assert(times > 0);
      }
      assert.equal((await get('/.well-known/jwks.json')).cache, 'miss');
      assert.equal((await get('/.well-known/jwks.json')).cache, 'hit');
      if (!view.reuse) {
        assert.equal((await at.site.patch('/v1/me', {name: 'Ann by make-fetch-happen'}, {as: 'ann', match: '*'})).status, 200);
        const changed = await get('/v1/profiles/ann', bob);
        assert.equal(JSON.parse(changed.text).name, 'Ann by make-fetch-happen');
        assert.equal((await get('/v1/profiles/ann', bob)).cache, 'revalidated');
      }
    });
  }, prepare);
