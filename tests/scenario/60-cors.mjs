// Pages of other origins: who may read our answers, on every answer, errors and 304s included.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {scenario} from './lib/site.mjs';

const APP = 'https://app.example', DEV = 'http://localhost:5173';
const profile = (site) => site.make({id: 'ann', handle: 'ann'});

/** Answers of every kind to one Origin (undefined: none). */
async function kinds(site, origin) {
  const headers = origin === undefined ? {} : {Origin: origin};
  const tag = (await site.get('/v1/profiles/ann', {as: 'ann'})).etag;
  const list = [
    ['200', 200, await site.get('/v1/profiles/ann', {as: 'ann', headers})],
    ['by handle', 200, await site.get('/v1/profiles/@ann', {as: 'ann', headers})],
    ['me', 200, await site.get('/v1/me', {as: 'ann', headers})],
    ['HEAD', 200, await site.head('/v1/me', {as: 'ann', headers})],
    ['304', 304, await site.get('/v1/profiles/ann', {as: 'ann', headers, none: tag})],
    ['PATCH', 200, await site.patch('/v1/me', {}, {as: 'ann', headers, match: tag})],
    ['204', 204, await site.patch('/v1/me', {}, {as: 'ann', headers: {...headers, Prefer: 'return=minimal'}, match: tag})],
    ['400', 400, await site.get('/v1/me?x=1', {as: 'ann', headers})],
    ['401', 401, await site.get('/v1/me', {headers})],
    ['401 by a bad token', 401, await site.get('/v1/me', {token: 'x', headers})],
    ['403', 403, await site.get('/v1/me', {as: 'ann', scope: 'metrics:read', headers})],
    ['404', 404, await site.get('/v1/profiles/nobody', {as: 'ann', headers})],
    ['404 of no resource', 404, await site.get('/v1/nothing', {as: 'ann', headers})],
    ['405', 405, await site.post('/v1/me', {}, {as: 'ann', headers})],
    ['412', 412, await site.patch('/v1/me', {}, {as: 'ann', headers, match: '"old"'})],
    ['415', 415, await site.patch('/v1/me', {}, {as: 'ann', headers, match: tag, type: 'text/plain'})],
    ['422', 422, await site.patch('/v1/me', {name: 1}, {as: 'ann', headers, match: tag})],
    ['428', 428, await site.patch('/v1/me', {}, {as: 'ann', headers})],
    ['OPTIONS', 204, await site.call('OPTIONS', '/v1/me', {headers})],
    ['jwks', 200, await site.get('/.well-known/jwks.json', {headers})],
    ['healthz', 200, await site.get('/healthz', {headers})],
  ];
  for (const [what, status, answer] of list) assert.equal(answer.status, status, `${what}: ${answer.text}`);
  return list;
}
/** What pages must be able to read, and to send. */
const EXPOSED = ['etag', 'link', 'location', 'ratelimit', 'ratelimit-policy', 'retry-after', 'x-request-id', 'content-location', 'cache-status', 'age'];
const SENT = ['authorization', 'content-type', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'idempotency-key', 'prefer'];
const words = (value) => (value ?? '').toLowerCase().split(/, */).filter(Boolean);

scenario('CORS: origins are named', {settings: {http: {cors_origins: `${APP} ${DEV}`}, limits: {writes_per_minute: 300}}}, (at) => {
  for (const origin of [APP, DEV])
    test(`${origin} reads everything`, async () => {
      for (const [what, , answer] of await kinds(at.site, origin)) {
        assert.deepEqual(answer.all('access-control-allow-origin'), [origin], what);
        assert(words(answer.header('vary')).includes('origin'), what);
        assert.equal(answer.header('access-control-allow-credentials'), undefined, what);
        if (what === 'OPTIONS') continue;
        const exposed = words(answer.header('access-control-expose-headers'));
        for (const header of EXPOSED) assert(exposed.includes(header), `${what}: ${header} can be read`);
      }
    });

  for (const origin of [undefined, 'https://evil.example', `${APP}.evil.example`, 'https://app.example:8443', 'http://app.example', 'null', `${APP}/`, '*', 'https://APP.example.', `${APP} ${DEV}`])
    test(`${origin ?? 'no Origin'}: nothing allowed, but Vary: Origin all the same`, async () => {
      for (const [what, , answer] of await kinds(at.site, origin)) {
        assert.equal(answer.header('access-control-allow-origin'), undefined, what);
        assert(words(answer.header('vary')).includes('origin'), what);
      }
    });

  test('a preflight is told the methods and headers', async () => {
    for (const [path, method] of [['/v1/me', 'PATCH'], ['/v1/profiles/ann', 'PUT'], ['/v1/profiles', 'POST']]) {
      const answer = await at.site.call('OPTIONS', path, {headers: {Origin: APP, 'Access-Control-Request-Method': method,
        'Access-Control-Request-Headers': SENT.join(',')}});
      assert.equal(answer.status, 204);
      assert.equal(answer.header('access-control-allow-origin'), APP);
      assert(words(answer.header('access-control-allow-methods')).includes(method.toLowerCase()));
      const headers = words(answer.header('access-control-allow-headers'));
      for (const header of SENT) assert(headers.includes(header), header);
      // kept by the browser, though not for longer than it may
      const age = Number(answer.header('access-control-max-age'));
      assert(Number.isInteger(age) && age >= 600 && age <= 7200, answer.header('access-control-max-age'));
      assert.equal(answer.text, '');
      assert(words(answer.header('vary')).includes('origin'));
    }
  });

  test('a preflight of another origin is told nothing', async () => {
    const answer = await at.site.call('OPTIONS', '/v1/me', {headers: {Origin: 'https://evil.example', 'Access-Control-Request-Method': 'PATCH'}});
    assert.equal(answer.status, 204);
    for (const name of answer.names) assert(!name.startsWith('access-control-'), name);
  });

  test('an OPTIONS that is no preflight gets no more than other answers do', async () => {
    const answer = await at.site.call('OPTIONS', '/v1/me', {headers: {Origin: APP}});
    assert.equal(answer.header('access-control-allow-origin'), APP);
    for (const name of ['methods', 'headers']) assert.equal(answer.header(`access-control-allow-${name}`), undefined);
    assert.equal(answer.header('access-control-max-age'), undefined);
  });

  test('a page is told of its rate, and when to come again', async () => {
    const mint = await at.site.mint('cora'), call = () => at.site.delete('/v1/me/tokens?x', {token: mint, headers: {Origin: APP}});
    let answer = await call();
    assert.equal(answer.header('ratelimit'), '"writes";r=299;t=1');
    while (answer.status !== 429) answer = await call();
    for (const name of ['retry-after', 'ratelimit', 'ratelimit-policy']) {
      assert(answer.header(name), name);
      assert(words(answer.header('access-control-expose-headers')).includes(name), name);
    }
    assert.equal(answer.header('access-control-allow-origin'), APP);
    assert(words(answer.header('vary')).includes('origin'));
  });

  test('what pages need beside ETag can be read', async () => {
    const answer = await at.site.get('/v1/profiles/@ann', {as: 'ann', headers: {Origin: APP}});
    const exposed = words(answer.header('access-control-expose-headers'));
    for (const header of EXPOSED) assert(exposed.includes(header), header);
  });
}, profile);

scenario('CORS: *', {settings: {http: {cors_origins: '*'}}}, (at) => {
  test('every answer is for everybody, whether asked with an Origin or not', async () => {
    for (const origin of [undefined, APP, 'null'])
      for (const [what, , answer] of await kinds(at.site, origin)) {
        assert.deepEqual(answer.all('access-control-allow-origin'), ['*'], what);
        assert(!words(answer.header('vary')).includes('origin'), what);
      }
  });
}, profile);

scenario('CORS: empty', {}, (at) => {
  test('no answer says anything of origins', async () => {
    for (const origin of [undefined, APP])
      for (const [what, , answer] of await kinds(at.site, origin)) {
        assert(!words(answer.header('vary')).includes('origin'), what);
        for (const name of answer.names) assert(!name.startsWith('access-control-'), `${what}: ${name}`);
      }
  });
}, profile);
