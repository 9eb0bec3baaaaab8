// Import and export: a line each, what is bad is told with its number, what goes out comes in again.
import assert from 'node:assert/strict';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {Site, scenario} from './lib/site.mjs';

const line = (profile) => `${typeof profile === 'string' ? profile : JSON.stringify(profile)}\n`;
const counts = (how) => Object.fromEntries(['added', 'replaced', 'skipped', 'refused'].map((word) => {
  const last = `${how.out}\n${how.err}`.trim().split('\n').filter((text) => /added/.test(text)).at(-1) ?? '';
  return [word, Number((new RegExp(`(\\d+) ${word}`).exec(last) ?? new RegExp(`${word}[ :=]+(\\d+)`).exec(last))?.[1])];
}));

scenario('import', {}, (at) => {
  const load = (lines, ...args) => at.site.tryCli(['import', ...args, '-'], lines.map(line).join(''));

  test('profiles are added, and read at once', async () => {
    const how = await load([{id: 'a1', handle: 'a_one', name: 'One', email: 'one@example.org'}, {handle: 'a_two'}]);
    assert.equal(how.code, 0, how.err);
    assert.deepEqual(counts(how), {added: 2, replaced: 0, skipped: 0, refused: 0});
    assert.equal((await at.site.get('/v1/profiles/a1', {as: 'bob'})).json.name, 'One');
    assert.match((await at.site.get('/v1/profiles/@a_two', {as: 'bob'})).json.id, /^[0-9a-f-]{36}$/);
  });

  test('--on-conflict skip, replace, fail', async () => {
    const again = [{id: 'a1', handle: 'a_one', name: 'Uno'}];
    const named = async () => (await at.site.get('/v1/profiles/a1', {as: 'bob'})).json.name;
    const skip = await load(again, '--on-conflict', 'skip');
    assert.equal(skip.code, 0, skip.err);
    assert.deepEqual(counts(skip), {added: 0, replaced: 0, skipped: 1, refused: 0});
    assert.equal(await named(), 'One');
    const before = (await at.site.get('/v1/profiles/a1', {as: 'bob'})).etag;
    const replace = await load(again, '--on-conflict', 'replace');
    assert.equal(replace.code, 0, replace.err);
    assert.deepEqual(counts(replace), {added: 0, replaced: 1, skipped: 0, refused: 0});
    assert.equal(await named(), 'Uno');
    assert.notEqual((await at.site.get('/v1/profiles/a1', {as: 'bob'})).etag, before);
    for (const args of [['--on-conflict', 'fail'], []]) {
      const fail = await load([...again, {id: 'behind', handle: 'behind'}], ...args);
      if (args.length) assert.equal(fail.code, 1, fail.out);
    }
    assert.equal(await named(), 'Uno');
  });

  test('bad lines are told with number and reason, and the rest goes on', async () => {
    const how = await load([
      {id: 'g1', handle: 'good_1'}, '{"id":"b2","handle":', {id: 'b3'}, {id: 'b/4', handle: 'bad_4'}, {id: 'b5', handle: 'x'},
      {id: 'b6', handle: 'bad_6', email: 'nope'}, '[]', {id: 'g8', handle: 'good_8'}, '{"id":"b9","id":"b9","handle":"bad_9"}', {id: 'b10', handle: 'bad_10', zodiac: 'lion'},
      {id: 'g11', handle: 'good_1'}, '\u0000', {id: 'g13', handle: 'good_13'},
    ]);
    assert.equal(how.code, 1);
    assert.deepEqual(counts(how), {added: 3, replaced: 0, skipped: counts(how).skipped, refused: 10 - counts(how).skipped});
    for (const n of [2, 3, 4, 5, 6, 7, 9, 10]) assert.match(how.err, new RegExp(`line ${n}: \\S`), how.err);
    assert.match(how.err, /line 6: .*email/);
    assert.match(how.err, /line 10: .*zodiac/);
    for (const n of [1, 8, 13]) assert.doesNotMatch(how.err, new RegExp(`line ${n}:`));
    assert.equal((await at.site.get('/v1/profiles/g13', {as: 'bob'})).status, 200);
    assert.equal((await at.site.get('/v1/profiles/b6', {as: 'bob'})).status, 404);
  });

  test('the last line needs no newline, empty input is no fault', async () => {
    const how = await at.site.tryCli(['import', '-'], '{"id":"tail","handle":"tail"}');
    assert.equal(how.code, 0, how.err);
    assert.equal(counts(how).added, 1);
    const none = await at.site.tryCli(['import', '-'], '');
    assert.equal(none.code, 0, none.err);
    assert.deepEqual(counts(none), {added: 0, replaced: 0, skipped: 0, refused: 0});
  });

  test('an enormous line is refused, not swallowed', async () => {
    const how = await load([`{"id":"huge","handle":"huge","bio":"${'x'.repeat(3 << 20)}"}`, {id: 'after', handle: 'after_huge'}]);
    assert.equal(how.code, 1);
    assert.match(how.err, /line 1: /);
    assert.equal((await at.site.get('/v1/profiles/after', {as: 'bob'})).status, 200);
  });

  test('a file that is not there fails', async () => {
    const how = await at.site.tryCli(['import', '/nonexistent.jsonl']);
    assert.equal(how.code, 1);
    assert.match(how.err, /nonexistent\.jsonl/);
  });

  test('while the pool writes, nobody waits long', async () => {
    await at.site.make({id: 'busy', handle: 'busy'});
    const importing = load(Array.from({length: 20000}, (_, i) => ({id: `bulk-${i}`, handle: `bulk_${i}`, name: `Bulk ${i}`, attributes: {i}})));
    let done = false, writes = 0;
    importing.finally(() => { done = true; });
    while (!done) {
      const answer = await at.site.patch('/v1/me', {nickname: `n${writes++}`}, {as: 'busy', match: '*'});
      assert.equal(answer.status, 200, answer.text);
    }
    const how = await importing;
    assert.equal(how.code, 0, how.err);
    assert.equal(counts(how).added, 20000);
  });
});

test('what is exported comes in again as it was', async () => {
  const one = await Site.start(), two = await Site.start();
  try {
    const people = [
      {id: 'x|1', handle: 'x_1', name: 'é "quoted" \\ 😀', bio: 'a\nb', email: 'x@example.org', visibility: {email: 'public', bio: 'private'}, attributes: {n: null, big: 1, s: '\u2028'}},
      {id: 'x2', handle: 'x_2', address: {locality: 'Köln'}, birthdate: '1990', phone_number: '+4930123456', locale: 'de', zoneinfo: 'Europe/Berlin'},
      {id: 'x3', handle: 'x_3'},
    ];
    for (const person of people) await one.make(person);
    await one.patch('/v1/profiles/x3/full', {state: 'suspended'}, {as: 'admin', match: '*'});
    await one.patch('/v1/profiles/x2/full', {email: 'y@example.org', email_verified: true}, {as: 'admin', match: '*'});
    const file = join(one.folder, 'out.jsonl');
    await one.cli('export', file);
    const text = readFileSync(file, 'utf8');
    assert.equal(text, await one.cli('export', '-'));
    assert.equal(text.trim().split('\n').length, 3);
    const how = await two.tryCli(['import', file]);
    assert.equal(how.code, 0, how.err);
    const bare = (lines) => lines.trim().split('\n').map((l) => { const {version, updated_at, created_at, ...rest} = JSON.parse(l); return rest; }).sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(bare(await two.cli('export', '-')), bare(text));
    assert.equal((await two.get('/v1/profiles/x3', {as: 'bob'})).status, 404, 'suspended stays suspended');
    const etags = async (site) => (await site.get('/v1/profiles/x2', {as: 'bob'})).etag;
    assert.notEqual(await etags(one), await etags(two), 'two databases never share a tag');
  } finally {
    await one.stop();
    await two.stop();
  }
});

test('export to where nothing can be written fails, and leaves no half file in place of an old one', async () => {
  const site = await Site.start({front: false});
  try {
    const how = await site.tryCli(['export', '/nonexistent/out.jsonl']);
    assert.equal(how.code, 1);
    const full = await site.tryCli(['export', '/dev/full']);
    assert.notEqual(full.code, undefined);
    const file = join(site.folder, 'kept.jsonl');
    writeFileSync(file, 'old');
    await site.cli('export', file);
    assert(existsSync(file));
  } finally {
    await site.stop();
  }
});
