// What is held on a person, as one document; and that nothing of it is left when the person goes: in no answer, and in no file.
import assert from 'node:assert/strict';
import {randomBytes} from 'node:crypto';
import {existsSync, readFileSync} from 'node:fs';
import {test} from 'node:test';
import {png} from './lib/images.mjs';
import {run, sleep, until} from './lib/process.mjs';
import {ADMIN, LIST, READ, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';
import {now} from './lib/token.mjs';

const word = (label) => `${label}${randomBytes(9).toString('hex')}`;
/** A profile with a word of its own in every field that takes one. */
function everything(id, w) {
  return {
    id, handle: `h${w}`.slice(0, 30), name: `${w} name`, given_name: w, family_name: w, nickname: w, pronouns: w.slice(0, 20), bio: `${w}\n${w.repeat(20)}`,
    picture: `https://pictures.example/${w}.png`, website: `https://${w}.example/`, email: `${w}@mail.example`, birthdate: '1987-06-05', phone_number: `+4930${parseInt(w.slice(-6), 16)}`,
    address: {street_address: w, locality: w}, attributes: {[w]: {deep: [w]}},
  };
}
const files = (site) => [site.database, `${site.database}-wal`].filter(existsSync);
/** How often a word stands in the database's files. */
const found = (site, text) => files(site).reduce((n, file) => n + readFileSync(file).toString('latin1').split(text).length - 1, 0);
const sql = async (site, text) => {
  const how = await run('flock', [`${site.database}.lock`, 'sqlite3', '-cmd', '.timeout 5000', site.database, `PRAGMA secure_delete=ON;PRAGMA wal_autocheckpoint=0;${text}`]);
  assert.equal(how.code, 0, how.err);
};
const expects = (answer) => {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.header('content-type'), 'application/json');
  assert.equal(answer.header('cache-control'), 'private, no-store');
  assert.equal(answer.header('vary'), 'Authorization');
  assert.match(answer.header('content-disposition'), /^attachment; filename="profiled-export-\d{4}-\d\d-\d\d\.json"$/);
  assert.equal(answer.etag, undefined);
  return answer.json;
};

scenario('the export', {settings: {server: {workers: 2}}}, (at) => {
  test('an image, single tokens that were revoked, answers kept for repeats', async () => {
    const {site} = at, w = word('x');
    const made = await site.post('/v1/profiles', {id: 'zoe', handle: 'zoe', name: w}, {as: 'admin', scope: ADMIN, headers: {'Idempotency-Key': '"first"'}});
    assert.equal(made.status, 201, made.text);
        assert.equal((await site.put('/v1/me/avatar', png, {as: 'zoe', type: 'image/png'})).status, 201);
    const lost = await site.mint('zoe', READ, {jti: 'lost'});
    assert.equal((await site.post('/v1/tokens/revoke', new URLSearchParams({token: lost}).toString(), {as: 'zoe', type: 'application/x-www-form-urlencoded'})).status, 200);
    const doc = expects(await site.get('/v1/me/export', {as: 'zoe'}));
    assert.deepEqual(Object.keys(doc), ['subject', 'exported_at', 'profile', 'avatar', 'changes', 'revoked_tokens', 'answers']);
    assert.deepEqual([doc.avatar.type, doc.avatar.bytes], ['image/png', png.length]);
    assert(doc.profile.picture.endsWith(`/v1/avatars/${doc.avatar.hash}`), doc.profile.picture);
    assert.equal(doc.revoked_tokens.length, 1);
    assert(Math.abs(Date.parse(doc.revoked_tokens[0].until) - Date.now()) < 86400000);
    const [one] = doc.answers;
    assert.deepEqual([doc.answers.length, one.target, one.status, one.key, JSON.parse(one.body).name], [1, '/v1/profiles', 201, undefined, w]);
    // who asked has the key, and not what it says of another
    const asker = expects(await site.get('/v1/me/export', {as: 'admin', scope: READ}));
    assert.deepEqual(asker.answers.map(({key, body}) => [key, body]), [['first', undefined]]);
    assert.equal((await site.delete('/v1/me', {as: 'zoe', match: '*'})).status, 204);
    const left = expects(await site.get('/v1/me/export', {token: await site.mint('zoe', READ, {iat: now() + 2})}));
    assert.deepEqual(Object.keys(left), ['subject', 'exported_at', 'changes', 'revocation', 'tombstone']);
    assertProblem(await site.get('/v1/me/export', {as: 'admin', scope: READ}), 404);
  });
  test('all that is held, in one document', async () => {
    const {site} = at, w = word('e');
    await site.make(everything('ann', w));
    await site.patch('/v1/me', {nickname: 'other', visibility: {name: 'private'}}, {as: 'ann', match: '*'});
    await site.patch('/v1/me', {handle: 'renamed'}, {as: 'ann', match: '*'});
    const answer = await site.get('/v1/me/export', {as: 'ann', scope: READ}), doc = expects(answer);
    assert.equal(doc.subject, 'ann');
    assert(Math.abs(Date.parse(doc.exported_at) - Date.now()) < 60000);
    assert.deepEqual(doc.profile, (await site.get('/v1/me', {as: 'ann'})).json);
    assert.equal(doc.profile.state, 'active');
    assert.deepEqual(doc.changes.entries.map(({what, handle, old_handle}) => [what, handle, old_handle]),
      [['update', 'renamed', `h${w}`.slice(0, 30)], ['update', undefined, undefined], ['create', `h${w}`.slice(0, 30), undefined]]);
    assert.deepEqual(Object.keys(doc), ['subject', 'exported_at', 'profile', 'changes']);
    const head = await site.head('/v1/me/export', {as: 'ann', scope: READ});
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    assert.equal(head.header('content-disposition'), answer.header('content-disposition'));
    const older = expects(await site.get(`/v1/me/export?from=${doc.changes.entries[1].seq}`, {as: 'ann'}));
    assert.deepEqual(older.changes.entries, doc.changes.entries.slice(1));
  });

  test('of nobody else, and with a token that may read', async () => {
    const {site} = at, w = word('o');
    await site.make(everything('other', w));
    const entry = (await site.get('/v1/me/export', {as: 'other'})).json.changes.entries[0].seq;
    assertUnauthorized(await site.get('/v1/me/export'), {error: null});
    assertProblem(await site.get('/v1/me/export', {as: 'ann', scope: LIST}), 403);
    assert.match(assertProblem(await site.get(`/v1/me/export?from=${entry}`, {as: 'ann'}), 400).type, /#invalid-parameter$/, 'another\'s entry');
    for (const query of ['from=0', 'from=', 'from=x', 'from=-1', 'from=99999999999999999999'])
      assert.match(assertProblem(await site.get(`/v1/me/export?${query}`, {as: 'ann'}), 400).type, /#invalid-parameter$/, query);
    assert.match(assertProblem(await site.get('/v1/me/export?id=other', {as: 'ann'}), 400).type, /#unknown-parameter$/);
    assert(!(await site.get('/v1/me/export', {as: 'ann'})).text.includes(w));
    assert.match(assertProblem(await site.get('/v1/me/export', {as: 'nobody-at-all'}), 404).type, /#no-such-profile$/);
    const post = await site.post('/v1/me/export', {}, {as: 'ann'});
    assertProblem(post, 405);
  });

  test('a suspended one may see it with a new token; a deleted one finds a tombstone', async () => {
    const {site} = at;
    await site.patch('/v1/profiles/ann/full', {state: 'suspended'}, {as: 'admin', match: '*'});
    await sleep(1100);
    const token = await site.mint('ann', READ);
    const doc = expects(await site.get('/v1/me/export', {token}));
    assert.equal(doc.profile.state, 'suspended');
    assert(Math.abs(Date.parse(doc.revocation.until) / 1000 - now()) < 60);
    assert.equal((await site.delete('/v1/profiles/ann', {as: 'admin', match: '*'})).status, 204);
    assertProblem(await site.get('/v1/me/export', {token}), 401);
    await sleep(1100);
    const after = expects(await site.get('/v1/me/export', {token: await site.mint('ann', READ)}));
    assert.deepEqual(Object.keys(after), ['subject', 'exported_at', 'changes', 'revocation', 'tombstone']);
    assert(Math.abs(Date.parse(after.tombstone.deleted_at) - Date.now()) < 60000);
    assert.equal(after.changes.entries[0].what, 'delete');
    // made anew by an administrator: what the log holds from before is still held
    assert.equal((await site.put('/v1/profiles/ann', {handle: 'anew'}, {as: 'admin', none: '*'})).status, 201);
    await sleep(1100);
    const anew = expects(await site.get('/v1/me/export', {token: await site.mint('ann', READ)}));
    assert.deepEqual(anew.changes.entries.slice(1), after.changes.entries);
    assert.equal((await site.delete('/v1/profiles/ann', {as: 'admin', match: '*'})).status, 204);
    assert.equal(after.changes.entries[0].seq, after.tombstone.seq);
    assert(after.changes.entries.every((e) => e.handle === undefined && e.old_handle === undefined));
  });
});

scenario('erasure', {settings: {server: {workers: 2}}}, (at) => {
  test('no word of an erased profile is in the database or its log some seconds later', async () => {
    const {site} = at, words = [], all = [];
    for (let i = 0; i < 40; i++) {
      const first = word('a'), second = word('b');
      await site.make(everything(`p${i}`, first));
      words.push([first.slice(1), second.slice(1)]);
      all.push(second);
    }
    for (let i = 0; i < 40; i++) {
      const {id, ...rest} = everything(`p${i}`, all[i]);
      assert.equal((await site.put('/v1/me', rest, {as: id, match: '*'})).status, 200);
      await site.get(`/v1/profiles/${id}`, {as: 'reader', scope: READ});
    }
    assert(words.every(([a, b]) => found(site, a) > 0 && found(site, b) > 0), 'they are to be found at first');
    const gone = words.filter((_, i) => i % 2 === 0).flat();
    for (let i = 0; i < 40; i += 2) {
      const how = i % 4 === 0 ? await site.delete('/v1/me', {as: `p${i}`, match: '*'}) : await site.delete(`/v1/profiles/p${i}`, {as: 'admin', match: '*'});
      assert.equal(how.status, 204, how.text);
    }
    await until('the words to be gone', () => gone.every((w) => found(site, w) === 0), 10000);
    for (let i = 1; i < 40; i += 2) assert.equal((await site.get('/v1/me', {as: `p${i}`})).json.given_name, all[i]);
    assert.match(await site.cli('db', 'check'), /ok/);
  });

  test('also where a hand at the sqlite3 shell deletes, and while others write', async () => {
    const {site} = at, w = word('s');
    await site.make(everything('by-shell', w));
    let writing = true, writes = 0;
    const writer = (async () => {
      while (writing) {
        assert.equal((await site.patch('/v1/me', {bio: 'x'.repeat(1 + (writes++ % 900))}, {as: 'p1', match: '*'})).status, 200);
        await sleep(5);
      }
    })();
    await sql(site, "DELETE FROM profiles WHERE id = 'by-shell'");
    await until('the word to be gone', () => found(site, w.slice(1)) === 0, 10000);
    writing = false;
    await writer;
    assert(writes > 0);
    assert.match(await site.cli('db', 'check'), /ok/);
  });

  test('what is left: a tombstone with id and time, a revocation, entries of the log without handles', async () => {
    const {site} = at;
    const {changes} = (await site.get('/v1/changes?limit=1000', {as: 'admin', scope: ADMIN})).json;
    const left = changes.filter(({id}) => id === 'p0');
    assert.deepEqual(left.map(({what}) => what), ['create', 'update', 'delete', 'revoke']);
    for (const entry of left) assert.deepEqual(Object.keys(entry), ['seq', 'id', 'what', 'at']);
    const dump = await run('sqlite3', [site.database, '.dump']);
    const lines = dump.out.split('\n').filter((line) => line.includes("'p0'"));
    assert.deepEqual(lines.map((line) => line.match(/INSERT INTO (\w+)/)[1]).sort(), ['changes', 'changes', 'changes', 'changes', 'revocations', 'tombstones']);
  });

  test('a pool that was killed before it came to that: the next one does it', async () => {
    const {site} = at, w = word('k');
    await site.make(everything('killed', w));
    assert.equal((await site.delete('/v1/profiles/killed', {as: 'admin', match: '*'})).status, 204);
    const family = [site.pool.pid, ...site.workers(), ...site.changes()];
    for (const pid of family) try { process.kill(pid, 'SIGKILL'); } catch { /* ended with its supervisor */ }
    await site.pool.exited;
    await site.startPool();
    await until('the word to be gone', () => found(site, w.slice(1)) === 0, 10000);
  });
});
