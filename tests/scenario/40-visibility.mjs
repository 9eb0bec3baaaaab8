// Private stays private: what the public view shows, and that a private edit cannot be told from outside.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {sleep} from './lib/process.mjs';
import {PATCH, scenario} from './lib/site.mjs';

const FIELDS = {name: 'Vis', given_name: 'V', family_name: 'Is', nickname: 'vi', pronouns: 'they', bio: 'b', picture: 'https://v.example/p.png',
  website: 'https://w.example/', locale: 'de', zoneinfo: 'Europe/Berlin', email: 'v@example.org', phone_number: '+4930123456',
  birthdate: '1990-01-02', address: {locality: 'Berlin'}, attributes: {a: 1}};
const START_PRIVATE = ['email', 'email_verified', 'phone_number', 'birthdate', 'address'];

scenario('visibility', {}, (at) => {
  const open = async () => at.site.get('/v1/profiles/vis', {as: 'bob'});
  const own = async () => at.site.get('/v1/me', {as: 'vis'});
  const edit = async (patch) => {
    const answer = await at.site.patch('/v1/me', patch, {as: 'vis', match: '*'});
    assert.equal(answer.status, 200, answer.text);
    return answer;
  };
  const fresh = async () => {
    const answer = await at.site.put('/v1/me', {handle: 'vis', ...FIELDS}, {as: 'vis', match: '*'});
    assert.equal(answer.status, 200, answer.text);
  };

  test('at first, five fields are private and the others public', async () => {
    await fresh();
    await at.site.patch('/v1/profiles/vis/full', {email_verified: true}, {as: 'admin', match: '*'});
    const seen = (await open()).json, all = (await own()).json;
    for (const field of Object.keys(FIELDS)) {
      assert.deepEqual(all[field], FIELDS[field], field);
      assert.deepEqual(seen[field], START_PRIVATE.includes(field) ? undefined : FIELDS[field], field);
    }
    assert.equal(all.email_verified, true);
    for (const field of ['email_verified', 'visibility', 'state']) assert.equal(seen[field], undefined);
  });

  for (const field of [...Object.keys(FIELDS), 'email_verified'])
    test(`${field} is shown and hidden by its owner`, async () => {
      await fresh();
      await at.site.patch('/v1/profiles/vis/full', {email_verified: true}, {as: 'admin', match: '*'});
      const value = {...FIELDS, email_verified: true}[field];
      for (const visibility of ['public', 'private', 'public']) {
        await edit({visibility: {[field]: visibility}});
        const seen = await open();
        assert.deepEqual(seen.json[field], visibility === 'public' ? value : undefined);
        if (visibility === 'private' && typeof value === 'string' && value.length > 2) assert(!seen.text.includes(value));
        assert.deepEqual((await own()).json[field], value);
      }
    });

  test('a private edit leaves the public view alone: bytes, tag, Last-Modified, version', async () => {
    await fresh();
    await edit({visibility: {bio: 'private'}});
    const before = await open(), ownBefore = await own();
    await sleep(1100); // so that a changed Last-Modified would show
    const patches = [{email: 'w@example.org'}, {phone_number: null}, {birthdate: '1991-01-01'}, {address: {country: 'DE'}}, {bio: 'unseen'},
      {email: 'x@example.org', bio: null}, {visibility: {phone_number: 'public'}}];
    let tag = ownBefore.etag;
    for (const patch of patches) {
      const answer = await edit(patch);
      assert.notEqual(answer.etag, tag, 'the owner sees it');
      tag = answer.etag;
      const after = await open();
      assert.equal(after.text, before.text, JSON.stringify(patch));
      assert.equal(after.etag, before.etag);
      assert.equal(after.header('last-modified'), before.header('last-modified'));
      assert.equal((await at.site.get('/v1/profiles/vis', {as: 'bob', none: before.etag})).status, 304);
    }
    assert((await own()).json.version > ownBefore.json.version);
  });

  test('a public edit changes both tags', async () => {
    await fresh();
    const before = [await open(), await own()];
    await edit({name: 'Vis the Second'});
    const after = [await open(), await own()];
    for (const i of [0, 1]) {
      assert.notEqual(after[i].etag, before[i].etag);
      assert(after[i].json.version > before[i].json.version);
    }
  });

  test('hiding and showing again are changes of the public view; its old tag never comes back', async () => {
    await fresh();
    const tags = new Set([(await open()).etag]);
    for (const visibility of ['private', 'public', 'private', 'public']) {
      await edit({visibility: {name: visibility}});
      const {etag} = await open();
      assert(!tags.has(etag), 'a tag came back');
      tags.add(etag);
    }
  });

  test('writing what is there already changes no tag', async () => {
    await fresh();
    const before = [(await open()).etag, (await own()).etag];
    await edit({name: FIELDS.name, email: FIELDS.email, visibility: {email: 'private'}});
    await at.site.patch('/v1/me', [{op: 'replace', path: '/bio', value: FIELDS.bio}], {as: 'vis', match: '*', type: PATCH});
    assert.deepEqual([(await open()).etag, (await own()).etag], before);
  });

  test('by handle too', async () => {
    await fresh();
    const byHandle = await at.site.get('/v1/profiles/@vis', {as: 'bob'});
    for (const field of START_PRIVATE) assert.equal(byHandle.json[field], undefined);
  });

  test('private values are in no log', async () => {
    await fresh();
    await at.site.patch('/v1/me', {email: 'secret-canary@example.org', phone_number: 'canary-phone'}, {as: 'vis', match: '*'});
    await edit({email: 'secret-canary@example.org'});
    assert.doesNotMatch(at.site.readLog(), /canary/);
    assert.doesNotMatch(at.site.readLog(), /eyJ|v4\.public/);
  });
}, (site) => site.make({id: 'vis', handle: 'vis'}));
