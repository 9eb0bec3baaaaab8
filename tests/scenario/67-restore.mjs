// The database is exchanged under the pool: a backup put in its place, restored into it, an older copy moved over it; taken away, made
// unreadable. No answer of what was there before, and no tag that comes back with another body.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {copyFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {anotherPool, crewOf} from './lib/crew.mjs';
import {straight} from './lib/fastcgi.mjs';
import {run, sleep, start} from './lib/process.mjs';
import {Site, assertProblem, assertUnauthorized} from './lib/site.mjs';

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
    const remember = ({etag, text}) => {
      const before = bodies.get(etag);
      assert(before === undefined || before === text, `${etag} was given out for\n${before}\nand now for\n${text}`);
      bodies.set(etag, text);
    };
    /** What every worker says at an address: one answer, and no tag that it gave out stands for two bodies. */
    const read = async (path, {fault = false} = {}) => {
      const answers = (await Promise.all(crews.map((crew) => crew.get(site, path, {as: 'admin'})))).flat();
      for (const answer of answers) {
        if (fault) assertProblem(answer, 503);
        assert.equal(answer.status, answers[0].status, `${path}: ${answers.map((a) => `${a.status} ${a.text}`).join('\n')}`);
        if (answer.status !== 200) continue;
        assert.equal(answer.text, answers[0].text, path);
        remember(answer);
      }
      return answers[0];
    };
    const wrote = async (profile) => {
      const answer = await site.patch('/v1/profiles/ann/full', profile, {as: 'admin', match: '*'});
      assert.equal(answer.status, 200, answer.text);
      remember(answer);
    };
    const everything = async () => { for (const path of PATHS) await read(path); };
    await use({site, other, crews, remember, read, wrote, everything, tags: () => new Set(bodies.keys())});
  } finally {
    await other?.stop();
    await site.stop();
  }
}

const sql = (path, ...commands) => {
  const how = spawnSync('sqlite3', [...['.timeout 5000', 'PRAGMA wal_autocheckpoint=0'].flatMap((c) => ['-cmd', c]), path, ...commands], {encoding: 'utf8'});
  assert.equal(how.status, 0, how.stderr);
  return how.stdout;
};
/** Runs a program with the writers' lock held; the pool goes on meanwhile. */
async function underLock(site, ...command) {
  const how = await run('flock', [`${site.database}.lock`, ...command]);
  assert.equal(how.code, 0, how.err);
}
const locked = (site, ...commands) => underLock(site, 'sqlite3', '-cmd', '.timeout 5000', '-cmd', 'PRAGMA wal_autocheckpoint=0', site.database, ...commands);

/** The ways to put FILE, an older state in which ann was called "old" and "late" was not there, in the place of the database. */
const ways = {
  // the log goes first, and no writer comes between: else a worker might take it for the new database's
  'moved over it, its log removed': (site, file) => underLock(site, 'sh', '-c', 'rm -f "$1-wal" "$1-shm" && mv "$0" "$1"', file, site.database),
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
    await put(site, backup);
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
    await put(site, copy);
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
    await put(site, copy);
    // past the number that the pool knows
    for (let i = 0; i < 8; i++) await locked(site, `UPDATE profiles SET name = 'by hand ${i}' WHERE id = 'ann'`);
    assert.equal((await read('/v1/profiles/ann')).json.name, 'by hand 7');
    assert.equal((await read('/v1/profiles/late')).status, 404);
    await everything();
  }));
}

test('another database without a log is moved over one without a log: nothing of the old one is answered', {skip: noShell}, () => exchanged(async ({site, read, everything}) => {
  const copy = join(site.folder, 'copy.db');
  // of the same pages: those that the log gets meanwhile, by whoever begins it, are written over them
  await locked(site, 'PRAGMA wal_checkpoint(TRUNCATE)');
  copyFileSync(site.database, copy);
  // both in the state in which SQLite's index of the log is the same for every database: an empty log
  sql(copy, 'PRAGMA journal_mode=WAL', "UPDATE profiles SET name = 'other'", 'PRAGMA wal_checkpoint(TRUNCATE)');
  await locked(site, 'PRAGMA wal_checkpoint(TRUNCATE)');
  await everything();
  renameSync(copy, site.database);
  assert.equal((await read('/v1/profiles/ann')).json.name, 'other');
  await everything();
}));

for (const [way, put] of Object.entries(ways))
  test(`a backup is ${way}, without caches, and written to first of all: no tag without an epoch`, () => exchanged(async ({site, crews, wrote, everything, tags}) => {
    const backup = join(site.folder, 'backup.db');
    await everything();
    await site.cli('db', 'backup', backup);
    for (let i = 0; i < 5; i++) await wrote({name: `newer ${i}`});
    await everything();
    const before = tags();
    await put(site, backup);
    const held = await crews[0].hold();
    const made = await Promise.all(held.map((connection, i) => site.post('/v1/profiles', {id: `m${i}`, handle: `m_${i}`}, {as: 'admin', via: (r) => connection.ask(r)})));
    for (const answer of made) {
      assert.equal(answer.status, 201, answer.text);
      assert.match(answer.etag, /^"[0-9a-f]+-1[po]\d+"$/);
      assert(!before.has(answer.etag));
      assert.equal((await site.get(answer.header('location'), {as: 'admin'})).etag, answer.etag);
    }
    await everything();
  }, {cache: {size: 0}, token: {cache_size: 0}}));

test('backups are put in its place while everybody reads and writes: each tag stands for one body', () => exchanged(async ({site, other, everything, wrote, remember}) => {
  const backup = join(site.folder, 'backup.db');
  const roads = [undefined, straight(site.socket), straight(site.socket), other.via];
  const counts = {}, wrong = [];
  let going = true;
  const keep = (answer) => {
    counts[answer.status] = (counts[answer.status] ?? 0) + 1;
    if (answer.status === 200) remember(answer);
    else if (![503, 404, 412].includes(answer.status)) wrong.push(new Error(`${answer.status} ${answer.text}`));
  };
  const loop = async (n, ask) => {
    for (let i = 0; going && !wrong.length; i++)
      try { keep(await ask(i, roads[(n + i) % roads.length])); } catch (error) { wrong.push(error); }
  };
  await wrote({name: 'old'});
  await site.cli('db', 'backup', backup);
  const loops = [0, 1, 2, 3, 4, 5].map((n) => loop(n, (i, via) => site.get(PATHS[(n + i) % 3], {as: 'admin', via})));
  loops.push(loop(0, (i, via) => site.patch('/v1/profiles/ann/full', {name: `w${i}`, email: `${i}@example.org`}, {as: 'admin', match: '*', via})));
  for (let i = 0; i < 4; i++) {
    await sleep(300);
    const copy = join(site.folder, `copy${i}.db`);
    copyFileSync(backup, copy);
    await Object.values(ways)[i % Object.keys(ways).length](site, copy);
  }
  await sleep(300);
  going = false;
  await Promise.all(loops);
  if (wrong.length) throw wrong[0];
  assert(counts[200] > 200, JSON.stringify(counts));
  assert((counts[503] ?? 0) < counts[200] / 4, JSON.stringify(counts));
  await wrote({name: 'end'});
  await everything();
  await site.cli('db', 'check');
}));

test('the database is taken away: what is in the cache is not answered either; and back: all is as before', {skip: noShell}, () => exchanged(async ({site, read, wrote, everything}) => {
  const faults = async () => {
    for (const path of PATHS) await read(path, {fault: true});
    for (const answer of [await site.get('/v1/me', {as: 'ann'}), await site.head('/v1/profiles/ann', {as: 'admin', none: '*'})]) {
      assert.equal(answer.status, 503);
      assert.match(answer.header('retry-after'), /^\d+$/);
      assert.equal(answer.header('cache-control'), 'no-store');
    }
    assertUnauthorized(await site.get('/v1/profiles/ann', {token: 'x'}));
  };
  const away = `${site.database}.away`;
  await everything();
  await everything();
  const strange = join(site.folder, 'strange.db');
  sql(strange, 'CREATE TABLE profiles (id, handle)');
  const putThere = {nothing: () => {}, empty: () => writeFileSync(site.database, ''), strange: () => renameSync(strange, site.database),
    garbage: () => writeFileSync(site.database, Buffer.alloc(100000, 'no database '))};
  for (const [what, inItsPlace] of Object.entries(putThere)) {
    // what the log holds would be read, whatever lies beside it; but beside an empty file SQLite would throw it away, which must not happen
    if (what !== 'empty') await locked(site, 'PRAGMA wal_checkpoint(TRUNCATE)');
    renameSync(site.database, away);
    inItsPlace();
    await faults();
    await faults();
    renameSync(away, site.database);
    assert.equal((await read('/v1/profiles/ann')).status, 200);
    await everything();
    await wrote({name: `back ${Math.random()}`});
    await everything();
  }
}));

test('a database that nobody may write to: its answers are hits all the same', {skip: noShell}, () => exchanged(async ({site, read, everything}) => {
  await everything();
  const holder = start(site.frontLog, 'flock', ['--no-fork', `${site.database}.lock`, 'sleep', '30']);
  try {
    await sleep(200);
    for (let i = 0; i < 5; i++) {
      const begun = Date.now();
      assert.equal((await read('/v1/profiles/ann')).header('cache-status'), 'profiled; hit');
      assert(Date.now() - begun < 4000, 'no read waits for the writers\' lock');
    }
  } finally {
    await holder.stop();
  }
}));
