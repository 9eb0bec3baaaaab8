// PATCH: RFC 7396's and RFC 6902's own cases and the public JSON Patch test suite, against `attributes`; and patches of a profile.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {test} from 'node:test';
import {MERGE, PATCH, assertProblem, scenario} from './lib/site.mjs';

const require = createRequire(import.meta.url);
const suite = (name) => JSON.parse(readFileSync(require.resolve(`json-patch-test-suite/${name}`), 'utf8'));
const object = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** attributes become doc; then the patch, whose paths are put below /attributes/doc. Gives the answer. */
async function apply(site, doc, patch, type) {
  const set = await site.put('/v1/me', {handle: 'pat', attributes: {doc}}, {as: 'pat', match: '*'});
  assert.equal(set.status, 200, set.text);
  return site.patch('/v1/me', patch, {as: 'pat', match: '*', type});
}

scenario('merge patch (RFC 7396)', {}, (at) => {
  // Appendix A, less the rows whose target or patch is no object: there the whole profile would be replaced.
  const table = [
    [{a: 'b'}, {a: 'c'}, {a: 'c'}],
    [{a: 'b'}, {b: 'c'}, {a: 'b', b: 'c'}],
    [{a: 'b'}, {a: null}, {}],
    [{a: 'b', b: 'c'}, {a: null}, {b: 'c'}],
    [{a: ['b']}, {a: 'c'}, {a: 'c'}],
    [{a: 'c'}, {a: ['b']}, {a: ['b']}],
    [{a: {b: 'c'}}, {a: {b: 'd', c: null}}, {a: {b: 'd'}}],
    [{a: [{b: 'c'}]}, {a: [1]}, {a: [1]}],
    [['a', 'b'], ['c', 'd'], ['c', 'd']],
    [{a: 'b'}, ['c'], ['c']],
    [{a: 'foo'}, null, undefined],
    [{a: 'foo'}, 'bar', 'bar'],
    [{e: null}, {a: 1}, {e: null, a: 1}],
    [[1, 2], {a: 'b', c: null}, {a: 'b'}],
    [{}, {a: {bb: {ccc: null}}}, {a: {bb: {}}}],
  ];
  for (const [target, patch, result] of table)
    test(`${JSON.stringify(target)} + ${JSON.stringify(patch)}`, async () => {
      const answer = await apply(at.site, target, {attributes: {doc: patch}}, MERGE);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json.attributes.doc, result);
    });

  for (const patch of ['[]', 'null', '"x"', '1'])
    test(`a patch that is no object makes no profile: ${patch}`, async () => {
      const answer = await at.site.patch('/v1/me', patch, {as: 'pat', match: '*'});
      assert([400, 422].includes(answer.status), answer.text);
      assert.equal((await at.site.get('/v1/me', {as: 'pat'})).status, 200);
    });

  test('an empty patch changes nothing, tags included', async () => {
    const before = await at.site.get('/v1/me', {as: 'pat'});
    const answer = await at.site.patch('/v1/me', {}, {as: 'pat', match: before.etag});
    assert.equal(answer.status, 200);
    assert.equal(answer.etag, before.etag);
    assert.equal(answer.text, before.text);
  });

  test('null removes a member of the profile, and of address and visibility', async () => {
    await at.site.put('/v1/me', {handle: 'pat', name: 'P', address: {locality: 'B', country: 'DE'}, visibility: {name: 'private', address: 'public'}}, {as: 'pat', match: '*'});
    const answer = await at.site.patch('/v1/me', {name: null, address: {country: null}, visibility: {address: null}}, {as: 'pat', match: '*'});
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.name, undefined);
    assert.deepEqual(answer.json.address, {locality: 'B'});
    assert.notEqual(answer.json.visibility?.address, 'public');
  });

  test('a duplicate name in a patch is a 400, like in any body', async () =>
    assertProblem(await at.site.patch('/v1/me', '{"name":"a","name":"b"}', {as: 'pat', match: '*'}), 400));
}, (site) => site.make({id: 'pat', handle: 'pat'}));

scenario('JSON Patch (RFC 6902)', {}, (at) => {
  const below = (pointer) => (typeof pointer === 'string' && (pointer === '' || pointer.startsWith('/')) ? `/attributes/doc${pointer}` : pointer);
  const moved = (patch) => (Array.isArray(patch) ? patch.map((op) => (object(op) ? {
    ...op,
    ...('path' in op ? {path: below(op.path)} : {}),
    ...('from' in op ? {from: below(op.from)} : {}),
  } : op)) : patch);

  for (const name of ['spec_tests.json', 'tests.json'])
    for (const [i, row] of suite(name).entries()) {
      if (row.disabled || !('doc' in row)) continue;
      // Names given twice in one operation are gone once the suite has been parsed: such a row says nothing here.
      if (/duplicate/i.test(`${row.comment} ${row.error}`)) continue;
      test(`${name} ${i}: ${row.comment ?? row.error ?? JSON.stringify(row.patch)}`, async () => {
        const answer = await apply(at.site, row.doc, moved(row.patch), PATCH);
        if (row.error !== undefined) {
          assert([400, 409, 422].includes(answer.status), `${row.error}: ${answer.text}`);
          assertProblem(answer, answer.status);
          assert.deepEqual((await at.site.get('/v1/me', {as: 'pat'})).json.attributes.doc, row.doc);
        } else {
          assert.equal(answer.status, 200, answer.text);
          if ('expected' in row) assert.deepEqual(answer.json.attributes.doc, row.expected);
        }
      });
    }

  const own = [
    ['an operation given twice', '[{"op":"test","op":"remove","path":"/name"}]', [400]],
    ['no array', '{"op":"remove","path":"/name"}', [400, 422]],
    ['an operation that is none', '[1]', [400, 422]],
    ['without op', '[{"path":"/name"}]', [400, 422]],
    ['op in capitals', '[{"op":"REMOVE","path":"/name"}]', [400, 422]],
    ['without path', '[{"op":"remove"}]', [400, 422]],
    ['a path that begins with no slash', '[{"op":"remove","path":"name"}]', [400, 422]],
    ['a bad escape', '[{"op":"remove","path":"/na~2me"}]', [400, 409, 422]],
    ['a test that fails', '[{"op":"test","path":"/name","value":"Q"}]', [409, 422]],
    ['removing what is not there', '[{"op":"remove","path":"/nickname"}]', [409, 422]],
    ['the whole profile removed', '[{"op":"remove","path":""}]', [400, 409, 422]],
    ['the whole profile replaced by a number', '[{"op":"replace","path":"","value":1}]', [400, 422]],
    ['the handle removed', '[{"op":"remove","path":"/handle"}]', [422]],
    ['the id changed', '[{"op":"replace","path":"/id","value":"other"}]', [422]],
    ['the version changed', '[{"op":"replace","path":"/version","value":1}]', [422]],
    ['the first works, the second does not', '[{"op":"replace","path":"/name","value":"Q"},{"op":"remove","path":"/nickname"}]', [409, 422]],
    ['a move into itself', '[{"op":"move","from":"/attributes","path":"/attributes/a"}]', [400, 409, 422]],
    ['an index with a leading zero', '[{"op":"add","path":"/attributes/a","value":[1]},{"op":"replace","path":"/attributes/a/00","value":2}]', [400, 409, 422]],
    ['an enormous index', '[{"op":"add","path":"/attributes/a","value":[1]},{"op":"add","path":"/attributes/a/18446744073709551616","value":2}]', [400, 409, 422]],
    ['copies that would double for ever', JSON.stringify([{op: 'add', path: '/attributes', value: {a: ['x'.repeat(100)]}},
      ...Array.from({length: 60}, () => ({op: 'copy', from: '/attributes', path: '/attributes/a/-'}))]), [400, 409, 413, 422]],
  ];
  for (const [what, patch, statuses] of own)
    test(`refused: ${what}`, async () => {
      await at.site.put('/v1/me', {handle: 'pat', name: 'P', attributes: {}}, {as: 'pat', match: '*'});
      const before = await at.site.get('/v1/me', {as: 'pat'});
      const answer = await at.site.patch('/v1/me', patch, {as: 'pat', match: '*', type: PATCH});
      assert(statuses.includes(answer.status), `${answer.status} ${answer.text}`);
      assertProblem(answer, answer.status);
      const after = await at.site.get('/v1/me', {as: 'pat'});
      assert.equal(after.text, before.text);
      assert.equal(after.etag, before.etag);
    });

  test('a patch at either address applies to the owner\'s view', async () => {
    await at.site.put('/v1/me', {handle: 'pat', email: 'p@example.org'}, {as: 'pat', match: '*'});
    const patch = [{op: 'test', path: '/email', value: 'p@example.org'}, {op: 'add', path: '/nickname', value: 'PP'}];
    const answer = await at.site.patch('/v1/profiles/pat', patch, {as: 'pat', match: '*', type: PATCH});
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.email, undefined, 'the answer is what GET of that address gives');
    assert.equal(answer.json.nickname, 'PP');
    const visible = await at.site.get('/v1/profiles/pat', {as: 'bob'});
    assert.equal(answer.text, visible.text);
    assert.equal(answer.etag, visible.etag);
    const failed = await at.site.patch('/v1/profiles/pat', [{op: 'test', path: '/email', value: 'q@example.org'}], {as: 'pat', match: '*', type: PATCH});
    assert([409, 422].includes(failed.status), failed.text);
    assert.equal((await at.site.patch('/v1/profiles/pat/full', [{op: 'remove', path: '/nickname'}], {as: 'pat', match: '*', type: PATCH})).json.email, 'p@example.org');
  });

  test('a handle with ~ and / in the pointers of attributes', async () => {
    const answer = await apply(at.site, {'a/b': {'~m': 1}}, [{op: 'replace', path: '/attributes/doc/a~1b/~0m', value: 2}], PATCH);
    assert.deepEqual(answer.json.attributes.doc, {'a/b': {'~m': 2}});
  });
}, (site) => site.make({id: 'pat', handle: 'pat'}));
