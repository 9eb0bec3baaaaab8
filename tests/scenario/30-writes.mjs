// Writing: PUT at its three addresses, POST, DELETE, the preconditions that writes need, what they answer.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {JSON_TYPE, MERGE, PATCH, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';
import {now} from './lib/token.mjs';

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
let serial = 0;
/** A new person of its own for a test: id, handle, and the calls made as that person. */
async function person(site, profile = {}) {
  const id = `p${++serial}`;
  await site.make({id, handle: `person_${serial}`, ...profile});
  const url = `/v1/profiles/${id}`;
  return {id, handle: `person_${serial}`, url, as: {as: id}, tag: async (path = url) => (await site.get(path, {as: id})).etag};
}

scenario('writes: PUT', {}, (at) => {
  const addresses = [
    ['the public address', (id) => `/v1/profiles/${id}`],
    ['the owner\'s view', (id) => `/v1/profiles/${id}/full`],
    ['me', () => '/v1/me'],
  ];
  for (const [what, address] of addresses) {
    test(`a person makes their own profile at ${what}`, async () => {
      for (const none of [undefined, '*']) {
        const id = `new${++serial}`;
        const made = await at.site.put(address(id), {handle: `New_${serial}`, name: 'N', email: 'n@example.org'}, {as: id, none});
        assert.equal(made.status, 201, made.text);
        assert.equal(made.etag, undefined, 'PUT stores something other than what it was sent (RFC 9110 section 9.3.4)');
        const got = await at.site.get(address(id), {as: id});
        assert.equal(got.status, 200);
        assert.equal(made.text, got.text);
        assert.equal(got.json.handle, `new_${serial}`);
        assert.equal((await at.site.get('/v1/me', {as: id})).json.email, 'n@example.org');
        assert.equal(got.json.email, address(id) === `/v1/profiles/${id}` ? undefined : 'n@example.org');
        assertProblem(await at.site.put(address(id), {handle: `new_${serial}`}, {as: id, none: '*'}), 412);
      }
    });

    test(`replacing at ${what} answers what GET gives, without a tag`, async () => {
      const p = await person(at.site, {name: 'Old', nickname: 'O'});
      const path = address(p.id);
      const answer = await at.site.put(path, {handle: p.handle, name: 'New'}, {...p.as, match: await p.tag(path)});
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.etag, undefined);
      assert.equal(answer.text, (await at.site.get(path, p.as)).text);
      assert.equal(answer.json.name, 'New');
      assert.equal(answer.json.nickname, undefined);
    });

    test(`what ${what} gives can be put back as it is, and changes nothing`, async () => {
      const p = await person(at.site, {name: 'Same', email: 'same@example.org', attributes: {b: 1, a: null}});
      const path = address(p.id);
      const before = await at.site.get(path, p.as);
      const answer = await at.site.put(path, before.text, {...p.as, match: before.etag});
      assert.equal(answer.status, 200, answer.text);
      const after = await at.site.get(path, p.as);
      assert.equal(after.text, before.text);
      assert.equal(after.etag, before.etag);
      assert.equal((await at.site.get('/v1/me', p.as)).json.email, 'same@example.org');
    });

    test(`preconditions at ${what}`, async () => {
      const p = await person(at.site);
      const path = address(p.id);
      const body = {handle: p.handle};
      assertProblem(await at.site.put(path, body, p.as), 428);
      assertProblem(await at.site.put(path, body, {...p.as, match: '"old"'}), 412);
      assertProblem(await at.site.put(path, body, {...p.as, match: `W/${await p.tag(path)}`}), 412);
    });
  }

  test('at the public address, private fields that it does not name stay; at the others they go', async () => {
    const fields = {nickname: 'Nick', email: 'e@example.org', phone_number: '+4930123456', bio: 'B', visibility: {bio: 'private'}};
    for (const [path, stays] of [[(id) => `/v1/profiles/${id}`, true], [(id) => `/v1/profiles/${id}/full`, false], [() => '/v1/me', false]]) {
      const p = await person(at.site, fields);
      const answer = await at.site.put(path(p.id), {handle: p.handle, name: 'N'}, {...p.as, match: '*'});
      assert.equal(answer.status, 200, answer.text);
      const whole = (await at.site.get('/v1/me', p.as)).json;
      assert.equal(whole.name, 'N');
      assert.equal(whole.nickname, undefined);
      assert.equal(whole.email, stays ? 'e@example.org' : undefined);
      assert.equal(whole.phone_number, stays ? '+4930123456' : undefined);
      assert.equal(whole.bio, stays ? 'B' : undefined);
    }
  });

  test('a body\'s own id must be the address\'s', async () => {
    const p = await person(at.site);
    assert.equal((await at.site.put(p.url, {id: p.id, handle: p.handle}, {...p.as, match: '*'})).status, 200);
    const answer = await at.site.put(p.url, {id: 'other', handle: p.handle}, {...p.as, match: '*'});
    assert.deepEqual(assertProblem(answer, 422).errors.map((e) => e.pointer), ['/id']);
  });

  test('the address of a handle is read, not written', async () => {
    const p = await person(at.site);
    assertProblem(await at.site.put(`/v1/profiles/@${p.handle}`, {handle: p.handle}, {...p.as, match: '*'}), 405);
  });
});

scenario('writes: preconditions', {}, (at) => {
  for (const method of ['PUT', 'PATCH', 'DELETE'])
    for (const path of [(p) => p.url, (p) => `${p.url}/full`, () => '/v1/me']) {
      if (method === 'DELETE' && path({url: 'x'}).endsWith('full')) continue;
      test(`${method} ${path({url: '/v1/profiles/{id}'})}: 428 without, 412 with an old one, then it works`, async () => {
        const p = await person(at.site, {email: 'a@example.org'});
        const body = method === 'DELETE' ? {} : {body: {handle: p.handle, nickname: 'changed'}};
        const call = (options) => at.site.call(method, path(p), {...p.as, ...body, ...options});
        const old = {own: await p.tag('/v1/me'), open: await p.tag()};
        assert.equal((await at.site.patch('/v1/me', {name: 'moved on'}, {...p.as, match: old.own})).status, 200);
        assertProblem(await call({}), 428);
        for (const match of [old.own, old.open, '"x"', `W/${await p.tag()}`, (await p.tag()).slice(1, -1)]) assertProblem(await call({match}), 412);
        const exists = await call({none: '*'});
        assert((method === 'PUT' ? [412] : [412, 428]).includes(exists.status), exists.text);
        assert.equal((await at.site.get('/v1/me', p.as)).json.nickname, undefined, 'nothing was changed');
        assert([200, 204].includes((await call({match: `"x", ${await p.tag()}`})).status));
      });
    }

  test('If-Match takes the current tag of either view, and "-gzip" behind it', async () => {
    const p = await person(at.site, {email: 'a@example.org'});
    for (const [path, tagged] of [[p.url, '/v1/me'], [p.url, p.url], ['/v1/me', p.url], ['/v1/me', '/v1/me'], [`${p.url}/full`, p.url]]) {
      for (const suffix of ['', '-gzip', '-br']) {
        const match = (await p.tag(tagged)).replace(/"$/, `${suffix}"`);
        const answer = await at.site.patch(path, {nickname: `n${++serial}`}, {...p.as, match});
        assert.equal(answer.status, 200, `${path} by the tag of ${tagged}${suffix}: ${answer.text}`);
        assert.equal(answer.etag, await p.tag(path));
      }
    }
  });

  test('a private edit leaves the public tag good for reading, and for If-Match', async () => {
    const p = await person(at.site, {email: 'a@example.org'});
    const open = await p.tag(), own = await p.tag('/v1/me');
    assert.equal((await at.site.patch('/v1/me', {email: 'b@example.org'}, {...p.as, match: own})).status, 200);
    assert.equal(await p.tag(), open);
    assertProblem(await at.site.patch('/v1/me', {email: 'c@example.org'}, {...p.as, match: own}), 412);
  });

  test('a hundred at once with one tag: one wins', async () => {
    const p = await person(at.site);
    const match = await p.tag();
    const answers = await Promise.all(Array.from({length: 100}, (_, i) => at.site.patch(p.url, {nickname: `n${i}`}, {...p.as, match})));
    assert.equal(answers.filter((a) => a.status === 200).length, 1);
    assert.equal(answers.filter((a) => a.status === 412).length, 99);
    const winner = answers.find((a) => a.status === 200);
    assert.equal((await at.site.get(p.url, p.as)).text, winner.text);
  });

  test('what is not there: PATCH and DELETE find nothing, PUT with If-Match makes nothing', async () => {
    for (const as of ['ghost', 'admin']) {
      assertProblem(await at.site.patch('/v1/profiles/ghost', {name: 'x'}, {as}), 404);
      assertProblem(await at.site.delete('/v1/profiles/ghost', {as}), 404);
      assertProblem(await at.site.put('/v1/profiles/ghost', {handle: 'ghost'}, {as, match: '*'}), 412);
      assertProblem(await at.site.put('/v1/profiles/ghost', {handle: 'ghost'}, {as, match: '"x"'}), 412);
      assertProblem(await at.site.get('/v1/profiles/ghost', {as}), 404);
    }
  });

  test('Prefer: return=minimal gets 204', async () => {
    const p = await person(at.site);
    const put = await at.site.put(p.url, {handle: p.handle, name: 'Min'}, {...p.as, match: '*', headers: {Prefer: 'return=minimal'}});
    assert.equal(put.status, 204);
    assert.equal(put.body.length, 0);
    assert.equal(put.etag, undefined);
    assert.match(put.header('preference-applied') ?? 'return=minimal', /^return=minimal$/);
    const patch = await at.site.patch(p.url, {name: 'Max'}, {...p.as, match: '*', headers: {Prefer: 'respond-async, return=minimal; x=y'}});
    assert.equal(patch.status, 204);
    assert.equal(patch.etag, await p.tag());
    assert.equal((await at.site.get(p.url, p.as)).json.name, 'Max');
    for (const Prefer of ['return=representation', 'return=tiny', 'minimal'])
      assert.equal((await at.site.patch(p.url, {name: Prefer}, {...p.as, match: '*', headers: {Prefer}})).status, 200);
  });

  test('a write\'s answer is nobody\'s to keep', async () => {
    const p = await person(at.site);
    const answer = await at.site.patch(p.url, {name: 'K'}, {...p.as, match: '*'});
    assert.equal(answer.header('cache-control'), 'private, no-cache');
    assert.equal(answer.header('x-content-type-options'), 'nosniff');
    assert.match(answer.header('x-request-id'), /[0-9a-f]{32}/);
  });

  test('version counts up and updated_at moves on with each visible change', async () => {
    const p = await person(at.site);
    let before = (await at.site.get(p.url, p.as)).json;
    for (let i = 0; i < 3; i++) {
      const after = (await at.site.patch(p.url, {name: `V${i}`}, {...p.as, match: '*'})).json;
      assert(after.version > before.version);
      assert(after.updated_at >= before.updated_at);
      assert.equal(after.created_at, before.created_at);
      before = after;
    }
  });

  test('another one\'s profile is not to be written to', async () => {
    const p = await person(at.site), q = await person(at.site);
    for (const path of [p.url, `${p.url}/full`]) {
      assertProblem(await at.site.patch(path, {name: 'Mine'}, {...q.as, match: '*'}), 403);
      assertProblem(await at.site.put(path, {handle: 'mine'}, {...q.as, match: '*'}), 403);
    }
    assertProblem(await at.site.delete(p.url, {...q.as, match: '*'}), 403);
    assertProblem(await at.site.patch('/v1/profiles/never_was', {name: 'x'}, {...q.as, match: '*'}), 403);
    assert.equal((await at.site.get(p.url, p.as)).json.name, undefined);
    assert.equal((await at.site.patch(p.url, {name: 'By admin'}, {as: 'admin', match: '*'})).status, 200);
  });
});

scenario('writes: POST', {}, (at) => {
  test('an administrator makes a profile with an id of their choice', async () => {
    const answer = await at.site.post('/v1/profiles', {id: 'chosen', handle: 'Chosen', email: 'c@example.org'}, {as: 'admin'});
    assert.equal(answer.status, 201);
    assert.equal(answer.header('location'), '/v1/profiles/chosen');
    assert.equal(answer.json.id, 'chosen');
    assert.equal(answer.json.handle, 'chosen');
    assert.equal((await at.site.get(answer.header('location'), {as: 'bob'})).status, 200);
  });

  test('or with a UUIDv7, each greater than the one before', async () => {
    const ids = [];
    for (let i = 0; i < 5; i++) {
      const answer = await at.site.post('/v1/profiles', {handle: `uuid_${i}`}, {as: 'admin'});
      assert.equal(answer.status, 201);
      assert.match(answer.json.id, UUID7);
      assert.equal(answer.header('location'), `/v1/profiles/${answer.json.id}`);
      assert(Math.abs(parseInt(answer.json.id.replaceAll('-', '').slice(0, 12), 16) - Date.now()) < 60000);
      ids.push(answer.json.id);
    }
    assert.equal(new Set(ids).size, 5);
    assert.deepEqual(ids.map((id) => id.slice(0, 13)), ids.map((id) => id.slice(0, 13)).sort());
  });

  test('an id that has to be encoded is encoded in Location', async () => {
    const answer = await at.site.post('/v1/profiles', {id: 'a|b+c', handle: 'encoded'}, {as: 'admin'});
    assert.equal(answer.status, 201);
    assert.equal((await at.site.get(answer.header('location'), {as: 'bob'})).json.id, 'a|b+c');
    assert.doesNotMatch(answer.header('location'), /\|/);
  });

  test('409: the id or the handle is taken, in whatever case', async () => {
    await at.site.make({id: 'holder', handle: 'holder'});
    assertProblem(await at.site.post('/v1/profiles', {id: 'holder', handle: 'free_1'}, {as: 'admin'}), 409);
    assertProblem(await at.site.post('/v1/profiles', {id: 'free', handle: 'HOLDER'}, {as: 'admin'}), 409);
    assertProblem(await at.site.put('/v1/profiles/free', {handle: 'hOlder'}, {as: 'free'}), 409);
    assertProblem(await at.site.get('/v1/profiles/free', {as: 'free'}), 404);
    await at.site.make({id: 'mover', handle: 'mover'});
    for (const match of ['*']) assertProblem(await at.site.patch('/v1/me', {handle: 'Holder'}, {as: 'mover', match}), 409);
    assert.equal((await at.site.get('/v1/me', {as: 'mover'})).json.handle, 'mover');
  });

  test('a handle that was given up is free, its old address gone', async () => {
    await at.site.make({id: 'giver', handle: 'giver'});
    assert.equal((await at.site.patch('/v1/me', {handle: 'given'}, {as: 'giver', match: '*'})).status, 200);
    assertProblem(await at.site.get('/v1/profiles/@giver', {as: 'bob'}), 404);
    assert.equal((await at.site.get('/v1/profiles/@given', {as: 'bob'})).json.id, 'giver');
    assert.equal((await at.site.post('/v1/profiles', {id: 'taker', handle: 'giver'}, {as: 'admin'})).status, 201);
  });

  test('not without the scope', async () => {
    assertProblem(await at.site.post('/v1/profiles', {handle: 'nope'}, {as: 'bob'}), 403);
    assertUnauthorized(await at.site.post('/v1/profiles', {handle: 'nope'}), {error: null});
  });
});

scenario('writes: media types and sizes', {}, (at) => {
  const types = [
    ['PUT', 'text/plain', 415], ['PUT', MERGE, 415], ['PUT', 'application/jsonx', 415], ['PUT', 'application', 415], ['PUT', '', 415],
    ['PUT', 'application/json; charset=iso-8859-1', 415], ['PUT', 'multipart/form-data; boundary=x', 415], ['PUT', null, 415],
    ['PUT', JSON_TYPE, 200], ['PUT', 'Application/JSON', 200], ['PUT', 'application/json; charset=utf-8', 200],
    ['PUT', 'application/json;charset="UTF-8"', 200],
    ['PATCH', JSON_TYPE, 415], ['PATCH', 'text/plain', 415], ['PATCH', null, 415], ['PATCH', 'application/merge-patch', 415],
    ['PATCH', MERGE, 200], ['PATCH', `${MERGE}; charset=utf-8`, 200],
    ['POST', MERGE, 415], ['POST', 'application/x-www-form-urlencoded', 415], ['POST', null, 415],
  ];
  for (const [method, type, status] of types)
    test(`${method} of ${type === null ? 'nothing said' : `'${type}'`} → ${status}`, async () => {
      const path = method === 'POST' ? '/v1/profiles' : '/v1/profiles/typed';
      const as = method === 'POST' ? 'admin' : 'typed';
      const answer = await at.site.call(method, path, {as, type, body: {handle: 'typed'}, match: method === 'POST' ? undefined : '*'});
      assert.equal(answer.status, status, answer.text);
      if (status !== 415) return;
      assertProblem(answer, 415);
      const offered = (answer.header(method === 'PATCH' ? 'accept-patch' : 'accept') ?? '').split(/, */).sort();
      assert.deepEqual(offered, method === 'PATCH' ? [PATCH, MERGE].sort() : [JSON_TYPE]);
    });

  test('OPTIONS says what PATCH takes (RFC 5789 section 3.1)', async () => {
    const answer = await at.site.call('OPTIONS', '/v1/me');
    if (answer.header('accept-patch') !== undefined) assert.deepEqual(answer.header('accept-patch').split(/, */).sort(), [PATCH, MERGE].sort());
    assert.equal(answer.status, 204);
  });

  test('413: a body over the limit, however it comes', async () => {
    const body = JSON.stringify({handle: 'typed', bio: 'x'.repeat(70000)});
    assertProblem(await at.site.put('/v1/profiles/typed', body, {as: 'typed', match: '*'}), 413);
    assertProblem(await at.site.patch('/v1/me', body, {as: 'typed', match: '*'}), 413);
    assertProblem(await at.site.post('/v1/profiles', body, {as: 'admin'}), 413);
    const spaces = `{"handle":"typed"}${' '.repeat(70000)}`;
    assertProblem(await at.site.put('/v1/profiles/typed', spaces, {as: 'typed', match: '*'}), 413);
    const chunked = await at.site.call('PUT', '/v1/me', {as: 'typed', match: '*', headers: {'Transfer-Encoding': 'chunked', 'Content-Type': JSON_TYPE}});
    assert.equal(chunked.status, 400, 'no body at all');
  });

  test('a body just under the limit passes it', async () => {
    const padded = `{"handle":"typed"}`.padEnd(65536, ' ');
    assert.equal((await at.site.put('/v1/profiles/typed', padded, {as: 'typed', match: '*'})).status, 200);
  });
}, (site) => site.make({id: 'typed', handle: 'typed'}));

scenario('writes: deleting', {}, (at) => {
  test('DELETE at either address; then it is not there', async () => {
    for (const path of [(p) => p.url, () => '/v1/me']) {
      const p = await person(at.site);
      const answer = await at.site.delete(path(p), {...p.as, match: await p.tag()});
      assert.equal(answer.status, 204);
      assert.equal(answer.body.length, 0);
      assert.equal(answer.etag, undefined);
      for (const gone of [p.url, `/v1/profiles/@${p.handle}`]) assertProblem(await at.site.get(gone, {as: 'bob'}), 404);
      assertProblem(await at.site.get(`${p.url}/full`, {as: 'admin'}), 404);
    }
  });

  test('it kills the subject\'s tokens, and only an administrator makes the id anew, with tags that never were', async () => {
    const p = await person(at.site, {name: 'First'});
    const old = await at.site.mint(p.id);
    const undated = await at.site.mint(p.id, undefined, {iat: undefined});
    const tags = [await p.tag(), await p.tag('/v1/me')];
    assert.equal((await at.site.delete(p.url, {as: 'admin', match: '*'})).status, 204);
    assertUnauthorized(await at.site.get('/v1/profiles/p1', {token: old}));
    assertUnauthorized(await at.site.get('/v1/me', {token: undated}));
    // Dead is what was issued up to this very second; leeway lets a token from the next one in.
    const fresh = await at.site.mint(p.id, undefined, {iat: now() + 2});
    assertProblem(await at.site.get('/v1/me', {token: fresh}), 404);
    for (const path of [p.url, `${p.url}/full`, '/v1/me'])
      assertProblem(await at.site.put(path, {handle: p.handle}, {token: fresh}), 403);
    const again = await at.site.put(p.url, {handle: p.handle, name: 'First'}, {as: 'admin', none: '*'});
    assert.equal(again.status, 201, again.text);
    assert.equal((await at.site.get('/v1/me', {token: fresh})).status, 200);
    const seen = [(await at.site.get(p.url, {token: fresh})).etag, (await at.site.get('/v1/me', {token: fresh})).etag];
    for (const tag of seen) assert(!tags.includes(tag), `${tag} came back`);
    assertProblem(await at.site.patch(p.url, {name: 'x'}, {token: fresh, match: tags[0]}), 412);
    assertUnauthorized(await at.site.get('/v1/me', {token: old}), {});
  });

  test('an administrator may POST a deleted id anew', async () => {
    const p = await person(at.site);
    await at.site.delete(p.url, {as: 'admin', match: '*'});
    const answer = await at.site.post('/v1/profiles', {id: p.id, handle: p.handle}, {as: 'admin'});
    assert.equal(answer.status, 201, answer.text);
  });

  test('an administrator\'s state: suspended is a 404 to everybody, tokens are dead, and back', async () => {
    const p = await person(at.site, {name: 'S'});
    const token = await at.site.mint(p.id);
    const before = await p.tag();
    const suspended = await at.site.patch(p.url, {state: 'suspended'}, {as: 'admin', match: '*'});
    assert([200, 204, 404].includes(suspended.status), suspended.text);
    for (const path of [p.url, `/v1/profiles/@${p.handle}`]) {
      assertProblem(await at.site.get(path, {as: 'bob'}), 404);
      assertProblem(await at.site.get(path, {as: 'admin'}), 404);
    }
    assertUnauthorized(await at.site.get('/v1/me', {token}));
    const full = await at.site.get(`${p.url}/full`, {as: 'admin'});
    assert.equal(full.json.state, 'suspended');
    const back = await at.site.patch(`${p.url}/full`, {state: 'active'}, {as: 'admin', match: full.etag});
    assert.equal(back.status, 200, back.text);
    const after = await at.site.get(p.url, {as: 'bob'});
    assert.equal(after.status, 200);
    assert.notEqual(after.etag, before);
    assertUnauthorized(await at.site.get('/v1/me', {token}));
  });

  test('state and email_verified are an administrator\'s', async () => {
    const p = await person(at.site, {email: 'a@example.org'});
    for (const [patch, pointer] of [[{state: 'suspended'}, '/state'], [{email_verified: true}, '/email_verified']]) {
      const problem = assertProblem(await at.site.patch('/v1/me', patch, {...p.as, match: '*'}), 422);
      assert.deepEqual(problem.errors.map((e) => e.pointer), [pointer]);
    }
    const whole = await at.site.get('/v1/me', p.as);
    assert.equal((await at.site.patch('/v1/me', {state: 'active'}, {...p.as, match: '*'})).status, 200, 'as it is already');
    assert.equal(await p.tag('/v1/me'), whole.etag);
    assert.equal((await at.site.patch(`${p.url}/full`, {email_verified: true}, {as: 'admin', match: '*'})).json.email_verified, true);
    assert.equal((await at.site.patch('/v1/me', {nickname: 'N'}, {...p.as, match: '*'})).json.email_verified, true, 'other edits leave it');
    const moved = await at.site.patch('/v1/me', {email: 'b@example.org'}, {...p.as, match: '*'});
    assert.notEqual(moved.json.email_verified, true, 'a new address is not verified');
    assertProblem(await at.site.patch('/v1/me', {state: 'deleted'}, {as: p.id, match: '*'}), 422);
    assertProblem(await at.site.patch(`${p.url}/full`, {state: 'gone'}, {as: 'admin', match: '*'}), 422);
  });
});
