// Caches in front: what they are told, that nothing is forgotten whatever dies, and what they may ask.
import assert from 'node:assert/strict';
import {chmodSync, existsSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {importJWK, jwtVerify} from 'jose';
import {FakeEdge, KEY} from './lib/edge.mjs';
import {anotherPool} from './lib/crew.mjs';
import {alive, killAll, run, sleep, until} from './lib/process.mjs';
import {ADMIN, LIST, READ, Site, WRITE, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';
import {now, readKeys} from './lib/token.mjs';

/** A site in front of which these caches lie; all have been told to forget everything. */
async function withEdges(edges, use, settings = {}) {
  const site = await Site.start({settings: {server: {workers: 2}, ...settings, edge: {purge: edges.map((e) => e.address).join(' '), key: KEY, ...settings.edge},
    http: {shared_cache: 'edge', ...settings.http}}});
  try {
    await use(site);
  } finally {
    const how = await site.stop();
    await Promise.all(edges.map((edge) => edge.down()));
    assert.equal(how.code ?? 0, 0, JSON.stringify(how));
  }
}
const told = (edges) => until('the purge of everything', () => edges.every((edge) => edge.alls > 0));
const status = async (site) => (await site.status()).edge;
const settled = (site) => until('nothing to wait', async () => (await status(site)).addresses.every((a) => a.state === 'following' && a.lag_seconds === 0));
const newest = async (site) => (await site.status()).gauges.change_seq;
const places = (site) => readFileSync(`${site.database}.edge`, 'utf8').split('\n').slice(1, -1).map((line) => line.split(' '));

test('every kind of change purges its keys, at once, and nothing else', async () => {
  const edge = await FakeEdge.start();
  await withEdges([edge], async (site) => {
    await told([edge]);
    assert.equal(edge.alls, 1);
    const keys = async (what, expected, change, revoked = []) => {
      edge.forget();
      const begun = now();
      await change();
      await until(`${what}: ${expected} ${revoked}`, () => edge.keys.length >= expected.length && Object.keys(edge.revoked).length >= revoked.length, 3000);
      await settled(site);
      assert.deepEqual(edge.keys, [...expected].sort(), what);
      assert.deepEqual(Object.keys(edge.revoked).sort(), revoked, what);
      for (const second of Object.values(edge.revoked)) assert(second >= begun - 1 && second <= now() + 1, `${begun} ${second} ${now()}`);
      const {headers} = edge.purges[0];
      assert.equal(headers.host, `127.0.0.1:${edge.port}`);
      assert.equal(edge.alls, 0);
      assert.equal(edge.position, (await status(site)).addresses[0].position);
    };
    await keys('create', ['profile/ann', 'handle/ann'], () => site.make({id: 'ann', handle: 'ann'}));
    await keys('update', ['profile/ann'], () => site.patch('/v1/profiles/ann/full', {name: 'Ann'}, {as: 'admin', match: '*'}));
    await keys('rename', ['profile/ann', 'handle/ann', 'handle/anna'], () => site.patch('/v1/profiles/ann/full', {handle: 'anna'}, {as: 'admin', match: '*'}));
    await keys('suspend', ['profile/ann'], () => site.patch('/v1/profiles/ann/full', {state: 'suspended'}, {as: 'admin', match: '*'}), ['ann']);
    await keys('resume', ['profile/ann'], () => site.patch('/v1/profiles/ann/full', {state: 'active'}, {as: 'admin', match: '*'}));
    await sleep(1100); // a second of its own: the suspension's revocation says the same otherwise
    // what is kept by handle bears the key of the id as well, and the log tells no handle of who is gone
    await keys('delete', ['profile/ann'], () => site.delete('/v1/profiles/ann', {as: 'admin', match: '*'}), ['ann']);
    await keys('odd names', ['profile/auth0|a:b@c+d', 'handle/odd'], () => site.make({id: 'auth0|a:b@c+d', handle: 'odd'}));
    await keys('their end', ['profile/auth0|a:b@c+d'], () => site.delete('/v1/profiles/auth0%7Ca:b@c+d', {as: 'admin', match: '*'}), ['auth0|a:b@c+d']);

    edge.forget();
    await site.make({id: 'bob', handle: 'bob'});
    await until('its keys', () => edge.keys.length === 2);
    edge.forget();
    await site.patch('/v1/profiles/bob/full', {email: 'bob@example.org'}, {as: 'admin', match: '*'});
    await sleep(300);
    assert.deepEqual(edge.keys, [], 'a private edit concerns no cache');
    assert.equal(edge.heartbeats, edge.purges.length);

    // somebody else writes
    edge.forget();
    const lines = Array.from({length: 300}, (_, i) => `${JSON.stringify({id: `im-${i}`, handle: `im_${i}`, name: 'x'.repeat(20)})}\n`).join('');
    assert.equal((await site.tryCli(['import', '-'], lines)).code, 0);
    await until('all of them', () => edge.keys.length === 600);
    for (const {headers} of edge.purges) assert((headers['xkey-purge'] ?? '').length <= 4000);
  });
});

test('a write is told at once', async (t) => {
  const edge = await FakeEdge.start();
  await withEdges([edge], async (site) => {
    await site.make({id: 'ann', handle: 'ann'});
    await told([edge]);
    const took = [];
    for (let i = 0; i < 200; i++) {
      edge.forget();
      const answer = await site.patch('/v1/profiles/ann/full', {name: `n${i}`}, {as: 'admin', match: '*'});
      const answered = performance.now();
      assert.equal(answer.status, 200);
      const deadline = answered + 5000;
      const first = () => edge.purges.find((p) => p.keys.includes('profile/ann'));
      while (!first()) {
        assert(performance.now() < deadline, 'the purge does not come');
        await new Promise((resolve) => setImmediate(resolve));
      }
      took.push(first().at - answered);
      if (i % 10 === 0) await sleep(150); // from rest, too
    }
    took.sort((a, b) => a - b);
    const share = (s) => took[Math.min(took.length - 1, Math.floor(took.length * s))].toFixed(2);
    t.diagnostic(`answered write to received purge: half within ${share(0.5)} ms, 90% ${share(0.9)} ms, 99% ${share(0.99)} ms, worst ${share(1)} ms`);
    console.log(`# answered write to received purge: half within ${share(0.5)} ms, 90% ${share(0.9)} ms, 99% ${share(0.99)} ms, worst ${share(1)} ms`);
    assert(took.at(-1) < 3000);
  });
});

test('a word every few seconds, and none while the database cannot be read', async () => {
  const edge = await FakeEdge.start();
  await withEdges([edge], async (site) => {
    await told([edge]);
    edge.forget();
    await until('heartbeats', () => edge.heartbeats >= 2, 6000);
    renameSync(site.database, `${site.database}.away`);
    await until('the fault to be noticed', () => site.logLines().some((line) => line.event === 'edge-store-unavailable'));
    edge.forget();
    await sleep(2500);
    assert.equal(edge.purges.length, 0, 'who hears a word believes that nothing is kept from it');
    renameSync(`${site.database}.away`, site.database);
    await until('heartbeats again', () => edge.heartbeats >= 1, 6000);
    assert.equal(edge.alls, 0, 'it is the same database');
  });
});

test('an address that is down for a while gets all of it afterwards, and another one is not held up', async () => {
  const edges = [await FakeEdge.start(), await FakeEdge.start({delay: 400})];
  await withEdges(edges, async (site) => {
    await told(edges);
    await settled(site);
    await edges[1].down();
    edges.forEach((edge) => edge.forget());
    for (let i = 0; i < 30; i++) await site.make({id: `p${i}`, handle: `p_${i}`});
    await site.delete('/v1/profiles/p0', {as: 'admin', match: '*'});
    await until('the other one', () => edges[0].keys.length === 60 && edges[0].revoked.p0, 3000);
    const [first, second] = (await status(site)).addresses;
    assert.equal(first.state, 'following');
    assert.equal(second.state, 'failing');
    assert(second.lag_seconds > 0 && second.failures > 0, JSON.stringify(second));
    assert.match(second.trouble, /connect/i);
    const metrics = (await site.get('/metrics', {as: 'monitor', scope: 'metrics:read'})).text;
    assert.match(metrics, new RegExp(`profiled_edge_lag_seconds\\{address="${edges[1].address}"\\} (?!0\\.000)`));
    assert.match(metrics, new RegExp(`profiled_edge_up\\{address="${edges[1].address}"\\} 0`));
    assert.match(metrics, new RegExp(`profiled_edge_up\\{address="${edges[0].address}"\\} 1`));
    assert.match((await site.cli('status')), /failing, lag \d+\.\d+s/);
    await sleep(2500);
    const begun = performance.now();
    await edges[1].up();
    await until('all of it', () => edges[1].keys.length === 59 && !edges[1].keys.includes('handle/p_0') && edges[1].revoked.p0, 8000);
    console.log(`# an address that came back was right after ${(performance.now() - begun).toFixed(0)} ms (it takes 400 ms to answer)`);
    await settled(site);
    assert.equal(edges[1].alls, 0);
    const lines = site.logLines();
    assert.equal(lines.filter((l) => l.event === 'edge-purge-failed' && l.address === edges[1].address).length <= 3, true, 'it is not logged each time');
    assert(lines.some((l) => l.event === 'edge-recovered' && l.address === edges[1].address));
    assert((await site.counters()).edge_purges_retried > 0);
  });
});

test('the pool is killed with what was not told yet, and comes back: nothing is forgotten, nothing sent for ever', async () => {
  const edge = await FakeEdge.start();
  await withEdges([edge], async (site) => {
    await told([edge]);
    await site.make({id: 'early', handle: 'early'});
    await until('it to be told', () => edge.keys.length === 2);
    await until('its place', () => existsSync(`${site.database}.edge`) && Number(places(site)[0][2]) === edge.position, 5000);
    for (let round = 0; round < 3; round++) {
      await edge.down();
      edge.forget();
      for (let i = 0; i < 10; i++) await site.make({id: `r${round}-${i}`, handle: `r${round}_${i}`});
      const family = [site.pool.pid, ...site.workers()];
      killAll(family);
      await until('the end', () => !family.some(alive));
      // written while nobody is there
      assert.equal((await site.tryCli(['import', '-'], `{"id":"alone${round}","handle":"alone${round}"}\n`)).code, 0);
      await edge.up();
      await site.startPool();
      const expected = [...Array.from({length: 10}, (_, i) => [`profile/r${round}-${i}`, `handle/r${round}_${i}`]).flat(), `profile/alone${round}`, `handle/alone${round}`];
      await until('all of it', () => expected.every((key) => edge.keys.includes(key)), 8000);
      await settled(site);
      assert.equal(edge.alls, 0);
      edge.forget();
      await sleep(300);
      assert.deepEqual(edge.keys, []);
    }
  });
});

test('the edge process is killed: replaced, and right; it ends with the pool, last of all', async () => {
  const edge = await FakeEdge.start();
  await withEdges([edge], async (site) => {
    await told([edge]);
    await settled(site);
    for (let round = 0; round < 4; round++) {
      const {pid} = await status(site);
      assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), 'profiled');
      edge.forget();
      killAll([pid]);
      await site.make({id: `k${round}`, handle: `k_${round}`});
      await until('its keys', () => edge.keys.includes(`profile/k${round}`) && edge.keys.includes(`handle/k_${round}`), 8000);
      await until('another one', async () => ((await status(site))?.pid ?? 0) > 0 && (await status(site)).pid !== pid);
    }
    assert(site.logLines().some((l) => l.event === 'edge-died'));
    assert.equal((await site.status()).deaths, 0, 'no worker died');
    assert.equal((await site.status()).workers.length, 2);
    assert.equal(edge.alls, 0);
    // what is written in the last moment is still told
    edge.forget();
    await site.make({id: 'last', handle: 'last'});
    const how = await site.pool.stop();
    assert.deepEqual(how, {code: 0, signal: null});
    assert(edge.keys.includes('profile/last'));
    assert.equal(Number(places(site)[0][2]), edge.position);
    edge.forget();
    await site.startPool();
    await settled(site);
    await sleep(200);
    assert.deepEqual(edge.keys, [], 'a place that was kept is gone on from');
    assert.equal(edge.alls, 0);
  });
});

test('a restored database, a lost place, a tidied log: everything is purged, once', async () => {
  const edge = await FakeEdge.start();
  await withEdges([edge], async (site) => {
    await told([edge]);
    await site.make({id: 'ann', handle: 'ann'});
    await site.make({id: 'gone', handle: 'gone'});
    await site.delete('/v1/profiles/gone', {as: 'admin', match: '*'});
    const backup = join(site.folder, 'backup.db');
    await site.cli('db', 'backup', backup);
    await site.make({id: 'bob', handle: 'bob'});
    await settled(site);
    edge.forget();
    const how = await run('flock', [`${site.database}.lock`, 'sh', '-c', 'rm -f "$1-wal" "$1-shm" && mv "$0" "$1"', backup, site.database]);
    assert.equal(how.code, 0, how.err);
    await until('the purge of everything', () => edge.alls === 1, 8000);
    assert.deepEqual(Object.keys(edge.revoked), ['gone'], 'with what revocations there are');
    await site.make({id: 'cy', handle: 'cy'});
    await until('what came after', () => edge.keys.includes('profile/cy'));
    await settled(site);
    assert.equal(edge.alls, 1);

    // the file of places is gone
    await site.pool.stop();
    renameSync(`${site.database}.edge`, `${site.database}.edge.away`);
    edge.forget();
    await site.startPool();
    await until('the purge of everything', () => edge.alls === 1);
    // and is no such file
    await settled(site);
    await site.pool.stop();
    writeFileSync(`${site.database}.edge`, 'profiled-edge 1\nnonsense\n');
    edge.forget();
    await site.startPool();
    await until('the purge of everything', () => edge.alls === 1);
    await settled(site);
    await site.pool.stop();
    // the log was tidied past the place
    edge.forget();
    for (const id of ['d', 'e', 'f']) assert.equal((await site.tryCli(['import', '-'], `{"id":"${id}","handle":"${id}_x"}\n`)).code, 0);
    const sql = await run('sqlite3', [site.database, 'DELETE FROM changes WHERE seq < (SELECT max(seq) FROM changes)']);
    assert.equal(sql.code, 0, sql.err);
    await site.startPool();
    await until('the purge of everything', () => edge.alls === 1);
    await settled(site);
    assert.equal(edge.alls, 1);
    assert(site.logLines().some((l) => l.event === 'edge-purge-all' && /gone/.test(l.reason)));
  });
});

test('a wrong key: said clearly, tried again ever more slowly, shown in status; right after it is mended', async () => {
  const edge = await FakeEdge.start({key: 'quite-another-secret'});
  await withEdges([edge], async (site) => {
    await until('to be refused', () => edge.refused >= 4);
    const [address] = (await status(site)).addresses;
    assert.equal(address.state, 'failing');
    assert.match(address.trouble, /403.*edge\.key/);
    assert.equal(address.word_at, null);
    const lines = site.logLines().filter((l) => l.event === 'edge-purge-failed');
    assert.equal(lines.length, 1);
    assert.equal(lines[0].status, 403);
    assert.match(lines[0].reason, /edge\.key/);
    assert(!site.readLog().includes(KEY), 'the secret is not logged');
    await sleep(1500);
    assert(edge.refused < 12, `${edge.refused} attempts`);
    edge.key = KEY;
    await until('the purge of everything', () => edge.alls === 1, 8000);
    await settled(site);
  });
});

test('SIGHUP: another address, another key in its file, none; a bad file is refused', async () => {
  const edges = [await FakeEdge.start(), await FakeEdge.start({key: 'the-key-that-lies-in-a-file'})];
  await withEdges(edges, async (site) => {
    await told([edges[0]]);
    await site.make({id: 'ann', handle: 'ann'});
    await settled(site);
    const file = join(site.folder, 'edge.key');
    writeFileSync(file, 'the-key-that-lies-in-a-file\n', {mode: 0o644});
    site.settings.edge = {purge: edges[1].address, key: `file:${file}`};
    site.writeConfig();
    site.pool.kill('SIGHUP');
    await until('to be refused', () => site.logLines().some((l) => l.event === 'reload-refused' && /mode 0644/.test(l.reason)));
    chmodSync(file, 0o600);
    edges.forEach((edge) => edge.forget());
    await site.reload();
    await until('the new one to be told', () => edges[1].alls === 1);
    await until('one process', async () => (await status(site)).addresses.length === 1);
    assert.equal((await status(site)).addresses[0].address, edges[1].address);
    edges.forEach((edge) => edge.forget());
    await site.make({id: 'bob', handle: 'bob'});
    await until('its keys', () => edges[1].keys.includes('profile/bob'));
    assert.deepEqual(edges[0].keys, []);
    // load over a reload: nothing is lost between the two processes
    let going = true, made = 0;
    const writer = (async () => { while (going) await site.make({id: `w${made}`, handle: `w_${made++}`}); })();
    for (let i = 0; i < 3; i++) { await site.reload(); await sleep(200); }
    going = false;
    await writer;
    await until('all of them', () => Array.from({length: made}, (_, i) => `profile/w${i}`).every((key) => edges[1].keys.includes(key)));
    assert.equal(edges[1].alls, 0);
    delete site.settings.edge;
    site.writeConfig();
    site.pool.kill('SIGHUP');
    await until('no such process', async () => (await site.status()).edge === null);
    edges.forEach((edge) => edge.forget());
    await site.make({id: 'cy', handle: 'cy'});
    await sleep(300);
    assert.equal(edges[1].purges.length, 0);
  }, {edge: {purge: edges[0].address}});
});

test('two pools on one database: one speaks, the other takes over', async () => {
  const edge = await FakeEdge.start();
  await withEdges([edge], async (site) => {
    await told([edge]);
    await settled(site);
    const other = await anotherPool(site, 'other');
    edge.forget();
    await site.make({id: 'ann', handle: 'ann'});
    await until('its keys', () => edge.keys.length === 2);
    await sleep(200);
    assert.equal(edge.purges.filter((p) => p.keys.length > 0).length, 1, 'told once');
    const family = [site.pool.pid, ...site.workers()];
    killAll(family);
    await until('the end', () => !family.some(alive));
    edge.forget();
    const answer = await site.post('/v1/profiles', {id: 'bob', handle: 'bob'}, {as: 'admin', via: other.via});
    assert.equal(answer.status, 201);
    await until('its keys', () => edge.keys.includes('profile/bob'));
    assert.equal(edge.alls, 0);
    await other.stop();
    await site.startPool();
  });
});

scenario('what a cache in front may ask', {settings: {token: {max_ttl: '30d'}, edge: {revocation_max_lag: '20s'}}}, (at) => {
  test('authorize: 204, or the very answer that the profile would have had', async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await at.site.call(method, '/v1/authorize', {as: 'ann', scope: READ});
      assert.equal(answer.status, 204);
      assert.equal(answer.header('cache-control'), 'no-store');
      assert.equal(answer.body.length, 0);
    }
    assert.equal((await at.site.get('/v1/authorize', {as: 'admin', scope: ADMIN})).status, 204);
    assertUnauthorized(await at.site.get('/v1/authorize'), {error: null});
    assertUnauthorized(await at.site.get('/v1/authorize', {token: 'x.y.z'}));
    assertUnauthorized(await at.site.get('/v1/authorize', {token: await at.site.mint('ann', READ, {exp: now() - 100})}));
    for (const scope of [LIST, WRITE, 'metrics:read']) {
      const answer = await at.site.get('/v1/authorize', {as: 'ann', scope});
      assertProblem(answer, 403);
      assert.match(answer.header('www-authenticate'), /error="insufficient_scope".*scope="profile:read"/);
    }
    assertProblem(await at.site.get('/v1/authorize?x=1', {as: 'ann'}), 400);
    assertProblem(await at.site.post('/v1/authorize', {}, {as: 'ann'}), 405);
    await at.site.make({id: 'eve', handle: 'eve'});
    const token = await at.site.mint('eve');
    assert.equal((await at.site.get('/v1/authorize', {token})).status, 204);
    await at.site.delete('/v1/profiles/eve', {as: 'admin', match: '*'});
    assertUnauthorized(await at.site.get('/v1/authorize', {token}));
  });

  test('revocations: who may, and both forms', async () => {
    assertUnauthorized(await at.site.get('/v1/revocations'), {error: null});
    assertProblem(await at.site.get('/v1/revocations', {as: 'ann'}), 403);
    await at.site.make({id: 'auth0|x', handle: 'x_x'});
    await at.site.delete('/v1/profiles/auth0%7Cx', {as: 'admin', match: '*'});
    const plain = await at.site.get('/v1/revocations', {as: 'admin'});
    assert.equal(plain.status, 200);
    assert.equal(plain.header('content-type'), 'application/json');
    assert.equal(plain.header('cache-control'), 'private, no-cache');
    assert.match(plain.header('vary'), /Accept/);
    const list = plain.json;
    assert.deepEqual(list.revoked.map((r) => r.subject), ['auth0|x', 'eve']);
    for (const {until} of list.revoked) assert(Math.abs(until - now()) < 60);
    assert.match(list.epoch, /^[0-9a-f]+$/);
    assert(list.position > 0);
    assert.equal(list.max_lag, 20);
    assert.equal((await at.site.get('/v1/revocations', {as: 'admin', none: plain.etag})).status, 304);
    assertProblem(await at.site.get('/v1/revocations?x', {as: 'admin'}), 400);

    const signed = await at.site.get('/v1/revocations', {as: 'admin', headers: {Accept: 'application/jwt'}});
    assert.equal(signed.status, 200, signed.text);
    assert.equal(signed.header('content-type'), 'application/jwt');
    assert.notEqual(signed.etag, plain.etag);
    const {keys} = (await at.site.get('/.well-known/jwks.json')).json;
    const {payload, protectedHeader} = await jwtVerify(signed.text, await importJWK(keys[0], 'EdDSA'), {typ: 'revocations+jwt', issuer: at.site.settings.token.issuer});
    assert.equal(protectedHeader.kid, keys[0].kid);
    for (const name of ['position', 'epoch', 'revoked', 'max_lag']) assert.deepEqual(payload[name], list[name]);
    assert(payload.exp > now() + 300 && payload.iat <= now());
    assertUnauthorized(await at.site.get('/v1/me', {token: signed.text}));
    const again = await at.site.get('/v1/revocations', {as: 'admin', headers: {Accept: 'text/html, application/jwt;q=0.5'}});
    assert.equal(again.header('content-type'), 'application/jwt');
    assert.equal((await at.site.get('/v1/revocations', {as: 'admin', headers: {Accept: 'application/jwt;q=0, */*'}})).header('content-type'), 'application/json');
    const head = await at.site.head('/v1/revocations', {as: 'admin'});
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
  });

  test('revocations: one that no living token falls under is left out', async () => {
    const old = now() - 31 * 86400;
    const how = await run('flock', [`${at.site.database}.lock`, 'sqlite3', '-cmd', 'PRAGMA wal_autocheckpoint=0', at.site.database,
      `INSERT INTO revoke (subject, until_s) VALUES ('long-ago', ${old}), ('lately', ${now() - 29 * 86400})`]);
    assert.equal(how.code, 0, how.err);
    const subjects = (await at.site.get('/v1/revocations', {as: 'admin'})).json.revoked.map((r) => r.subject);
    assert(subjects.includes('lately'));
    assert(!subjects.includes('long-ago'));
  });

  test('revocations: no key to sign with is a 503 that the log explains; a new key counts after SIGHUP alone', async () => {
    const {file} = at.site.key(), signed = (more) => at.site.get('/v1/revocations', {as: 'admin', headers: {Accept: 'application/jwt'}, ...more});
    const kid = (answer) => JSON.parse(Buffer.from(answer.text.split('.')[0], 'base64url')).kid;
    await at.site.token('admin');
    const before = kid(await signed());
    await at.site.cli('key', 'new');
    assert.equal(kid(await signed()), before, 'what is signed can be checked with the JWKS of the same moment');
    await at.site.reload();
    assert.notEqual(kid(await signed()), before);
    const files = readKeys(at.site.keys).map((k) => k.file);
    for (const path of files) renameSync(path, `${path}.away`);
    const answer = await signed();
    assertProblem(answer, 503);
    assert.match(answer.json.type, /no-signing-key/);
    assert.equal((await at.site.get('/v1/revocations', {as: 'admin'})).status, 200);
    for (const path of files) renameSync(`${path}.away`, path);
    assert(files.includes(file));
    assert.equal((await signed()).status, 200);
    await until('the line', () => /no key in .* signs/.test(at.site.readLog()));
  });
});
