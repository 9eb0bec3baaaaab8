// Faults of the storage: a 503 with Retry-After (507 when the disk is full), never a 401, a 404 or a 500; readers go on, and it
// mends itself when the fault is gone.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {sleep, start, until} from './lib/process.mjs';
import {Site, assertProblem, assertUnauthorized, isRoot} from './lib/site.mjs';

const prepare = (site) => site.make({id: 'ann', handle: 'ann', name: 'Ann'});

function assertFault(answer, statuses = [503]) {
  assert(statuses.includes(answer.status), `${answer.status}: ${answer.text}`);
  assertProblem(answer, answer.status);
  assert.match(answer.header('retry-after'), /^\d+$/);
  assert.equal(answer.header('cache-control'), 'no-store');
  assert.equal(answer.header('www-authenticate'), undefined);
  assert.doesNotMatch(answer.text, /sqlite|\/tmp|profiled\.db/i, 'the reason is for the log');
}
/** Every kind of request that needs the database, and a token that is bad all the same. */
async function everythingFails(site) {
  assertFault(await site.get('/v1/profiles/ann', {as: 'bob'}));
  assertFault(await site.get('/v1/profiles/@ann', {as: 'bob'}));
  assertFault(await site.get('/v1/profiles/nobody', {as: 'bob'}));
  assertFault(await site.get('/v1/me', {as: 'ann'}));
  assertFault(await site.patch('/v1/me', {name: 'x'}, {as: 'ann', match: '*'}), [503, 507]);
  assertFault(await site.post('/v1/profiles', {handle: 'x_x'}, {as: 'admin'}), [503, 507]);
  assertFault(await site.get('/readyz'));
  assertUnauthorized(await site.get('/v1/me', {token: 'x'}));
  assertUnauthorized(await site.get('/v1/me'), {error: null});
  assert.equal((await site.get('/healthz')).status, 200);
  assert.equal((await site.get('/.well-known/jwks.json')).status, 200);
}
async function everythingWorks(site) {
  await until('it to mend', async () => (await site.get('/readyz')).status === 200);
  assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).json.id, 'ann');
  const answer = await site.patch('/v1/me', {nickname: `n${Date.now()}`}, {as: 'ann', match: '*'});
  assert.equal(answer.status, 200, answer.text);
}
const files = (site) => readdirSync(dirname(site.database)).filter((name) => name.startsWith('profiled.db'));

test('the database is moved away, and back', async () => {
  const site = await Site.start();
  try {
    await prepare(site);
    const folder = dirname(site.database), away = `${folder}.away`;
    renameSync(folder, away);
    // Workers that have it open may go on with it; new ones cannot open it.
    site.workers().forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until('a fault', async () => (await site.get('/readyz')).status === 503);
    await everythingFails(site);
    renameSync(away, folder);
    await everythingWorks(site);
  } finally {
    await site.stop();
  }
});

test('the database is overwritten by something else', async () => {
  const site = await Site.start();
  try {
    await prepare(site);
    await site.pool.stop();
    const copies = files(site).map((name) => join(dirname(site.database), name)).map((path) => [path, readFileSync(path)]);
    await site.startPool();
    await until('an answer', async () => (await site.get('/readyz')).status === 200);
    for (const [path] of copies) if (/-(wal|shm)$/.test(path)) rmSync(path, {force: true});
    writeFileSync(site.database, Buffer.alloc(100000, 'this is no database '));
    site.workers().forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until('a fault', async () => (await site.get('/readyz')).status === 503);
    await everythingFails(site);
    for (const name of files(site)) if (/-(wal|shm)$/.test(name)) rmSync(join(dirname(site.database), name));
    for (const [path, bytes] of copies) writeFileSync(path, bytes);
    site.workers().forEach((pid) => process.kill(pid, 'SIGKILL'));
    await everythingWorks(site);
  } finally {
    await site.stop();
  }
});

test('the database is emptied under the pool', async () => {
  const site = await Site.start();
  try {
    await prepare(site);
    truncateSync(site.database, 0);
    const wal = `${site.database}-wal`;
    if (existsSync(wal)) truncateSync(wal, 0);
    for (let i = 0; i < 6; i++)
      for (const answer of [await site.get('/v1/profiles/ann', {as: 'bob'}), await site.get('/v1/me', {as: 'ann'}), await site.patch('/v1/me', {name: 'x'}, {as: 'ann', match: '*'})])
        assert([200, 503].includes(answer.status), `${answer.status}: ${answer.text}`);
  } finally {
    await site.stop();
  }
});

test('a database whose migrations are not current is not served', async () => {
  const site = new Site();
  try {
    await site.prepare();
    rmSync(site.database);
    const how = await site.tryCli(['serve']);
    assert.equal(how.code, 1);
    assert.match(how.err, /migrate/);
    for (const args of [['export', '-'], ['db', 'check']]) {
      const tried = await site.tryCli(args);
      assert.equal(tried.code, 1, args.join(' '));
      assert(!existsSync(site.database), 'nothing but migrate makes a database');
    }
  } finally {
    await site.stop();
  }
});

test('somebody holds the writers\' lock: a write waits a while and gets a 503, readers do not notice', {timeout: 60000}, async () => {
  const site = await Site.start({settings: {server: {workers: 3}}});
  const holder = start(site.frontLog, 'flock', ['--no-fork', `${site.database}.lock`, 'sleep', '60']);
  try {
    // The holder had the lock before this profile could be made: wait it out.
    await sleep(200);
    const waiting = site.post('/v1/profiles', {id: 'ann', handle: 'ann'}, {as: 'admin'});
    for (let i = 0; i < 20; i++) assertProblem(await site.get('/v1/profiles/ann', {as: 'bob'}), 404);
    assertFault(await waiting);
    await holder.stop();
    await prepare(site);
    await everythingWorks(site);
  } finally {
    await holder.stop();
    await site.stop();
  }
});

test('a read-only database: writers get a 503, readers go on', async () => {
  const site = new Site();
  const owner = isRoot ? 'www-data' : undefined;
  try {
    await site.prepare({settings: {server: owner ? {user: owner} : {}}});
    const folder = dirname(site.database);
    if (owner) spawnSync('chown', ['-R', `${owner}:`, folder, site.keys]);
    await site.startPool();
    await site.startFront();
    await prepare(site);
    const paths = [folder, ...files(site).map((name) => join(folder, name))];
    const modes = paths.map((path) => statSync(path).mode);
    if (owner) spawnSync('chown', ['-R', 'root:root', folder]);
    paths.forEach((path) => chmodSync(path, path === folder ? 0o555 : 0o444));
    site.workers().forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until('workers', () => site.workers().length === 2);
    for (let i = 0; i < 4; i++) {
      assertFault(await site.patch('/v1/me', {name: 'x'}, {as: 'ann', match: '*'}));
      const read = await site.get('/v1/profiles/ann', {as: 'bob'});
      assert([200, 503].includes(read.status), `${read.status}`);
    }
    paths.forEach((path, i) => chmodSync(path, modes[i] & 0o7777));
    if (owner) spawnSync('chown', ['-R', `${owner}:`, folder]);
    await everythingWorks(site);
    assert.equal((await site.get('/v1/me', {as: 'ann'})).json.name, 'Ann');
  } finally {
    if (existsSync(site.folder)) spawnSync('chmod', ['-R', 'u+rwX', site.folder]);
    await site.stop();
  }
});

test('a full disk: writers get a 507, readers go on, and room makes it well again', {skip: !isRoot && 'a file system of its own needs root'}, async (t) => {
  const site = new Site();
  const folder = () => dirname(site.database);
  let mounted = false;
  try {
    await site.prepare();
    rmSync(folder(), {recursive: true});
    mkdirSync(folder());
    mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder()]).status === 0;
    if (!mounted) return t.skip('no file system can be mounted here');
    await site.cli('db', 'migrate');
    await site.startPool();
    await site.startFront();
    await prepare(site);
    const ballast = join(folder(), 'ballast');
    const fill = () => spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4096']);
    fill();
    const statuses = new Set();
    for (let i = 0; i < 12; i++) {
      const bio = `${i}`.padEnd(2000, 'x');
      const answer = await site.patch('/v1/me', {bio, attributes: {x: bio}}, {as: 'ann', match: '*'});
      statuses.add(answer.status);
      if (answer.status !== 200) assertFault(answer, [507, 503]);
      assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
    }
    assert(statuses.has(507), `${[...statuses]}`);
    const seen = (await site.get('/v1/me', {as: 'ann'})).json;
    rmSync(ballast);
    await everythingWorks(site);
    assert.equal((await site.get('/v1/me', {as: 'ann'})).json.bio, seen.bio, 'what was refused is not there afterwards');
    await site.cli('db', 'check');
  } finally {
    const stopped = await site.pool?.stop();
    if (mounted) spawnSync('umount', ['-l', folder()]);
    await site.stop();
    if (stopped) assert.equal(stopped.code, 0);
  }
});
