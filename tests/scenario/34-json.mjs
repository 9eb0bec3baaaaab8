// JSON as others write it, or fail to: nst/JSONTestSuite through PUT and PATCH. What is no JSON is a 400, what is JSON and no profile
// a 4xx that says so, what may stand in attributes stands there as it was sent; and never is anything half written.
import assert from 'node:assert/strict';
import http from 'node:http';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {MERGE, PATCH, assertProblem, root, scenario} from './lib/site.mjs';

const suite = JSON.parse(readFileSync(join(root, 'tests/vectors/json_test_suite.json'), 'utf8')).files.map(({name, text, base64, repeat, count}) => ({name,
  bytes: base64 !== undefined ? Buffer.from(base64, 'base64') : Buffer.from(text ?? repeat.repeat(count))}));
const must = suite.filter(({name}) => name.startsWith('y_')), mustNot = suite.filter(({name}) => name.startsWith('n_'));
const either = suite.filter(({name}) => !/^[yn]_/.test(name));

// Refused where a general parser takes it: names that are there twice, as the contract says, and names with U+0000 in them.
const refusedToo = /duplicated|escaped_null_in_key/;
/** Of equal numbers: -0 is 0. */
const same = (got, wanted, name) => assert.equal(JSON.stringify(got), JSON.stringify(wanted), name);
/** Put where a value stands in attributes; the rest of the body is beyond reproach. */
const wrapped = (bytes) => Buffer.concat([Buffer.from('{"handle":"json","name":"One","attributes":{"v":'), bytes, Buffer.from('}}')]);

scenario('JSON of every kind', {settings: {limits: {attributes: '64K'}}}, (at) => {
  const agent = new http.Agent({keepAlive: true, maxSockets: 4});
  const call = (method, path, body, more) => at.site.call(method, path, {as: 'json', match: '*', body, agent, ...more});
  const now = async () => (await call('GET', '/v1/me', undefined, {match: undefined})).text;

  test('the suite is there', () => assert(must.length > 90 && mustNot.length > 180 && either.length > 50, `${suite.length}`));

  test('what is no JSON is refused as a body, and changes nothing', async () => {
    const before = await now();
    for (const {name, bytes} of mustNot) {
      for (const [method, path, type] of [['PUT', '/v1/me', undefined], ['PUT', '/v1/profiles/json', undefined], ['PATCH', '/v1/me', MERGE], ['PATCH', '/v1/profiles/json/full', PATCH]]) {
        const answer = await call(method, path, bytes, {type});
        const problem = assertProblem(answer, bytes.length > 65536 ? 413 : 400);
        assert.match(problem.type, /#(malformed-json|too-large)$/, `${name}: ${answer.text}`);
      }
      const posted = await at.site.post('/v1/profiles', bytes, {as: 'admin', agent});
      assert([400, 413].includes(posted.status), `${name}: ${posted.status}`);
    }
    assert.equal(await now(), before);
  });

  test('nor as a part of a body', async () => {
    const before = await now();
    // these are well-formed once something stands around them: two values, a value with a comma behind it
    let refused = 0;
    for (const {name, bytes} of mustNot) {
      let fits = true;
      try {
        JSON.parse(new TextDecoder('utf8', {fatal: true}).decode(wrapped(bytes)));
      } catch {
        fits = false;
      }
      if (fits) continue;
      const answer = await call('PUT', '/v1/me', wrapped(bytes));
      assert([400, 413].includes(answer.status), `${name}: ${answer.status} ${answer.text.slice(0, 200)}`);
      refused++;
    }
    assert(refused > 170, `${refused}`);
    assert.equal(await now(), before);
  });

  test('what is JSON is kept in attributes as it was sent', async () => {
    for (const {name, bytes} of must) {
      const answer = await call('PUT', '/v1/me', wrapped(bytes));
      if (refusedToo.test(name)) {
        assertProblem(answer, 400);
        continue;
      }
      assert.equal(answer.status, 200, `${name}: ${answer.text}`);
      same(JSON.parse(await now()).attributes, {v: JSON.parse(bytes)}, name);
      const patched = await call('PATCH', '/v1/me', Buffer.concat([Buffer.from('[{"op":"test","path":"/attributes/v","value":'), bytes, Buffer.from('},{"op":"replace","path":"/attributes/v","value":['), bytes, Buffer.from(']}]')]), {type: PATCH});
      assert.equal(patched.status, 200, `${name}: ${patched.text}`);
      same(patched.json.attributes, {v: [JSON.parse(bytes)]}, name);
    }
  });

  test('what is JSON and no profile, or no patch, is refused and changes nothing', async () => {
    const before = await now();
    for (const {name, bytes} of must)
      for (const [method, type] of [['PUT', undefined], ['PATCH', PATCH]]) {
        // an empty array is a patch of nothing
        if (method === 'PATCH' && Array.isArray(JSON.parse(bytes)) && JSON.parse(bytes).length === 0) continue;
        const answer = await call(method, '/v1/me', bytes, {type});
        assert([400, 422].includes(answer.status), `${name}: ${method}: ${answer.status} ${answer.text}`);
        if (answer.status === 400) assert.match(answer.json.type, method === 'PUT' ? /#malformed-json$/ : /#malformed-(json|patch)$/, name);
      }
    assert.equal(await now(), before);
  });

  test('what a parser may do either with is kept whole, or refused clearly', async () => {
    let kept = 0, refused = 0;
    for (const {name, bytes} of either) {
      const before = await now();
      for (const [method, body, type] of [['PUT', wrapped(bytes)], ['PATCH', Buffer.concat([Buffer.from('{"attributes":{"v":'), bytes, Buffer.from('}}')]), MERGE],
        ['PUT', bytes], ['PATCH', bytes, PATCH]]) {
        const answer = await call(method, '/v1/me', body, {type});
        if (answer.status === 200) {
          kept++;
          const got = JSON.parse(await now());
          assert.deepEqual(got, answer.json, name);
          assert.equal(typeof JSON.stringify(got.attributes?.v), typeof JSON.stringify(JSON.parse(bytes)), name);
        } else {
          refused++;
          assert([400, 409, 413, 422].includes(answer.status), `${name}: ${method}: ${answer.status} ${answer.text}`);
          assert(answer.json.detail || answer.json.errors, `${name}: ${answer.text}`);
        }
      }
      if (refused && !kept) assert.equal(await now(), before);
      assert.equal((await call('PUT', '/v1/me', {handle: 'json', name: 'One'})).status, 200);
    }
    assert(kept > 20 && refused > 20, `${kept} kept, ${refused} refused`);
  });

  test('close the connections', () => agent.destroy());
}, (site) => site.make({id: 'json', handle: 'json', name: 'One'}));
