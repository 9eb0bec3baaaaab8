// Reading a profile: the public view by id and by handle, the owner's view, and everything that is not there.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {raw} from './lib/client.mjs';
import {READ, LIST, WRITE, ADMIN, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';

const ANN = {id: 'ann', handle: 'Ann_1', name: 'Ann', bio: 'one\ntwo', email: 'ann@example.org', phone_number: '+4930123456',
  birthdate: '1990-02-28', address: {locality: 'Berlin'}, website: 'https://ann.example/', attributes: {a: [1, null]}};
const ODD = 'x.y_z~a:b|c@d+e-f';

scenario('reads', {}, (at) => {
  test('the public view holds the public fields and nothing that depends on who asks', async () => {
    const answer = await at.site.get('/v1/profiles/ann', {as: 'bob', scope: READ});
    assert.equal(answer.status, 200);
    assert.equal(answer.header('content-type'), 'application/json');
    assert.deepEqual(Object.keys(answer.json).sort(),
      ['attributes', 'bio', 'created_at', 'handle', 'id', 'name', 'updated_at', 'version', 'website']);
    assert.equal(answer.json.handle, 'ann_1');
    assert.deepEqual(answer.json.attributes, ANN.attributes);
    assert.match(answer.json.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(answer.json.updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(answer.etag, /^"[\x21\x23-\x7e]+"$/);
    assert.equal(new Date(answer.header('last-modified')).getTime(), Math.floor(Date.parse(answer.json.updated_at) / 1000) * 1000);
    assert.equal(answer.header('cache-control'), 'public, no-cache, must-revalidate');
    assert.equal(answer.header('x-content-type-options'), 'nosniff');
    for (const name of ['x-request-id', 'ratelimit', 'ratelimit-policy', 'server-timing', 'vary', 'set-cookie', 'surrogate-key', 'cdn-cache-control'])
      assert.equal(answer.header(name), undefined, name);
  });

  test('every reader gets the same bytes and the same tag', async () => {
    const answers = [];
    for (const as of ['bob', 'ann', 'admin', 'nobody-at-all']) answers.push(await at.site.get('/v1/profiles/ann', {as}));
    for (const answer of answers) {
      assert.equal(answer.text, answers[0].text);
      assert.equal(answer.etag, answers[0].etag);
    }
  });

  for (const path of ['/v1/profiles/@ann_1', '/v1/profiles/@ANN_1', '/v1/profiles/%40Ann_1', '/v1/profiles/@%61nn%5f1'])
    test(`by handle: ${path}`, async () => {
      const answer = await at.site.get(path, {as: 'bob'});
      assert.equal(answer.status, 200);
      assert.equal(answer.header('content-location'), '/v1/profiles/ann');
      const byId = await at.site.get('/v1/profiles/ann', {as: 'bob'});
      assert.equal(byId.header('content-location'), undefined);
      assert.equal(answer.text, byId.text);
      assert.equal(answer.etag, byId.etag);
    });

  for (const path of ['/v1/me', '/v1/profiles/ann/full'])
    test(`the owner's view holds everything: ${path}`, async () => {
      const answer = await at.site.get(path, {as: 'ann', scope: READ});
      assert.equal(answer.status, 200);
      for (const name of ['email', 'phone_number', 'birthdate', 'address']) assert.deepEqual(answer.json[name], ANN[name], name);
      assert.equal(answer.json.state, 'active');
      assert.equal(answer.header('cache-control'), 'private, no-cache');
      assert.match(answer.header('vary'), /\bAuthorization\b/i);
      const visible = await at.site.get('/v1/profiles/ann', {as: 'ann'});
      assert.notEqual(answer.etag, visible.etag);
    });

  for (const path of ['/v1/profiles/ann', '/v1/profiles/@ann_1', '/v1/me', '/v1/profiles/nobody', '/.well-known/jwks.json'])
    test(`HEAD is GET without the body: ${path}`, async () => {
      const get = await at.site.get(path, {as: 'ann'});
      const head = await at.site.head(path, {as: 'ann'});
      assert.equal(head.status, get.status);
      assert.equal(head.body.length, 0);
      const own = ['date', 'x-request-id', 'cache-status', 'transfer-encoding', 'content-length'];
      const lines = (answer) => answer.names.filter((name) => !own.includes(name)).map((name) => `${name}: ${answer.header(name)}`);
      assert.deepEqual(lines(head), lines(get));
    });

  test('an id of every character that it may have', async () => {
    await at.site.make({id: ODD, handle: 'odd'});
    for (const path of [encodeURIComponent(ODD), ODD.replace('|', '%7C'), ODD.replace('|', '%7c').replace('+', '%2B')]) {
      const answer = await at.site.get(`/v1/profiles/${path}`, {as: 'bob'});
      assert.equal(answer.status, 200, path);
      assert.equal(answer.json.id, ODD);
    }
    const byHandle = await at.site.get('/v1/profiles/@odd', {as: 'bob'});
    assert.equal(decodeURIComponent(byHandle.header('content-location')), `/v1/profiles/${ODD}`);
  });

  // Percent-encoding is decoded once, behind the splitting into segments; what is no id or handle names nothing.
  const missing = [
    ['nobody by that id', '/v1/profiles/nobody'],
    ['nobody by that handle', '/v1/profiles/@nobody'],
    ['ids are compared with case', '/v1/profiles/ANN'],
    ['encoded twice', '/v1/profiles/%2561nn'],
    ['a space is no plus', '/v1/profiles/x.y_z~a:b%7Cc@d%20e-f'],
    ['an encoded slash splits nothing', '/v1/profiles%2Fann'],
    ['an encoded slash in the id', '/v1/profiles/an%2Fn'],
    ['too long an id', `/v1/profiles/${'a'.repeat(129)}`],
    ['a handle of one character', '/v1/profiles/@a'],
    ['a handle of 31', `/v1/profiles/@${'a'.repeat(31)}`],
    ['an umlaut', '/v1/profiles/%C3%A4nn'],
    ['half an umlaut', '/v1/profiles/%C3nn'],
    ['no id', '/v1/profiles/'],
    ['below a view', '/v1/profiles/ann/full/er'],
    ['a view that is not', '/v1/profiles/ann/half'],
    ['below me', '/v1/me/x'],
    ['another version', '/v2/profiles/ann', 'front'],
    ['the root of the interface', '/v1/'],
    ['with a slash behind', '/v1/me/'],
  ];
  for (const [what, path, front] of missing)
    test(`404: ${what}`, async () => {
      const answer = await at.site.get(path, {as: 'ann'});
      if (front) assert.equal(answer.status, 404);
      else assertProblem(answer, 404);
    });

  for (const [what, path] of [['%', '/v1/profiles/ann%'], ['%zz', '/v1/profiles/%zz'], ['an encoded NUL', '/v1/profiles/a%00nn']])
    test(`a bad escape names nothing: ${what}`, async () => {
      const answer = await at.site.get(path, {as: 'ann'});
      assert([400, 404].includes(answer.status), `${answer.status}`);
    });

  for (const path of ['/v1/profiles/ann?field=name', '/v1/me?x', '/v1/profiles/ann/full?pretty=1', '/healthz?x=1', '/v1/profiles/@ann_1?%61=b'])
    test(`an unknown query parameter is a 400: ${path}`, async () => assertProblem(await at.site.get(path, {as: 'ann'}), 400));

  const methods = [
    ['/v1/profiles/ann', 'POST', ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT']],
    ['/v1/profiles/ann/full', 'DELETE', ['GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT']],
    ['/v1/me', 'POST', ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT']],
    ['/v1/me', 'BREW', ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'PUT']],
    ['/healthz', 'PUT', ['GET', 'HEAD', 'OPTIONS']],
    ['/readyz', 'DELETE', ['GET', 'HEAD', 'OPTIONS']],
    ['/.well-known/jwks.json', 'PATCH', ['GET', 'HEAD', 'OPTIONS']],
  ];
  const allowed = (answer) => answer.header('allow').split(/, */).sort();
  for (const [path, method, allow] of methods) {
    test(`405 for ${method} ${path}, with what is allowed`, async () => {
      // By hand: some of these methods are none that an HTTP library would send.
      const text = await raw(at.site.port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n` +
        `Authorization: Bearer ${await at.site.token('ann')}\r\n\r\n`);
      if (method === 'BREW' && / 501 /.test(text)) return; // lighttpd keeps methods that nobody has to itself
      assert.match(text, /^HTTP\/1\.1 405 /);
      assert.deepEqual(/^Allow: (.*?)\r?$/mi.exec(text)[1].split(/, */).filter((m) => m !== 'OPTIONS').sort(), allow.filter((m) => m !== 'OPTIONS'));
    });
    test(`OPTIONS ${path}`, async () => {
      const answer = await at.site.call('OPTIONS', path);
      assert.equal(answer.status, 204);
      assert.deepEqual(allowed(answer).filter((m) => m !== 'OPTIONS'), allow.filter((m) => m !== 'OPTIONS'));
      assert.equal(answer.body.length, 0);
      assert.equal(answer.header('access-control-allow-origin'), undefined);
    });
  }

  for (const path of ['/v1/profiles/ann', '/v1/profiles/nobody', '/v1/profiles/@ann_1', '/v1/me', '/v1/profiles/ann/full'])
    test(`401 without a token, whether it is there or not: ${path}`, async () =>
      assertUnauthorized(await at.site.get(path), {error: null}));

  const scopes = [
    ['a read', 'GET', '/v1/profiles/ann', LIST, 403, READ],
    ['a read with write alone', 'GET', '/v1/profiles/ann', WRITE, 403, READ],
    ['the owner\'s view', 'GET', '/v1/me', LIST, 403, READ],
    ['no scope at all', 'GET', '/v1/profiles/ann', '', 403, READ],
    ['a scope that does not exist', 'GET', '/v1/profiles/ann', 'profile:reads', 403, READ],
    ['a write with read alone', 'PATCH', '/v1/me', READ, 403, WRITE],
    ['another one\'s view', 'GET', '/v1/profiles/bob/full', `${READ} ${WRITE}`, 403, ADMIN],
    ['making profiles', 'POST', '/v1/profiles', `${READ} ${WRITE}`, 403, ADMIN],
    ['admin implies the others', 'GET', '/v1/profiles/ann', ADMIN, 200],
    ['metrics implies nothing', 'GET', '/v1/profiles/ann', 'metrics:read', 403, READ],
  ];
  for (const [what, method, path, scope, status, wanted] of scopes)
    test(`scope: ${what} → ${status}`, async () => {
      const body = method === 'GET' ? {} : {body: {handle: 'zed'}, match: '*'};
      const answer = await at.site.call(method, path, {as: 'ann', scope, ...body});
      assert.equal(answer.status, status, answer.text);
      if (status !== 403) return;
      assertProblem(answer, 403);
      const challenge = answer.header('www-authenticate');
      assert.match(challenge, /^Bearer realm="profiled", error="insufficient_scope"/);
      assert.match(challenge, new RegExp(`scope="[^"]*${wanted}[^"]*"`));
    });

  test('/v1/me of somebody without a profile is a 404', async () => assertProblem(await at.site.get('/v1/me', {as: 'newcomer'}), 404));

  for (const path of ['/healthz', '/readyz', '/.well-known/jwks.json'])
    test(`open to everybody: ${path}`, async () => {
      for (const token of [undefined, 'rubbish']) {
        const answer = await at.site.get(path, {token});
        assert.equal(answer.status, 200);
        assert.equal(answer.header('x-content-type-options'), 'nosniff');
      }
    });


  test('a range of an answer is not made: the API offers none', async () => {
    const answer = await at.site.get('/v1/profiles/ann', {as: 'bob', headers: {Range: 'bytes=0-3'}});
    assert.equal(answer.status, 200);
    assert.equal(answer.json.id, 'ann');
  });

  test('X-Request-Id is ours, another for each request, never the client\'s', async () => {
    const ids = new Set();
    for (let i = 0; i < 5; i++) {
      const answer = await at.site.get('/v1/me', {as: 'ann', headers: {'X-Request-Id': 'mine'}});
      assert.match(answer.header('x-request-id'), /[0-9a-f]{32}/);
      ids.add(answer.header('x-request-id'));
    }
    assert.equal(ids.size, 5);
  });
}, (site) => site.make(ANN));
