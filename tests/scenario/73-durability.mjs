// What was answered is there: after kill -9 of everything, after restarts, with the same tags; and writers of other processes.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {test} from 'node:test';
import {load} from './lib/load.mjs';
import {alive, killAll, sleep, until} from './lib/process.mjs';
import {MERGE, Site, scenario} from './lib/site.mjs';

test('kill -9 of every process right behind an answered write: it is there', async () => {
  const site = await Site.start({settings: {server: {workers: 3}}});
  try {
    await site.make({id: 'ann', handle: 'ann'});
    for (let round = 0; round < 8; round++) {
      const name = `round ${round}`;
      const answer = await site.patch('/v1/me', {name}, {as: 'ann', match: '*'});
      const family = [site.pool.pid, ...site.workers()];
      killAll(family);
      assert.equal(answer.status, 200);
      await site.pool.exited;
      await until('their end', () => !family.some(alive));
      await site.startPool();
      const after = await until('an answer', async () => {
        const got = await site.get('/v1/me', {as: 'ann'});
        return got.status === 200 && got;
      });
      assert.equal(after.json.name, name);
      assert.equal(after.etag, answer.etag, 'and its tag');
    }
    await site.cli('db', 'check');
  } finally {
    await site.stop();
  }
});

test('kill -9 of every process in the middle of writes: the last answered one or the one after it', async () => {
  const site = await Site.start({settings: {server: {workers: 3}}});
  try {
    await site.make({id: 'ann', handle: 'ann'});
    const token = await site.token('ann');
    for (let round = 0; round < 5; round++) {
      let answered = -1;
      const traffic = load(site, {token, path: '/v1/me', method: 'PATCH', connections: 1, keepAlive: false, ms: 5000, good: () => true,
        headers: () => ({'Content-Type': MERGE, 'If-Match': '*'}), body: (i) => JSON.stringify({nickname: `${round}.${i}`}),
        onAnswer: (answer, i) => { if (answer.status === 200) answered = i; }});
      await sleep(60 + 40 * round);
      killAll([site.pool.pid, ...site.workers()]);
      await traffic.stop();
      await site.pool.exited;
      await site.startPool();
      const got = await until('an answer', async () => {
        const answer = await site.get('/v1/me', {as: 'ann'});
        return answer.status === 200 && answer;
      });
      if (answered >= 0) {
        const [r, i] = got.json.nickname.split('.').map(Number);
        assert.equal(r, round);
        assert(i >= answered, `${got.json.nickname} after ${round}.${answered} was answered`);
      }
    }
    await site.cli('db', 'check');
  } finally {
    await site.stop();
  }
});

scenario('the same tags', {settings: {server: {workers: 3}}}, (at) => {
  const tags = async (token) => {
    const list = [];
    for (const path of ['/v1/profiles/ann', '/v1/profiles/@ann', '/v1/me', '/v1/profiles/ann/full']) {
      const answer = await at.site.get(path, {token});
      assert.equal(answer.status, 200);
      list.push(answer.etag, answer.header('last-modified'), answer.text);
    }
    return list;
  };

  test('whatever the worker, the token, the key, the settings of the pool, and after a restart', async () => {
    const {site} = at;
    const token = await site.token('ann');
    const first = await tags(token);
    const same = async (t = token) => { for (let i = 0; i < 6; i++) assert.deepEqual(await tags(t), first); };
    await same();
    await same(await site.mint('ann', undefined, {jti: 'another'}));
    await same((await site.cli('token', 'issue', '--sub', 'ann', '--scope', 'profile:read', '--format', 'paseto')).trim());
    await site.cli('key', 'new');
    await site.reload();
    await same((await site.cli('token', 'issue', '--sub', 'ann', '--scope', 'profile:read')).trim());
    assert.deepEqual(await site.pool.stop(), {code: 0, signal: null});
    site.settings.http = {max_age: '5s', cors_origins: '*'};
    site.settings.server.workers = 1;
    site.writeConfig();
    await site.startPool();
    await until('an answer', async () => (await site.get('/readyz')).status === 200);
    await same();
  });

  test('a read that begins after another process\'s write was finished sees it', async () => {
    const {site} = at;
    for (let i = 0; i < 10; i++) {
      const before = await site.get('/v1/profiles/ann', {as: 'bob'});
      const imported = await site.tryCli(['import', '--on-conflict', 'replace', '-'], `${JSON.stringify({id: 'ann', handle: 'ann', name: `import ${i}`})}\n`);
      assert.equal(imported.code, 0, imported.err);
      for (let n = 0; n < 6; n++) {
        const after = await site.get('/v1/profiles/ann', {as: 'bob'});
        assert.equal(after.json.name, `import ${i}`);
        assert.notEqual(after.etag, before.etag);
      }
    }
  });

  test('the sqlite3 shell\'s too', {skip: spawnSync('sqlite3', ['-version']).status !== 0 && 'there is no sqlite3 here'}, async () => {
    const {site} = at;
    const before = await site.get('/v1/profiles/ann', {as: 'bob'});
    const shell = spawnSync('sqlite3', ['-cmd', '.timeout 5000', site.database, "UPDATE profiles SET name = 'by hand' WHERE id = 'ann'"], {encoding: 'utf8'});
    assert.equal(shell.status, 0, shell.stderr);
    for (let n = 0; n < 6; n++) {
      const after = await site.get('/v1/profiles/ann', {as: 'bob', none: before.etag});
      assert.equal(after.status, 200);
      assert.equal(after.json.name, 'by hand');
      assert.notEqual(after.etag, before.etag);
    }
  });

  test('a private edit with the shell leaves the public tag alone', {skip: spawnSync('sqlite3', ['-version']).status !== 0 && 'there is no sqlite3 here'}, async () => {
    const {site} = at;
    const before = [await site.get('/v1/profiles/ann', {as: 'bob'}), await site.get('/v1/me', {as: 'ann'})];
    assert.equal(spawnSync('sqlite3', ['-cmd', '.timeout 5000', site.database, "UPDATE profiles SET email = 'hand@example.org' WHERE id = 'ann'"]).status, 0);
    assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).etag, before[0].etag);
    assert.notEqual((await site.get('/v1/me', {as: 'ann'})).etag, before[1].etag);
  });

  test('many writers at once, of several processes: nothing is lost, the database is whole', async () => {
    const {site} = at;
    const token = await site.token('admin');
    for (let i = 0; i < 4; i++) await site.make({id: `w${i}`, handle: `w_${i}`});
    const last = new Map();
    const traffic = load(site, {token, path: (i) => `/v1/profiles/w${i % 4}/full`, method: 'PATCH', connections: 4, most: 600,
      headers: () => ({'Content-Type': MERGE, 'If-Match': '*'}), body: (i) => JSON.stringify({nickname: `${i}`}),
      onAnswer: (answer, i) => last.set(i % 4, Math.max(last.get(i % 4) ?? 0, answer.json.version))});
    for (let n = 0; n < 8; n++) {
      const lines = Array.from({length: 200}, (_, i) => JSON.stringify({id: `imp-${n}-${i}`, handle: `imp_${n}_${i}`})).join('\n');
      const how = await site.tryCli(['import', '-'], lines);
      assert.equal(how.code, 0, how.err);
    }
    await until('the load', () => traffic.begun >= 600, 60000);
    assert.deepEqual((await traffic.stop()).bad, []);
    for (let i = 0; i < 4; i++) assert.equal((await site.get(`/v1/profiles/w${i}/full`, {as: 'admin'})).json.version, last.get(i));
    const exported = (await site.cli('export', '-')).trim().split('\n');
    assert.equal(exported.length, 1 + 4 + 1600);
    await site.cli('db', 'check');
  });
}, (site) => site.make({id: 'ann', handle: 'ann', name: 'Ann'}));
