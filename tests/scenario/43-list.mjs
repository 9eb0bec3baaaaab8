// The list and the search: pages that hold while profiles come and go, cursors that nobody else can make, and nothing found that is
// not public. PROFILED_LONG=1: the same walks with a million profiles.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {test} from 'node:test';
import {LIST, READ, assertProblem, scenario} from './lib/site.mjs';
import {straight} from './lib/fastcgi.mjs';
import {people, person} from './lib/people.mjs';
import {until} from './lib/process.mjs';

const COUNT_OF_MILLION = 1000000;
const LIST_TOKEN = {as: 'lister', scope: LIST};
// Past the front server, which refuses addresses of control characters and of tens of kilobytes itself.
const past = (site) => ({...LIST_TOKEN, via: straight(site.socket)});
const links = (answer) => Object.fromEntries([...(answer.header('link') ?? '').matchAll(/<([^>]*)>; rel="([a-z]+)"/g)].map(([, url, rel]) => [rel, url]));
const query = (parameters) => `/v1/profiles?${new URLSearchParams(parameters)}`;

/** Follows rel="next" from an address on; between(page, number) runs after each page. */
async function walk(site, address, between = () => {}) {
  const seen = [];
  for (let page = 1; address; page++) {
    const answer = await site.get(address, LIST_TOKEN);
    assert.equal(answer.status, 200, answer.text);
    assert.equal('next' in answer.json, 'next' in links(answer));
    seen.push(...answer.json.profiles);
    address = links(answer).next;
    await between(answer.json, page);
  }
  return seen;
}
const load = async (site, lines) => {
  const how = await site.tryCli(['import', '-'], typeof lines === 'string' ? lines : lines.map((p) => `${JSON.stringify(p)}\n`).join(''));
  assert.equal(how.code, 0, how.err);
};
const shell = (site, sql) => execFileSync('sqlite3', ['-cmd', '.timeout 5000', '-cmd', 'PRAGMA wal_autocheckpoint=0', site.database, sql], {encoding: 'utf8'});
const found = async (site, q, more = {}) => {
  const answer = await site.get(query({q, limit: 100, ...more}), LIST_TOKEN);
  assert.equal(answer.status, 200, answer.text);
  return answer.json.profiles.map(({id}) => id);
};

scenario('the list', {}, (at) => {
  test('pages by handle, all of them together are all', async () => {
    const ids = (await walk(at.site, query({limit: 7}))).map(({handle}) => handle);
    const all = Array.from({length: 50}, (_, i) => `h${String(i * 7 % 50).padStart(2, '0')}`).sort();
    assert.deepEqual(ids, all);
    assert.equal((await at.site.get('/v1/profiles', LIST_TOKEN)).json.profiles.length, 20);
    assert.equal((await at.site.get(query({limit: 100}), LIST_TOKEN)).json.profiles.length, 50);
    assert.equal((await at.site.get(query({limit: 50}), LIST_TOKEN)).json.next, undefined, 'just full is the last');
    const first = await at.site.get(query({limit: 3}), LIST_TOKEN);
    assert.deepEqual(Object.keys(links(first)).sort(), ['first', 'next']);
    assert.match(links(first).next, /^\/v1\/profiles\?limit=3&after=[A-Za-z0-9_-]+$/);
    assert.equal(links(await at.site.get(links(first).next, LIST_TOKEN)).first, '/v1/profiles?limit=3');
    assert.deepEqual(first.json.profiles[0], (await at.site.get('/v1/profiles/@h00', {as: 'bob'})).json, 'the public view');
  });

  test('what a cache and a browser are told', async () => {
    const whole = await at.site.get(query({limit: 3}), LIST_TOKEN);
    assert.equal(whole.header('cache-control'), 'private, no-cache');
    assert.match(whole.etag, /^"[0-9a-f]{32}"$/);
    const again = await at.site.get(query({limit: 3}), {...LIST_TOKEN, none: whole.etag});
    assert.equal(again.status, 304);
    assert.equal(again.header('link'), whole.header('link'));
    assert.equal(again.etag, whole.etag);
    const head = await at.site.head(query({limit: 3}), LIST_TOKEN);
    assert.equal(head.status, 200);
    assert.equal(head.text, '');
    assert.equal(head.etag, whole.etag);
    assertProblem(await at.site.get(query({limit: 3}), {...LIST_TOKEN, match: '"other"'}), 412);
    await at.site.patch('/v1/profiles/i0', {email: 'new@example.org'}, {as: 'admin', match: '*'});
    assert.equal((await at.site.get(query({limit: 3}), LIST_TOKEN)).etag, whole.etag, 'a private edit');
    await at.site.patch('/v1/profiles/i0', {bio: 'new'}, {as: 'admin', match: '*'});
    assert.notEqual((await at.site.get(query({limit: 3}), LIST_TOKEN)).etag, whole.etag, 'a public one');
  });

  test('scope and parameters', async () => {
    assertProblem(await at.site.get('/v1/profiles'), 401);
    const denied = await at.site.get('/v1/profiles', {as: 'bob', scope: READ});
    assertProblem(denied, 403);
    assert.match(denied.header('www-authenticate'), /scope="profile:list"/);
    for (const bad of ['limit=0', 'limit=101', 'limit=-1', 'limit=1e1', 'limit=', 'limit=99999999999999999999', 'limit=1&limit=2', 'page=2', 'q=a&q=b', 'q=%ff', 'after=&after='])
      assertProblem(await at.site.get(`/v1/profiles?${bad}`, past(at.site)), 400);
  });

  test('nothing stable is skipped or doubled while rows come and go', async () => {
    const stable = Array.from({length: 50}, (_, i) => `h${String(i).padStart(2, '0')}`);
    let extra = 0;
    const seen = await walk(at.site, query({limit: 3}), async (page) => {
      const last = page.profiles.at(-1)?.handle ?? 'zz';
      // just before and just behind the place, and the very row that the cursor was made of
      await load(at.site, [{id: `x${++extra}`, handle: `a_before${extra}`}, {id: `y${extra}`, handle: `${last.slice(0, 3)}_new${extra}`}]);
      if (extra > 1) shell(at.site, `DELETE FROM profiles WHERE id IN ('x${extra - 1}', 'y${extra - 1}')`);
    });
    const handles = seen.map(({handle}) => handle);
    assert.equal(new Set(handles).size, handles.length, 'none twice');
    assert.deepEqual(handles.filter((handle) => stable.includes(handle)), stable);
    shell(at.site, "DELETE FROM profiles WHERE id GLOB 'x*' OR id GLOB 'y*'");
  });

  test('a cursor outlives the row it was made of', async () => {
    await load(at.site, [{id: 'gone', handle: 'h10a'}]);
    const page = await at.site.get(query({limit: 12}), LIST_TOKEN);
    assert.equal(page.json.profiles.at(-1).id, 'gone');
    shell(at.site, "DELETE FROM profiles WHERE id = 'gone'");
    assert.equal((await at.site.get(links(page).next, LIST_TOKEN)).json.profiles[0].handle, 'h11');
  });

  test('suspended ones are nowhere, however many', async () => {
    await load(at.site, Array.from({length: 3000}, (_, i) => ({id: `s${i}`, handle: `h20_${i}`, name: 'Spammer'})));
    shell(at.site, "UPDATE profiles SET state = 'suspended' WHERE id GLOB 's*'");
    const handles = (await walk(at.site, query({limit: 10}))).map(({handle}) => handle);
    assert.equal(handles.length, 50);
    assert.deepEqual(await found(at.site, 'spammer'), []);
    shell(at.site, "DELETE FROM profiles WHERE id GLOB 's*'");
  });

  test('forged cursors are 400, each and every one', async () => {
    const {next} = (await at.site.get(query({limit: 3}), LIST_TOKEN)).json;
    const bad = async (after, more = {}) => {
      const answer = await at.site.get(query({...more, after}), past(at.site));
      assertProblem(answer, 400);
      assert.match(answer.json.type, /bad-cursor$/);
    };
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    for (let i = 0; i < next.length; i++)
      for (let bit = 0; bit < 6; bit++) await bad(next.slice(0, i) + alphabet[alphabet.indexOf(next[i]) ^ (1 << bit)] + next.slice(i + 1));
    for (const other of ['', 'h01', next.slice(0, -1), next.slice(1), `${next}A`, `${next}=`, `${next} `, next.toLowerCase(), 'A'.repeat(64), '%00', '../..', 'A'.repeat(40000), "' OR 1=1 --"])
      await bad(other);
    await bad(next, {q: 'ann'}); // another list's
    const search = (await at.site.get(query({limit: 3, q: 'family'}), LIST_TOKEN)).json.next;
    assert.equal((await at.site.get(query({limit: 9, q: 'FÁMILY', after: search}), LIST_TOKEN)).status, 200, 'the same words and another limit');
    await bad(search);
    await bad(search, {q: 'familyx'});
    await bad(search, {q: 'family given'});
  });
}, (site) => load(site, Array.from({length: 50}, (_, i) => ({id: `i${i}`, handle: `h${String(i).padStart(2, '0')}`, name: `Given${i} Family`, email: `e${i}@example.org`}))));

scenario('search', {}, (at) => {
  test('words begin so, accents and case are folded, all words must fit', async () => {
    for (const [q, ids] of Object.entries({
      ünïc: ['u'], UNICODE: ['u'], 'Ü': null, 'u\u0308ni': ['u'], 'code unic': ['u'], 'unic zed': [], isik: [], 'ışık': ['t'], 'IŞık': ['t'], ışik: [], '山': null, 山田: ['c'],
      'ﬁn': ['l'], fin: [], straße: ['l'], 'o\'neill': ['o'], oneill: [], 'neill o': ['o'], u_handle: ['u'], 'han': ['u'], '🌻 unicode': ['u'], '각': null, '\u1100\u1161\u11a8\u1100\u1161\u11a8': ['k'],
    })) {
      if (ids) assert.deepEqual(await found(at.site, q), ids, q);
      else assertProblem(await at.site.get(query({q}), LIST_TOKEN), 400);
    }
  });

  test('what cannot be searched is 400 and says why', async () => {
    for (const [q, why] of [['', /two/], ['a', /two/], ['é', /two/], ['e\u0301', /two/], ['a b c', /two/], ['!!', /two/], ['** "" ()', /two/], ['🌻🌻🌻', /two/], ['  ', /two/], ['x'.repeat(201), /200/],
      ['x'.repeat(48000), /200/], [Array.from({length: 9}, (_, i) => `w${i}`).join(' '), /8 words/], ['ab\u0000cd', /malformed|control/], ['ab\u0007', /control/], ['ab\u202e', /direction/]]) {
      const answer = await at.site.get(query({q}), past(at.site));
      assertProblem(answer, 400);
      assert.match(answer.json.detail, why, q.slice(0, 40));
    }
  });

  test('what is searched is never syntax', async () => {
    for (const q of ['un* OR bo*', 'unicode NOT bob', 'NEAR(unicode code)', 'NEAR(unicode code, 1)', 'handle:unicode', 'name : unicode', '{handle name}:unicode', '-name:unicode', '(unicode)) OR (bob', 'unicode" OR "bob', 'zed\' OR 1=1 --',
      'search MATCH unicode', 'rank:unicode'])
      assert((await found(at.site, q)).every((id) => id === 'u'), q);
    for (const q of ['"unicode', 'unicode"', '"unicode code"', 'unicode*', '^unicode', 'unicode + code', 'unicode AND', '(unicode', 'unicode\\', '%unicode_', 'unicode;'])
      assert.equal((await at.site.get(query({q}), LIST_TOKEN)).status, 200, q);
    assert.deepEqual(await found(at.site, '"unicode* ^code'), ['u']);
  });

  test('pages in the order of the index', async () => {
    await load(at.site, Array.from({length: 45}, (_, i) => ({id: `m${i}`, handle: `many${44 - i}`, name: 'Maria Many'})));
    const ids = (await walk(at.site, query({q: 'mar many', limit: 10}))).map(({id}) => id);
    assert.deepEqual(ids, Array.from({length: 45}, (_, i) => `m${i}`));
    assert.match(links(await at.site.get(query({q: 'mar many', limit: 10}), LIST_TOKEN)).next, /^\/v1\/profiles\?limit=10&q=mar%20many&after=/);
    assert.equal(links(await at.site.get(query({q: 'a+b mary', limit: 10}), LIST_TOKEN)).first, '/v1/profiles?limit=10&q=a%2Bb%20mary');
  });

  test('what is private, suspended, renamed or deleted is not found, by any writer', async () => {
    const {site} = at;
    const edit = (body, path = '/v1/profiles/v') => site.patch(path, body, {as: 'admin', match: '*'});
    await site.make({id: 'v', handle: 'visible', name: 'Quokka Visible'});
    assert.deepEqual(await found(site, 'quokka'), ['v']);
    assert.equal((await edit({visibility: {name: 'private'}})).status, 200);
    assert.deepEqual(await found(site, 'quokka'), []);
    const [byHandle] = (await site.get(query({q: 'visible'}), LIST_TOKEN)).json.profiles;
    assert.equal(byHandle.id, 'v');
    assert.equal(byHandle.name, undefined);
    const before = await site.get(query({q: 'visible'}), LIST_TOKEN);
    await edit({name: 'Wombat Hidden'}, '/v1/profiles/v/full');
    assert.deepEqual(await found(site, 'wombat'), []);
    assert.equal((await site.get(query({q: 'visible'}), LIST_TOKEN)).etag, before.etag, 'no trace in the tag');
    await edit({visibility: {name: 'public'}});
    assert.deepEqual(await found(site, 'wombat'), ['v']);
    await edit({state: 'suspended'});
    assert.deepEqual(await found(site, 'wombat'), []);
    assert.deepEqual(await found(site, 'visible'), []);
    await edit({state: 'active'}, '/v1/profiles/v/full');
    await edit({handle: 'renamed'});
    assert.deepEqual(await found(site, 'visible'), []);
    assert.deepEqual(await found(site, 'renamed'), ['v']);
    shell(site, "UPDATE profiles SET name = 'Numbat' WHERE id = 'v'");
    assert.deepEqual([await found(site, 'wombat'), await found(site, 'numbat')], [[], ['v']]);
    assert.equal((await site.delete('/v1/profiles/v', {as: 'admin', match: '*'})).status, 204);
    assert.deepEqual([await found(site, 'numbat'), await found(site, 'renamed')], [[], []]);
    assert.match(await site.cli('db', 'check'), /search index +ok/);
  });

  test('an erased word leaves the files, soon and without another request', async () => {
    const word = 'qxzvkjwpqhm', name = 'Qxzvkjwpqhm';
    const inFiles = () => ['', '-wal'].some((end) => existsSync(at.site.database + end) && [word, name, word.slice(0, 6)].some((text) => readFileSync(at.site.database + end).includes(text)));
    await at.site.make({id: 'e', handle: 'erased', name});
    assert(inFiles());
    await at.site.delete('/v1/profiles/e', {as: 'admin', match: '*'});
    await until('the word to be gone', () => !inFiles());
    // a storm of them does not keep the pool busy
    for (let i = 0; i < 30; i++) {
      await at.site.make({id: `e${i}`, handle: `erased${i}`, name});
      await at.site.delete(`/v1/profiles/e${i}`, {as: 'admin', match: '*'});
    }
    await until('all of them to be gone', () => !inFiles());
    assert.match(await at.site.cli('db', 'check'), /search index +ok/);
  });

  test('db check finds an index that is wrong, db reindex mends it', async () => {
    shell(at.site, "INSERT INTO search (rowid, handle, name) VALUES (77777, 'ghost', 'Ghost')");
    const how = await at.site.tryCli(['db', 'check']);
    assert.equal(how.code, 1);
    assert.match(how.out, /search index +BAD .*reindex/);
    assert.deepEqual(await found(at.site, 'ghost'), [], 'what is not in the profiles is not shown');
    await at.site.cli('db', 'reindex');
    assert.match(await at.site.cli('db', 'check'), /search index +ok/);
    assert.deepEqual(await found(at.site, 'unicode'), ['u']);
  });
}, (site) => load(site, [
  {id: 'u', handle: 'u_handle', name: 'Ünïcode Côde'}, {id: 'b', handle: 'bob', name: 'Bob'}, {id: 'o', handle: 'oo', name: 'Éamon O’Neill'}, {id: 't', handle: 'tt', name: 'Işık ışık'},
  {id: 'c', handle: 'cc', name: '山田 太郎'}, {id: 'l', handle: 'll', name: 'ﬁn Straße'}, {id: 'k', handle: 'kk', name: '각각'}, {id: 'p', handle: 'pp', name: 'Unicode Private', visibility: {name: 'private'}},
]));

if (process.env.PROFILED_LONG)
  scenario('a million profiles', {}, (at) => {
    const COUNT = COUNT_OF_MILLION;
    test('the walk is the set, and each is found by its words', async () => {
      const handles = [];
      for (let address = query({limit: 100}); address;) {
        const answer = await at.site.get(address, LIST_TOKEN);
        assert.equal(answer.status, 200, answer.text);
        for (const {handle} of answer.json.profiles) handles.push(handle);
        address = links(answer).next;
      }
      assert.deepEqual(handles, Array.from({length: COUNT}, (_, n) => person(n).handle).sort());
      for (let n = 7; n < COUNT; n += 9973) {
        const {id, handle, name} = person(n);
        assert.deepEqual(await found(at.site, handle.replaceAll('_', ' ')), [id], handle);
        const words = name.replace('🌻', '').trim();
        if (words.length > 1) {
          const hits = await walk(at.site, query({q: words, limit: 100}));
          assert(hits.some((hit) => hit.id === id), name);
        }
      }
      assert.match(await at.site.cli('db', 'check'), /search index +ok/);
    });
  }, async (site) => {
    let lines = '';
    for (const piece of people(COUNT_OF_MILLION)) lines += piece;
    await load(site, lines);
  });
