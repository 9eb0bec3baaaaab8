// Many profiles in one answer: the batch (GET /v1/profiles?id=…) and the query by tags (POST /v1/profiles/query).
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {renameSync} from 'node:fs';
import {test} from 'node:test';
import {anotherPool, cgi, crewOf, stopReaders} from './lib/crew.mjs';
import {straight} from './lib/fastcgi.mjs';
import {sleep, until} from './lib/process.mjs';
import {LIST, READ, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';

const ODD = 'x.y_z~a:b|c@d+e-f', LONG = 'l'.repeat(128), COUNT = 120;
const address = (ids, more = '') => `/v1/profiles?${ids.map((id) => `id=${encodeURIComponent(id)}`).join('&')}${more}`;
const ids = (answer) => answer.json.profiles.map((profile) => profile.id);
const p = (from, count) => Array.from({length: count}, (_, i) => `p${from + i}`);
const how = (answer) => answer.header('cache-status');
const QUIET = {level: 'warn'};

/** p0 to p119, one with an odd id, one with the longest, a suspended one and one with something private. */
async function people(site) {
  const lines = p(0, COUNT).map((id, i) => ({id, handle: `h_${i}`, name: `Name "${i}" \\ é`, attributes: {i, nested: {'a"b': [i, null, '}{']}}}));
  lines.push({id: ODD, handle: 'odd', name: 'Odd'}, {id: LONG, handle: 'long', name: 'Long'}, {id: 'hidden', handle: 'hidden', name: 'Hidden', state: 'suspended'},
    {id: 'private', handle: 'private', name: 'P', email: 'secret@example.org'}, {id: '123', handle: 'n123'});
  assert.equal((await site.tryCli(['import', '-'], lines.map((line) => JSON.stringify(line)).join('\n'))).code, 0);
}
async function gained(site, use) {
  const before = await site.counters();
  await use();
  const after = await site.counters();
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name]]));
}

scenario('batch', {settings: {server: {workers: 2}, http: {cors_origins: 'https://app.example'}, log: QUIET}}, (at) => {
  const batch = (list, options = {}) => at.site.get(address(list, options.more), {as: 'bob', scope: READ, ...options});

  test('profiles in the order asked, each as it is by itself; what is missing apart', async () => {
    for (const round of ['cold', 'warm']) {
      const answer = await batch(['p7', 'nobody', 'p3', 'hidden', ODD, 'p11']);
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(Object.keys(answer.json), ['profiles', 'missing']);
      assert.deepEqual(ids(answer), ['p7', 'p3', ODD, 'p11'], round);
      assert.deepEqual(answer.json.missing, ['nobody', 'hidden']);
      for (const profile of answer.json.profiles) {
        const single = await at.site.get(`/v1/profiles/${encodeURIComponent(profile.id)}`, {as: 'bob'});
        assert(answer.text.includes(single.text), 'byte for byte');
      }
      assert.equal(answer.header('content-type'), 'application/json');
      assert.equal(answer.header('cache-control'), 'private, no-cache');
      assert.match(answer.header('x-request-id'), /^[0-9a-f]{32}$/);
      assert.match(answer.etag, /^"[\x21\x23-\x7e]+"$/);
      for (const name of ['last-modified', 'surrogate-key', 'cdn-cache-control', 'content-location']) assert.equal(answer.header(name), undefined, name);
    }
  });

  test('ids as they may be written', async () => {
    // past lighttpd, which has a word of its own about some of these
    const raw = (query) => at.site.get(`/v1/profiles?${query}`, {as: 'bob', via: straight(at.site.socket)});
    assert.deepEqual(ids(await raw('id=%70%37&id=p%33')), ['p7', 'p3'], 'escaped though they need not be');
    assert.deepEqual(ids(await raw('i%64=p7')), ['p7']);
    assert.deepEqual(ids(await raw('&&id=p7&&id=p3&')), ['p7', 'p3']);
    assert.deepEqual(ids(await raw(`id=${encodeURIComponent(ODD)}`)), [ODD]);
    const plus = await raw('id=x.y_z~a:b|c@d+e-f'.replace('|', '%7C'));
    assert.deepEqual(plus.json, {profiles: [], missing: ['x.y_z~a:b|c@d e-f']}, '+ is a space in a query');
    assert.deepEqual(ids(await raw('id=123')), ['123'], 'a number is a text');
    assert.deepEqual((await raw('id=')).json, {profiles: [], missing: ['']});
    assert.deepEqual((await raw('id')).json, {profiles: [], missing: ['']});
    assert.deepEqual((await raw('id=P7')).json, {profiles: [], missing: ['P7']}, 'ids have their case');
    assert.deepEqual((await raw('id=@h_7&id=.&id=..&id=query&id=a%2Fb&id=%22%5C&id=%01&id=%F0%9F%98%80')).json,
      {profiles: [], missing: ['@h_7', '.', '..', 'query', 'a/b', '"\\', '\u0001', '😀']});
    assert.deepEqual(ids(await raw(`id=${LONG}`)), [LONG]);
    assert.deepEqual((await raw(`id=${LONG}l`)).json.missing, [`${LONG}l`]);
    const huge = 'h'.repeat(14000);
    assert.deepEqual((await raw(`id=${huge}&id=p7`)).json.missing, [huge]);
    for (const bad of ['id=%', 'id=%4', 'id=%zz', 'id=%00', 'id=%ff', 'id=%C0%80', '=x', '%zz=x']) assertProblem(await raw(`id=p7&${bad}`), 400);
  });

  test('a hundred, and no more; one that is repeated is answered once, at its first place', async () => {
    const hundred = await batch(p(0, 100));
    assert.equal(hundred.status, 200);
    assert.deepEqual(ids(hundred), p(0, 100));
    const problem = assertProblem(await batch(p(0, 101)), 400);
    assert.match(problem.detail, /'id'.* 100 /);
    assertProblem(await batch(Array(101).fill('p1')), 400);
    assert.deepEqual(ids(await batch(Array(100).fill('p1'))), ['p1']);
    const answer = await batch(['p2', 'x', 'p1', 'p2', 'x', ' ', 'p1', ' ', 'p3']);
    assert.deepEqual(ids(answer), ['p2', 'p1', 'p3']);
    assert.deepEqual(answer.json.missing, ['x', ' ']);
  });

  test('what else is in the query', async () => {
    for (const more of ['&ids=p2', '&x=1', '&Id=p2', '&limit=5', '&q=na', '&id[]=p2']) assertProblem(await batch(['p1'], {more}), 400);
    assertProblem(await at.site.get('/v1/profiles/p1?id=p2', {as: 'bob'}), 400);
    const part = await batch(['p2', 'p1', 'nobody'], {more: '&fields=name'});
    assert.deepEqual(part.json.profiles, [{id: 'p2', name: 'Name "2" \\ é'}, {id: 'p1', name: 'Name "1" \\ é'}]);
    assert.deepEqual((await at.site.get('/v1/profiles?fields=name&id=p2', {as: 'bob'})).json.profiles, [{id: 'p2', name: 'Name "2" \\ é'}]);
    for (const more of ['&fields=', '&fields=nam', '&fields=state', '&fields=name&fields=name']) assertProblem(await batch(['p1'], {more}), 400);
  });

  test('who may', async () => {
    assertUnauthorized(await batch(['p1'], {as: undefined}), {error: null});
    assertUnauthorized(await batch(['p1'], {as: undefined, token: 'x'}));
    assertProblem(await batch(['p1'], {scope: LIST}), 403);
    assert.equal((await batch(['p1'], {as: 'admin', scope: undefined})).status, 200);
    const hidden = await batch(['private'], {as: 'private', scope: undefined});
    assert.doesNotMatch(hidden.text, /secret/, 'the public view, whoever asks');
  });

  test('HEAD, 304, 412', async () => {
    const list = ['p20', 'gone', 'p21'];
    const first = await batch(list), head = await at.site.head(address(list), {as: 'bob'});
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    assert.equal(head.header('content-length'), String(first.body.length));
    for (const name of ['etag', 'cache-control', 'content-type']) assert.equal(head.header(name), first.header(name), name);
    for (const none of [first.etag, `W/${first.etag}`, `"x", ${first.etag}`, first.etag.replace(/"$/, '-gzip"'), '*']) {
      const again = await batch(list, {none});
      assert.equal(again.status, 304, none);
      assert.equal(again.body.length, 0);
      assert.equal(again.etag, first.etag);
      assert.equal(again.header('cache-control'), 'private, no-cache');
      assert.match(again.header('x-request-id'), /^[0-9a-f]{32}$/);
    }
    assert.equal((await at.site.head(address(list), {as: 'bob', none: first.etag})).status, 304);
    assert.equal((await batch(list, {none: '"x"'})).status, 200);
    assertProblem(await batch(list, {match: '"x"'}), 412);
    assert.equal((await batch(list, {match: first.etag})).status, 200);
    assert.equal((await batch(list, {headers: {'If-Modified-Since': new Date().toUTCString()}})).status, 200, 'no date, so that what goes is seen');
  });

  test('the tag is of what is asked: ids, order, members, fields; the same for everybody and every worker', async () => {
    const tags = new Set();
    const asked = [['p30', 'p31'], ['p31', 'p30'], ['p30'], ['p31'], ['p30', 'p31', 'p32'], ['p30', 'p31', 'gone'], ['gone', 'p30', 'p31'], ['gone'], ['gone2'], ['g', 'one']];
    for (const list of asked) tags.add((await batch(list)).etag);
    for (const more of ['&fields=name', '&fields=name,id,bio', '&fields=bio']) tags.add((await batch(['p30', 'p31'], {more})).etag);
    assert.equal(tags.size, asked.length + 3);
    const crew = await crewOf(at.site.socket, () => at.site.workers(), 2);
    for (const as of ['bob', 'p30', 'admin'])
      for (const answer of await crew.get(at.site, address(asked[0]), {as})) assert.equal(answer.etag, (await batch(asked[0])).etag);
    assert.equal((await batch(asked[0], {more: '&fields=name,bio'})).etag, (await batch(asked[0], {more: '&fields=bio,id,name,bio'})).etag);
  });

  test('a change of a member changes the tag, whoever writes, and is seen at once; one that is private does not', async () => {
    const {site} = at, list = ['p40', 'p41', 'later', 'p42'];
    let tag = (await batch(list)).etag;
    const patch = (id, body) => site.patch(`/v1/profiles/${id}/full`, body, {as: 'admin', match: '*'});
    const changes = [
      ['an edit', () => patch('p41', {name: 'Changed'}), (answer) => assert.equal(answer.json.profiles[1].name, 'Changed')],
      ['the sqlite3 shell', () => assert.equal(spawnSync('sqlite3', [site.database, '.timeout 5000', "UPDATE profiles SET name='Shell' WHERE id='p41'"]).status, 0),
        (answer) => assert.equal(answer.json.profiles[1].name, 'Shell')],
      ['import', async () => assert.equal((await site.tryCli(['import', '--on-conflict', 'replace', '-'], JSON.stringify({id: 'p40', handle: 'h_40', name: 'Imported'}))).code, 0),
        (answer) => assert.equal(answer.json.profiles[0].name, 'Imported')],
      ['a creation', () => site.make({id: 'later', handle: 'later'}), (answer) => assert.deepEqual(ids(answer), list)],
      ['a suspension', () => patch('p42', {state: 'suspended'}), (answer) => assert.deepEqual(answer.json.missing, ['p42'])],
      ['a return', () => patch('p42', {state: 'active'}), (answer) => assert.deepEqual(ids(answer), list)],
      ['a deletion', () => site.delete('/v1/profiles/later', {as: 'admin', match: '*'}), (answer) => assert.deepEqual(answer.json.missing, ['later'])],
    ];
    const seen = new Set([tag]);
    for (const [what, change, check] of changes) {
      await change();
      const answer = await batch(list, {none: tag});
      assert.equal(answer.status, 200, what);
      check(answer);
      assert(!seen.has(answer.etag), `${what}: another tag`);
      seen.add(tag = answer.etag);
      assert.equal((await batch(list, {none: tag})).status, 304, what);
    }
    assert.equal((await patch('p40', {email: 'new@example.org'})).status, 200);
    assert.equal((await batch(list, {none: tag})).status, 304, 'a private edit');
    assert.equal((await patch('p50', {name: 'Other'})).status, 200);
    assert.equal((await batch(list, {none: tag})).status, 304, 'somebody else\'s');
  });

  test('one read of the database for all that the cache lacks', async () => {
    const {site} = at, list = [...p(100, 19), 'm1', 'm2', 'hidden'];
    const status = [], run = (asked) => gained(site, async () => status.push(how(await batch(asked))));
    let sum = await run(list);
    assert.equal(sum.cache_loads, 1);
    assert.equal(sum.cache_misses, 21, 'all but the suspended one, which was asked for before');
    assert.equal(sum.cache_fills, 21);
    sum = await run(list);
    assert.equal(sum.cache_loads, 0);
    assert.equal(sum.cache_hits, 19);
    assert.equal(sum.cache_negative_hits, 3);
    assert.equal((await site.patch('/v1/profiles/p107', {name: 'x'}, {as: 'admin', match: '*'})).status, 200);
    sum = await run([...list].reverse());
    assert.equal(sum.cache_loads, 1);
    assert.equal(sum.cache_misses, 1);
    // single reads and batches share their entries
    assert.equal(how(await site.get('/v1/profiles/p108', {as: 'bob'})), 'profiled; hit');
    assert.equal(how(await site.get('/v1/profiles/m1', {as: 'bob'})), 'profiled; hit');
    assert.equal(how(await site.get('/v1/profiles/p119', {as: 'bob'})), 'profiled; fwd=miss; stored');
    assert.equal(how(await batch(['p119', 'p108'])), 'profiled; hit');
    assert.deepEqual(status, ['profiled; fwd=miss; stored; detail="1 of 22"', 'profiled; hit', 'profiled; fwd=miss; stored; detail="21 of 22"']);
    assert.equal(how(await batch([''])), 'profiled; hit', 'nothing had to be asked for');
  });

  test('CORS: a page may read it, and its tag', async () => {
    const answer = await batch(['p1'], {headers: {Origin: 'https://app.example'}});
    assert.equal(answer.header('access-control-allow-origin'), 'https://app.example');
    assert.match(answer.header('access-control-expose-headers'), /ETag/);
    const preflight = await at.site.call('OPTIONS', '/v1/profiles/query', {headers: {Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization, content-type'}});
    assert.equal(preflight.status, 204);
    assert.match(preflight.header('access-control-allow-methods'), /POST/);
  });
}, people);

scenario('query', {settings: {server: {workers: 2}, log: QUIET}}, (at) => {
  const query = (asked, options = {}) => at.site.post(`/v1/profiles/query${options.query ?? ''}`, {ids: asked}, {as: 'bob', scope: READ, ...options});
  const body = (text, options) => at.site.post('/v1/profiles/query', text, {as: 'bob', ...options});

  test('what is new, with its tags; what is not, and what is missing, by name', async () => {
    for (const round of ['cold', 'warm']) {
      const all = await query({p3: null, nobody: null, p1: null, hidden: null, [ODD]: null});
      assert.equal(all.status, 200, all.text);
      assert.deepEqual(Object.keys(all.json), ['profiles', 'etags', 'not_modified', 'missing']);
      assert.deepEqual(ids(all), ['p3', 'p1', ODD], round);
      assert.deepEqual(Object.keys(all.json.etags), ['p3', 'p1', ODD]);
      assert.deepEqual(all.json.not_modified, []);
      assert.deepEqual(all.json.missing, ['nobody', 'hidden']);
      for (const [id, tag] of Object.entries(all.json.etags)) assert.equal((await at.site.get(`/v1/profiles/${encodeURIComponent(id)}`, {as: 'bob'})).etag, tag);
      assert.equal(all.header('cache-control'), 'no-store');
      assert.match(all.header('x-request-id'), /^[0-9a-f]{32}$/);
      assert.equal(all.etag, undefined);
      const again = await query({...all.json.etags, nobody: null, p5: '"unknown"', p6: '"4cb37ca57d-1p1"', hidden: '"x"'});
      assert.deepEqual(again.json.not_modified, ['p3', 'p1', ODD]);
      assert.deepEqual(ids(again), ['p5', 'p6']);
      assert.deepEqual(again.json.missing, ['nobody', 'hidden']);
    }
  });

  test('a tag as caches and front servers hand it on', async () => {
    const tag = (await at.site.get('/v1/profiles/p9', {as: 'bob'})).etag;
    for (const known of [tag, `W/${tag}`, ...['gzip', 'br', 'zstd', 'deflate'].map((coding) => tag.replace(/"$/, `-${coding}"`)), `${tag}-gzip`])
      assert.deepEqual((await query({p9: known})).json, {profiles: [], etags: {}, not_modified: ['p9'], missing: []}, known);
    const owners = (await at.site.get('/v1/profiles/p9/full', {as: 'admin'})).etag;
    for (const other of [owners, tag.toUpperCase(), '""', '"*"', tag.replace(/"$/, '-bzip2"')]) assert.deepEqual(ids(await query({p9: other})), ['p9'], other);
  });

  test('after a change: that one alone', async () => {
    const first = await query(Object.fromEntries(p(0, 100).map((id) => [id, null])));
    assert.deepEqual(ids(first), p(0, 100));
    assert.equal((await at.site.patch('/v1/profiles/p50/full', {name: 'New'}, {as: 'admin', match: '*'})).status, 200);
    assert.equal((await at.site.patch('/v1/profiles/p51/full', {phone_number: '+4930123456'}, {as: 'admin', match: '*'})).status, 200);
    assert.equal((await at.site.patch('/v1/profiles/p52/full', {state: 'suspended'}, {as: 'admin', match: '*'})).status, 200);
    const sum = await gained(at.site, async () => {
      const second = await query(first.json.etags);
      assert.deepEqual(ids(second), ['p50']);
      assert.equal(second.json.profiles[0].name, 'New');
      assert.deepEqual(second.json.missing, ['p52']);
      assert.deepEqual(second.json.not_modified, p(0, 100).filter((id) => !['p50', 'p52'].includes(id)));
    });
    assert.equal(sum.cache_loads, 1);
    assert.equal(sum.cache_misses, 2);
    assert.equal(sum.cache_hits, 98);
  });

  test('fields', async () => {
    const part = await query({p1: null, p2: null}, {query: '?fields=name'});
    assert.deepEqual(part.json.profiles, [{id: 'p1', name: 'Name "1" \\ é'}, {id: 'p2', name: 'Name "2" \\ é'}]);
    const whole = await query({p1: null});
    assert.notEqual(part.json.etags.p1, whole.json.etags.p1);
    assert.deepEqual((await query(part.json.etags, {query: '?fields=id,name'})).json.not_modified, ['p1', 'p2']);
    assert.deepEqual(ids(await query(part.json.etags)), ['p1', 'p2'], 'a part is not the whole');
    assert.deepEqual(ids(await query(part.json.etags, {query: '?fields=bio'})), ['p1', 'p2']);
    assert.deepEqual(ids(await query(whole.json.etags, {query: '?fields=name'})), ['p1']);
    assertProblem(await query({p1: null}, {query: '?fields=nam'}), 400);
    assertProblem(await query({p1: null}, {query: '?id=p1'}), 400);
  });

  test('ids: none, a hundred, more, invalid ones', async () => {
    assert.deepEqual((await query({})).json, {profiles: [], etags: {}, not_modified: [], missing: []});
    const problem = assertProblem(await query(Object.fromEntries(p(0, 101).map((id) => [id, null]))), 422);
    assert.deepEqual(problem.errors.map((error) => error.pointer), ['/ids']);
    const odd = {'': null, '@h_1': null, 'a/b': '"x"', 'ü"\\': null, query: null, [`${LONG}l`]: null, p1: null};
    const answer = await query(odd);
    assert.deepEqual(answer.json.missing, Object.keys(odd).filter((id) => id !== 'p1'));
    assert.deepEqual(ids(answer), ['p1']);
  });

  test('bodies that are none', async () => {
    const pointers = async (value) => assertProblem(await body(JSON.stringify(value)), 422).errors.map((error) => error.pointer);
    for (const value of [null, [], 'x', 1, ['ids']]) assert.deepEqual(await pointers(value), [''], JSON.stringify(value));
    for (const value of [{}, {ids: null}, {ids: []}, {ids: 'p1'}, {ids: ['p1']}]) assert.deepEqual(await pointers(value), ['/ids']);
    assert.deepEqual(await pointers({ids: {p1: null}, x: 1, 'y/~': 2}), ['/x', '/y~1~0']);
    for (const bad of ['x', '', '*', 1, true, {}, [], ['"x"'], '"x', '"x", "y"', ' "x"', 'W/', 'w/"x"', '"a b"', '"a\u0000"'])
      assert.deepEqual(await pointers({ids: {p2: '"fine"', 'p1~/': bad}}), ['/ids/p1~0~1'], JSON.stringify(bad));
    assert.equal((await pointers({ids: Object.fromEntries(p(0, 100).map((id) => [id, 1]))})).length, 32);
    for (const text of ['', '{', '{"ids":{"a":null,}}', '{"ids":{"a":null,"a":null}}', '{"ids":{},"ids":{}}', '{"ids":{"a\\u0000":null}}', '{"ids":{"a":"\\ud800"}}', `${'['.repeat(40)}${']'.repeat(40)}`])
      assertProblem(await body(text), 400);
    assertProblem(await body(JSON.stringify({ids: {}, x: 'y'.repeat(200000)})), 413);
    for (const type of ['text/plain', 'application/merge-patch+json', 'application/x-www-form-urlencoded', null]) {
      const answer = await body('{"ids":{}}', {type});
      assertProblem(answer, 415);
      assert.equal(answer.header('accept'), 'application/json');
    }
    assert.equal((await body('{"ids":{}}', {type: 'application/json; charset=utf-8'})).status, 200);
  });

  test('its address has POST alone, and is nobody\'s profile', async () => {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await at.site.call(method, '/v1/profiles/query', {as: 'admin', match: '*'});
      assert.equal(answer.status, 405, method);
      assert.equal(answer.header('allow'), 'POST, OPTIONS');
    }
    assert.equal((await at.site.get('/v1/profiles/%71uery', {as: 'bob'})).status, 405);
    assert.equal((await at.site.get('/v1/profiles/query/full', {as: 'admin'})).status, 404);
    assertProblem(await at.site.post('/v1/profiles/p1', {ids: {}}, {as: 'admin'}), 405);
    assertUnauthorized(await query({p1: null}, {as: undefined}), {error: null});
    assertProblem(await query({p1: null}, {scope: LIST}), 403);
    // preconditions belong to what a request selects; this one selects nothing (RFC 9110 section 13.2.1)
    for (const options of [{match: '"x"'}, {none: '*'}, {none: '"x"'}, {match: '*'}]) assert.equal((await query({p1: null}, options)).status, 200);
  });
}, people);

const CREW = 6;
scenario('batch: several workers', {front: false, settings: {server: {workers: CREW}, store: {synchronous: 'normal'}, log: QUIET}}, (at) => {
  const free = () => straight(at.site.socket);

  test('a batch that all workers lack is read once', async () => {
    const {site} = at, crew = await crewOf(site.socket, () => site.workers(), CREW);
    for (let round = 0; round < 10; round++) {
      const answers = [], list = p(round * 10, 10);
      const sum = await gained(site, async () => answers.push(...await crew.get(site, address(list), {as: 'admin'})));
      for (const answer of answers) assert.deepEqual(ids(answer), list);
      assert.equal(sum.cache_misses, 10, 'one has read them');
      // a worker that was not let in within its time goes to the database itself, which a laden machine may bring about
      assert.equal(sum.cache_loads, 1 + sum.cache_bypasses / 10);
    }
  });

  test('what one worker wrote, every other one\'s batch and query show at once', async () => {
    const {site} = at, crew = await crewOf(site.socket, () => site.workers(), CREW), list = p(0, 20);
    const other = await anotherPool(site, 'other');
    let known = Object.fromEntries(list.map((id) => [id, null]));
    try {
      for (let i = 0; i < 100; i++) {
        const id = `p${(i * 7) % 20}`, name = `n${i}`, via = [free(), other.via, cgi(site)][i % 50 === 49 ? 2 : i % 2];
        assert.equal((await site.patch(`/v1/profiles/${id}`, {name}, {as: 'admin', match: '*', via})).status, 200);
        const held = await crew.hold();
        const answers = await Promise.all(held.map((line, n) => (n % 2 === 0 ? site.get(address(list), {as: 'admin', via: (r) => line.ask(r)})
          : site.post('/v1/profiles/query', {ids: known}, {as: 'admin', via: (r) => line.ask(r)}))));
        for (const answer of answers) {
          assert.equal(answer.status, 200, answer.text);
          assert.equal(answer.json.profiles.find((profile) => profile.id === id)?.name, name);
          if (i > 0 && answer.json.not_modified) assert.deepEqual(ids(answer), [id]);
        }
        known = {...known, ...answers.find((answer) => answer.json.etags).json.etags};
      }
    } finally {
      await other.stop();
    }
  });

  test('a worker killed in the middle of a batch leaves nothing locked and nothing wrong', async () => {
    const {site} = at, list = p(0, 100);
    for (let round = 0; round < 3; round++) {
      // another file in its place, or the entries would be there still
      spawnSync('sqlite3', [site.database, '.timeout 5000', `UPDATE profiles SET nickname='r${round}'`]);
      const crew = await crewOf(site.socket, () => site.workers(), CREW);
      const [victim, ...others] = await crew.holdEach();
      const blocked = await stopReaders(site);
      const dying = site.get(address(list), {as: 'admin', via: (r) => victim.ask(r)}).catch(() => null);
      await sleep(50);
      process.kill(victim.pid, 'SIGKILL');
      await blocked.release();
      await dying;
      const begun = Date.now();
      const answers = await Promise.all(others.map((line) => site.get(address(list), {as: 'admin', via: (r) => line.ask(r)})));
      for (const answer of answers) {
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(ids(answer), list);
        assert(answer.json.profiles.every((profile) => profile.nickname === `r${round}`));
      }
      assert(Date.now() - begun < 10000);
      await until('the crew is whole again', () => site.workers().length === CREW);
      assert.equal(how(await site.get(address(list), {as: 'admin', via: free()})), 'profiled; hit');
    }
  });
}, people);

for (const [name, cache, status] of [['no cache', {size: 0}, 'profiled; fwd=bypass; detail="0 of 3"'],
  ['a cache that keeps no missing ones', {negative_ttl: 0}, 'profiled; fwd=miss; detail="2 of 3"']])
  scenario(`batch: ${name}`, {settings: {cache, log: QUIET}}, (at) => {
    test('the same answers', async () => {
      let answer;
      for (let i = 0; i < 2; i++) answer = await at.site.get(address(['p2', 'nobody', 'p1']), {as: 'bob'});
      assert.deepEqual(ids(answer), ['p2', 'p1']);
      assert.deepEqual(answer.json.missing, ['nobody']);
      assert.equal(how(answer), status);
      const asked = await at.site.post('/v1/profiles/query', {ids: {p2: null, p1: (await at.site.get('/v1/profiles/p1', {as: 'bob'})).etag, nobody: '"x"'}}, {as: 'bob'});
      assert.deepEqual([ids(asked), asked.json.not_modified, asked.json.missing], [['p2'], ['p1'], ['nobody']]);
      const straightCgi = await at.site.get(address(['p2', 'nobody', 'p1']), {as: 'bob', via: cgi(at.site)});
      assert.equal(straightCgi.text, answer.text);
      assert.equal(straightCgi.etag, answer.etag);
    });
  }, people);

scenario('batch: the largest', {settings: {limits: {body: '1M', attributes: '16K'}, cache: {size: '8M'}, log: QUIET}}, (at) => {
  test('a hundred of the longest profiles, cold and warm', async () => {
    const list = p(0, 100);
    for (let i = 0; i < 3; i++) {
      const answer = await at.site.get(address(list), {as: 'bob'});
      assert.equal(answer.status, 200);
      assert.deepEqual(ids(answer), list);
      assert(answer.body.length > 1800000);
      for (const profile of answer.json.profiles) assert.equal(profile.attributes.long, profile.id.padEnd(16000, '.'));
    }
  });
  test('the storage gone', async () => {
    renameSync(at.site.database, `${at.site.database}.away`);
    try {
      assertProblem(await at.site.get(address(['p1', 'q1']), {as: 'bob'}), 503);
      assertProblem(await at.site.post('/v1/profiles/query', {ids: {p1: null, q1: null}}, {as: 'bob'}), 503);
    } finally {
      renameSync(`${at.site.database}.away`, at.site.database);
    }
    assert.equal((await at.site.get(address(['p1']), {as: 'bob'})).status, 200);
  });
}, async (site) => {
  const lines = p(0, 100).map((id, i) => JSON.stringify({id, handle: `h_${i}`, bio: 'b'.repeat(2000), attributes: {long: id.padEnd(16000, '.')}}));
  assert.equal((await site.tryCli(['import', '-'], lines.join('\n'))).code, 0);
});
