// ?fields=: parts of a view, whose order of names is nothing to answer, tag or cache.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {assertProblem, scenario} from './lib/site.mjs';

const NASTY = {id: 'ann', handle: 'ann', name: '","picture":"x', given_name: '\\', family_name: '"', nickname: '\\\\"', bio: '}],{[\n"\\', website: 'https://ann.example/?a=b',
  locale: 'de-DE', email: 'ann@example.org', phone_number: '+4930123456', address: {locality: '"}{'},
  attributes: {id: 'not me', name: [{']': '}"'}], '"': '\\', deep: [[[{}]]], n: -1.5e3, t: true, u: null}};
const PUBLIC = ['id', 'handle', 'name', 'given_name', 'family_name', 'nickname', 'bio', 'website', 'locale', 'attributes', 'version', 'created_at', 'updated_at'];
const how = (answer) => answer.header('cache-status');
const pick = (whole, names) => Object.fromEntries(Object.entries(whole).filter(([name]) => name === 'id' || names.includes(name)));

async function people(site) {
  await site.make(NASTY);
  await site.make({id: 'bob', handle: 'bob', name: 'Bob', email: 'bob@example.org', visibility: {email: 'public', name: 'private'}});
}

scenario('fields', {settings: {server: {workers: 2}, log: {level: 'warn'}}}, (at) => {
  const read = (path, fields, options = {}) => at.site.get(`${path}?fields=${fields}`, {as: 'ann', ...options});

  test('every member by itself, every pair, and what is left of the whole without one', async () => {
    const views = [['/v1/profiles/ann', {}], ['/v1/profiles/@ann', {}], ['/v1/me', {}], ['/v1/profiles/ann/full', {as: 'admin'}]];
    for (const [path, options] of views) {
      const whole = (await at.site.get(path, {as: 'ann', ...options})).json, names = Object.keys(whole);
      const sets = [...names.map((name) => [name]), ...names.map((name, i) => [names[(i + 5) % names.length], name]), ...names.map((name) => names.filter((other) => other !== name))];
      for (const set of sets) {
        const answer = await read(path, set.join(','), options);
        assert.equal(answer.status, 200, answer.text);
        assert.equal(answer.text, JSON.stringify(pick(whole, set)), `${path} ${set}`);
        assert.equal(answer.header('content-type'), 'application/json');
      }
    }
    assert.deepEqual(Object.keys((await at.site.get('/v1/profiles/ann', {as: 'bob'})).json), PUBLIC);
  });

  test('the order of the names, and how often each stands there, is nothing: one tag, one entry of the cache', async () => {
    await at.site.get('/v1/profiles/ann', {as: 'bob'});
    const asked = ['name,bio', 'bio,name', 'bio,bio,name,id', 'id,name,bio,name', 'name%2Cbio', '%6eame,bi%6F'];
    const answers = [];
    for (const fields of asked) answers.push(await read('/v1/profiles/ann', fields));
    for (const answer of answers) {
      assert.equal(answer.text, answers[0].text);
      assert.equal(answer.etag, answers[0].etag);
      assert.equal(how(answer), 'profiled; hit', 'the whole is what is kept');
    }
    assert.equal(how(await read('/v1/profiles/bob', 'name')), 'profiled; fwd=miss; stored');
    assert.equal(how(await at.site.get('/v1/profiles/bob', {as: 'ann'})), 'profiled; hit', 'and what is stored');
  });

  test('what is no member of the view, is empty or given twice: 400 that names it', async () => {
    const detail = async (path, fields, options) => assertProblem(await read(path, fields, options), 400).detail;
    assert.match(await detail('/v1/profiles/ann', 'nam'), /'nam'/);
    assert.match(await detail('/v1/profiles/ann', 'name,Bio'), /'Bio'/);
    assert.match(await detail('/v1/profiles/ann', 'name,visibility'), /'visibility'/);
    assert.match(await detail('/v1/profiles/@ann', 'state'), /'state'/);
    assert.match(await detail('/v1/profiles/ann', 'name,%20bio'), /' bio'/);
    assert.match(await detail('/v1/profiles/ann', '%22%5C%3Cscript%3E'), /<script>/);
    for (const empty of ['', ',', 'name,', ',name', 'name,,bio']) assert.match(await detail('/v1/me', empty), /empty/);
    assertProblem(await at.site.get('/v1/profiles/ann?fields', {as: 'ann'}), 400);
    assertProblem(await at.site.get('/v1/profiles/ann?fields=name&fields=name', {as: 'ann'}), 400);
    assertProblem(await at.site.get('/v1/profiles/ann?Fields=name', {as: 'ann'}), 400);
    assertProblem(await at.site.get('/v1/profiles/ann?fields=name&x=1', {as: 'ann'}), 400);
    assert.equal((await read('/v1/me', 'visibility,state')).status, 200);
    assertProblem(await read('/v1/profiles/nobody', 'name'), 404);
    assertProblem(await read('/v1/profiles/ann/full', 'name', {as: 'bob'}), 403);
    assertProblem(await at.site.get('/v1/profiles/ann?fields=name'), 401);
    assertProblem(await at.site.patch('/v1/me?fields=name', {}, {as: 'ann', match: '*'}), 400, 'a write answers with the whole');
    assertProblem(await at.site.delete('/v1/profiles/ann?fields=name', {as: 'ann', match: '*'}), 400);
    assertProblem(await at.site.get('/healthz?fields=name'), 400);
  });

  test('a part of a view never has what the view has not', async () => {
    assert.deepEqual((await read('/v1/profiles/ann', 'email,phone_number,address,birthdate')).json, {id: 'ann'}, 'private, for the owner too');
    assert.deepEqual((await read('/v1/profiles/bob', 'email,name')).json, {id: 'bob', email: 'bob@example.org'});
    assert.deepEqual((await read('/v1/me', 'email', {as: 'ann'})).json, {id: 'ann', email: 'ann@example.org'});
  });

  test('its tag is its own; 304, 412, HEAD', async () => {
    const whole = await at.site.get('/v1/profiles/ann', {as: 'bob'}), tags = new Set([whole.etag, (await at.site.get('/v1/me', {as: 'ann'})).etag]);
    const sets = [...PUBLIC, 'name,bio', 'name,locale', PUBLIC.join(',')];
    for (const fields of sets) {
      const part = await read('/v1/profiles/ann', fields);
      assert.match(part.etag, /^"[\x21\x23-\x7e]+"$/, 'strong');
      tags.add(part.etag);
      assert.equal(part.all('etag').length, 1);
      for (const name of ['cache-control', 'last-modified']) assert.equal(part.header(name), whole.header(name));
      for (const none of [part.etag, `W/${part.etag}`, part.etag.replace(/"$/, '-gzip"')]) assert.equal((await read('/v1/profiles/ann', fields, {none})).status, 304);
      assert.equal((await read('/v1/profiles/ann', fields, {none: whole.etag})).status, 200);
      assert.equal((await at.site.get('/v1/profiles/ann', {as: 'ann', none: part.etag})).status, 200);
      const head = await at.site.head(`/v1/profiles/ann?fields=${fields}`, {as: 'bob'});
      assert.equal(head.header('content-length'), String(part.body.length));
      assert.equal(head.etag, part.etag);
      assertProblem(await read('/v1/profiles/ann', fields, {match: whole.etag}), 412);
      assert.equal((await read('/v1/profiles/ann', fields, {match: part.etag})).status, 200);
    }
    assert.equal(tags.size, sets.length + 2);
    for (const path of ['/v1/me', '/v1/profiles/ann']) {
      const part = (await read(path, 'name,version')).etag;
      assertProblem(await at.site.patch(path, {name: 'x'}, {as: 'ann', match: part}), 412);
    }
  });

  test('it changes when the view does, and not when only the other view does', async () => {
    const part = (await read('/v1/profiles/ann', 'name')).etag, mine = (await read('/v1/me', 'name')).etag;
    assert.equal((await at.site.patch('/v1/me', {email: 'new@example.org'}, {as: 'ann', match: '*'})).status, 200);
    assert.equal((await read('/v1/profiles/ann', 'name', {none: part})).status, 304);
    assert.equal((await read('/v1/me', 'name', {none: mine})).status, 200);
    assert.equal((await at.site.patch('/v1/me', {name: 'New'}, {as: 'ann', match: '*'})).status, 200);
    const changed = await read('/v1/profiles/ann', 'name', {none: part});
    assert.equal(changed.status, 200);
    assert.deepEqual(changed.json, {id: 'ann', name: 'New'});
    assert.notEqual(changed.etag, part);
  });

  test('where a part lies: Content-Location is its own, in the one order', async () => {
    const where = async (path, fields) => (await read(path, fields)).header('content-location');
    assert.equal(await where('/v1/profiles/@ann', 'bio,name'), '/v1/profiles/ann?fields=id,name,bio');
    assert.equal(await where('/v1/me', 'email'), '/v1/profiles/ann/full?fields=id,email');
    assert.equal(await where('/v1/profiles/ann', 'name'), undefined);
    const there = await at.site.get(await where('/v1/profiles/@ann', 'bio,name'), {as: 'bob'});
    const by = await read('/v1/profiles/@ann', 'bio,name');
    assert.equal(there.text, by.text);
    assert.equal(there.etag, by.etag);
    assert.equal((await at.site.get('/v1/profiles/@ann', {as: 'bob'})).header('content-location'), '/v1/profiles/ann');
  });
}, people);

scenario('fields: what the edge is told', {settings: {http: {shared_cache: 'edge', s_maxage: '60s'}, log: {level: 'warn'}}}, (at) => {
  test('the lines of the whole, so that one purge takes its parts along', async () => {
    for (const path of ['/v1/profiles/ann', '/v1/profiles/@ann']) {
      const whole = await at.site.get(path, {as: 'bob'}), part = await at.site.get(`${path}?fields=name`, {as: 'bob'});
      for (const name of ['surrogate-key', 'cdn-cache-control', 'cache-control', 'last-modified']) {
        assert(whole.header(name));
        assert.equal(part.header(name), whole.header(name), name);
      }
      assert.equal(part.header('x-request-id'), undefined);
    }
    const missing = await at.site.get('/v1/profiles/nobody?fields=name', {as: 'bob'});
    assert.equal(missing.header('surrogate-key'), 'profile/nobody');
  });
}, people);
