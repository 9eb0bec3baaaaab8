// The database is exchanged under the pool: a backup put in its place, restored into it, an older copy moved over it; taken away, made
// unreadable. No answer of what was there before, and no tag that comes back with another body.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {copyFileSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {anotherPool, crewOf} from './lib/crew.mjs';
import {Site, assertProblem} from './lib/site.mjs';

const noShell = spawnSync('sqlite3', ['-version']).status !== 0 && 'there is no sqlite3 here';
const PATHS = ['/v1/profiles/ann', '/v1/profiles/@ann', '/v1/profiles/ann/full', '/v1/profiles/late', '/v1/profiles/@late'];

/** A pool of three workers and another of one, on a database with ann in it; use gets {site, read, wrote, tags}. */
async function exchanged(use, settings = {}) {
  const site = await Site.start({settings: {server: {workers: 3}, log: {level: 'warn'}, ...settings}});
  let other;
  try {
    await site.make({id: 'ann', handle: 'ann', name: 'first'});
    other = await anotherPool(site, 'other');
    const crews = [await crewOf(site.socket, () => site.workers(), 3), await other.crew()];
    const bodies = new Map();
    /** What every worker says at an address: one answer, and no tag that it gave out stands for two bodies. */
    const read = async (path, {fault = false} = {}) => {
      const answers = (await Promise.all(crews.map((crew) => crew.get(site, path, {as: 'admin'})))).flat();
      for (const answer of answers) {
        if (fault) assertProblem(answer, 503);
        assert.equal(answer.status, answers[0].status, `${path}: ${answers.map((a) => `${a.status} ${a.text}`).join('\n')}`);
        if (answer.status !== 200) continue;
        assert.equal(answer.text, answers[0].text, path);
        const before = bodies.get(answer.etag);
        assert(before === undefined || before === answer.text, `${path}: ${answer.etag} was given out for\n${before}\nand now for\n${answer.text}`);
        bodies.set(answer.etag, answer.text);
      }
      return answers[0];
    };
    const wrote = async (profile) => {
      const answer = await site.patch('/v1/profiles/ann/full', profile, {as: 'admin', match: '*'});
      assert.equal(answer.status, 200, answer.text);
      bodies.set(answer.etag, answer.text);
    };
    const everything = async () => { for (const path of PATHS) await read(path); };
    await use({site, read, wrote, everything, tags: () => new Set(bodies.keys())});
  } finally {
    await other?.stop();
    await site.stop();
  }
}

const withoutLog = (site) => ['-wal', '-shm'].forEach((end) => rmSync(site.database + end, {force: true}));
const sql = (path, ...commands) => {
  const how = spawnSync('sqlite3', [...['.timeout 5000', 'PRAGMA wal_autocheckpoint=0'].flatMap((c) => ['-cmd', c]), path, ...commands], {encoding: 'utf8'});
  assert.equal(how.status, 0, how.stderr);
  return how.stdout;
};
const locked = (site, ...commands) => {
  const how = spawnSync('flock', [`${site.database}.lock`, 'sqlite3', '-cmd', '.timeout 5000', '-cmd', 'PRAGMA wal_autocheckpoint=0', site.database, ...commands], {encoding: 'utf8'});
  assert.equal(how.status, 0, how.stderr);
};

/** The ways to put FILE, an older state in which ann was called "old" and "late" was not there, in the place of the database. */
const ways = {
  'moved over it, its log removed': (site, file) => { withoutLog(site); renameSync(file, site.database); },
  'moved over it, and the log then removed': (site, file) => { renameSync(file, site.database); withoutLog(site); },
  ...(noShell ? {} : {'restored into it by the sqlite3 shell': (site, file) => locked(site, `.restore '${file}'`)}),
};
for (const [way, put] of Object.entries(ways)) {
  test(`a backup is ${way}: the next read of every worker, and no tag given out before`, () => exchanged(async ({site, read, wrote, everything, tags}) => {
    const backup = join(site.folder, 'backup.db');
    await wrote({name: 'old'});
    await everything();
    await site.cli('db', 'backup', backup);
    for (let i = 0; i < 5; i++) await wrote({name: `newer ${i}`});
    await site.make({id: 'late', handle: 'late'});
    await everything();
    const before = tags();
    put(site, backup);
    for (let i = 0; i < 2; i++) {
      const [ann] = [await read('/v1/profiles/ann'), await everything()];
      assert.equal(ann.json.name, 'old');
      assert(!before.has(ann.etag), `${ann.etag} came back`);
      for (const path of PATHS) assert(!before.has((await read(path)).etag));
    }
    assert.equal((await read('/v1/profiles/@late')).status, 404);
    for (let i = 0; i < 8; i++) {
      await wrote({name: `after ${i}`});
      assert.equal((await read('/v1/profiles/ann')).json.name, `after ${i}`);
      for (const path of PATHS) assert(!before.has((await read(path)).etag));
    }
    await site.cli('db', 'check');
  }));

  test(`a plain older copy is ${way}: no tag stands for another body`, {skip: noShell}, () => exchanged(async ({site, read, wrote, everything}) => {
    const copy = join(site.folder, 'copy.db');
    await wrote({name: 'old'});
    await everything();
    sql(site.database, `VACUUM INTO '${copy}'`);
    sql(copy, 'PRAGMA journal_mode=WAL');
    for (let i = 0; i < 5; i++) await wrote({name: `newer ${i}`});
    await site.make({id: 'late', handle: 'late'});
    await everything();
    put(site, copy);
    assert.equal((await read('/v1/profiles/ann')).json.name, 'old');
    await everything();
    assert.equal((await read('/v1/profiles/late')).status, 404);
    for (let i = 0; i < 8; i++) {
      await wrote({name: `after ${i}`});
      await everything();
    }
  }));

  test(`a plain older copy is ${way}, and written to by hand before anybody looks`, {skip: noShell}, () => exchanged(async ({site, read, wrote, everything}) => {
    const copy = join(site.folder, 'copy.db');
    await wrote({name: 'old'});
    sql(site.database, `VACUUM INTO '${copy}'`);
    sql(copy, 'PRAGMA journal_mode=WAL');
    for (let i = 0; i < 4; i++) await wrote({name: `newer ${i}`});
    await site.make({id: 'late', handle: 'late'});
    await everything();
    put(site, copy);
    // past the number that the pool knows
    for (let i = 0; i < 8; i++) locked(site, `UPDATE profiles SET name = 'by hand ${i}' WHERE id = 'ann'`);
    assert.equal((await read('/v1/profiles/ann')).json.name, 'by hand 7');
    assert.equal((await read('/v1/profiles/late')).status, 404);
    await everything();
  }));
}

test('another database without a log is moved over one without a log: nothing of the old one is answered', {skip: noShell}, () => exchanged(async ({site, read, everything}) => {
  const copy = join(site.folder, 'copy.db');
  sql(site.database, `VACUUM INTO '${copy}'`);
  // both in the state in which SQLite's index of the log is the same for every database: an empty log
  sql(copy, 'PRAGMA journal_mode=WAL', "UPDATE profiles SET name = 'other'", 'PRAGMA wal_checkpoint(TRUNCATE)');
  locked(site, 'PRAGMA wal_checkpoint(TRUNCATE)');
  await everything();
  renameSync(copy, site.database);
  assert.equal((await read('/v1/profiles/ann')).json.name, 'other');
  await everything();
}));
