// Shared caches in front, in revalidate mode, with the configurations shipped for them: a repeat costs the origin a 304, two tokens
// share one stored object, and nobody gets a stored profile whom the origin did not let read it in that very moment.
import assert from 'node:assert/strict';
import {chmodSync, existsSync, readFileSync, readdirSync, statSync, unlinkSync} from 'node:fs';
import net from 'node:net';
import {join} from 'node:path';
import {after, before, describe, test} from 'node:test';
import {straight} from './lib/fastcgi.mjs';
import {FrontSite, apacheCache, fronts, nginxCache, squid, startFront} from './lib/fronts.mjs';
import {until} from './lib/process.mjs';
import {READ, assertProblem, assertUnauthorized} from './lib/site.mjs';

const lighttpd = fronts.find(({name}) => name === 'lighttpd'), apache = fronts.find(({name}) => name === 'Apache proxy_fcgi');

/** In the pool's place: a FastCGI responder that says 503 to everything. */
async function sayUnavailable(path) {
  const text = Buffer.from('Status: 503 Service Unavailable\r\nCache-Control: no-store\r\nRetry-After: 1\r\nContent-Type: text/plain\r\n\r\nnot now\n');
  const end = [1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  const server = net.createServer((socket) => {
    let bytes = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (more) => {
      bytes = Buffer.concat([bytes, more]);
      if (!bytes.includes(Buffer.from([1, 5, 0, 1, 0, 0]))) return; // the end of the body
      socket.end(Buffer.concat([Buffer.from([1, 6, 0, 1, text.length >> 8, text.length & 255, 0, 0]), text, Buffer.from([1, 6, 0, 1, 0, 0, 0, 0]), Buffer.from(end)]));
    });
  });
  if (existsSync(path)) unlinkSync(path);
  await new Promise((resolve) => server.listen(path, resolve));
  chmodSync(path, 0o777);
  return server;
}

/** Everything below a folder, as one text. */
function contents(folder) {
  return readdirSync(folder).map((name) => join(folder, name)).map((path) => (statSync(path).isDirectory() ? contents(path) : readFileSync(path, 'latin1'))).join('\n');
}

const caches = [
  {name: 'Apache mod_cache', stores: true, start: (site) => startFront(site, {...apache, name: 'Apache mod_cache'}, {make: apacheCache})},
  {name: 'nginx proxy_cache', stores: false, start: (site, origin) => startFront(site, {name: 'nginx proxy_cache', make: nginxCache, origin: origin.port})},
  {name: 'Squid', stores: true, start: (site, origin) => startFront(site, {name: 'Squid', make: squid, origin: origin.port})},
];

for (const cache of caches)
  describe(cache.name, () => {
    let site, origin, at, tags;
    const get = (path, options) => site.get(path, {target: {port: at.port}, ...options});
    /** How many answers the pool gave for the public view, by status. */
    async function asked() {
      const text = (await site.get('/metrics', {as: 'watcher', scope: 'metrics:read', via: straight(site.socket)})).text;
      const count = (status) => [...text.matchAll(/^profiled_requests_total\{(.*)\} (\d+)/gm)]
        .filter(([, labels]) => labels.includes('"/v1/profiles/{id}"') && labels.includes(`"${status}"`)).reduce((sum, [, , n]) => sum + Number(n), 0);
      return {200: count(200), 304: count(304), 401: count(401)};
    }
    const difference = (a, b) => Object.fromEntries(Object.keys(a).map((key) => [key, b[key] - a[key]]));

    before(async () => {
      site = await FrontSite.start({front: false});
      await site.tryCli(['import', '-'], '{"id":"ann","handle":"ann","name":"Ann-the-public","email":"private@example.org"}\n');
      await site.give();
      origin = await startFront(site, lighttpd);
      at = await cache.start(site, origin);
    });
    after(async () => {
      await at?.stop();
      await origin?.stop();
      await site?.stop();
    });

    test('repeats, by any token, cost a 304 at the origin', async () => {
      const first = await get('/v1/profiles/ann', {as: 'bob'});
      assert.equal(first.status, 200, first.text + at.readLog());
      const begin = await asked();
      for (const as of ['bob', 'cid', 'ann', 'bob', 'admin']) {
        const answer = await get('/v1/profiles/ann', {as, none: cache.stores ? undefined : first.etag});
        assert.equal(answer.status, cache.stores ? 200 : 304);
        if (cache.stores) assert.equal(answer.text, first.text);
        assert.equal(answer.etag, first.etag);
        assert.equal(answer.header('cache-control'), 'public, no-cache, must-revalidate');
      }
      assert.deepEqual(difference(begin, await asked()), {200: 0, 304: 5, 401: 0});
      // Squid goes by the date of a client's own copy, when it has asked itself.
      const headers = {'If-Modified-Since': first.header('last-modified')};
      assert.equal((await get('/v1/profiles/ann', {as: 'bob', none: first.etag, headers})).status, 304);
      tags = first.etag;
    });

    test('without a good token nobody reads what is stored', async () => {
      for (const none of [undefined, tags]) {
        assertUnauthorized(await get('/v1/profiles/ann', {none}), {error: null});
        assertUnauthorized(await get('/v1/profiles/ann', {token: 'x.y.z', none}));
        assertUnauthorized(await get('/v1/profiles/ann', {token: await site.mint('bob', READ, {exp: 1000}), none}));
        assertProblem(await get('/v1/profiles/ann', {as: 'bob', scope: 'metrics:read', none}), 403);
      }
      for (const headers of [{'Cache-Control': 'only-if-cached'}, {'Cache-Control': 'max-stale=1000'}, {'Cache-Control': 'max-age=1000'}]) {
        const answer = await get('/v1/profiles/ann', {headers});
        assert(!answer.text.includes('Ann-the-public') && answer.status >= 400, `${answer.status}`);
      }
      assert.equal((await get('/v1/profiles/ann', {as: 'bob'})).status, 200);
    });

    test('a write is seen by the next read', async () => {
      for (let i = 0; i < 5; i++) {
        const name = `Ann-the-public ${i}`;
        const write = await site.patch('/v1/me', {name}, {as: 'ann', match: '*', target: {port: at.port}});
        assert.equal(write.status, 200, write.text);
        for (const as of ['bob', 'cid']) assert.equal((await get('/v1/profiles/ann', {as})).json.name, name);
      }
    });

    test('the owner\'s view is never stored', async () => {
      for (const path of ['/v1/me', '/v1/profiles/ann/full'])
        for (let i = 0; i < 2; i++) {
          assert.equal((await get(path, {as: 'ann'})).json.email, 'private@example.org');
          const other = await get(path, {as: 'bob'});
          assert([403, 404].includes(other.status), `${other.status}`);
          assert(!other.text.includes('private@'));
          assert.equal((await get(path)).status, 401);
        }
      const folder = join(at.folder, 'cache');
      if (!existsSync(folder)) return;
      const all = contents(folder);
      assert(!all.includes('private@example.org'));
      assert.equal(all.includes('Ann-the-public'), cache.stores);
    });

    /** Nobody, good token or not, gets the profile; with the answers as the cache gives them. */
    async function nobody() {
      for (const options of [{as: 'bob'}, {as: 'cid'}, {}, {token: 'x.y.z'}, {as: 'bob', headers: {'Cache-Control': 'max-stale=1000'}}, {as: 'bob', headers: {'Cache-Control': 'only-if-cached'}}, {as: 'bob', none: tags}])
        for (const path of ['/v1/profiles/ann', '/v1/profiles/@ann', '/v1/me']) {
          const answer = await get(path, options);
          assert(answer.status >= 500, `${path} ${JSON.stringify(options)}: ${answer.status}`);
          assert(!answer.text.includes('Ann-the-public'));
        }
    }
    test('the pool is stopped: an error, never the stored copy', async () => {
      assert.equal((await get('/v1/profiles/ann', {as: 'bob'})).status, 200);
      assert.equal((await get('/v1/profiles/@ann', {as: 'bob'})).status, 200);
      await site.pool.stop();
      await nobody();
    });
    test('it answers 503: the same', async () => {
      const server = await sayUnavailable(site.socket);
      await nobody();
      await new Promise((resolve) => server.close(resolve));
    });
    test('the front server is stopped: the same', async () => {
      await origin.stop();
      await nobody();
    });
    test('all are back: so is the profile', async () => {
      await site.startPool();
      if (cache.name !== 'Apache mod_cache') origin = await startFront(site, lighttpd, {port: origin.port});
      await until('the profile', async () => (await get('/v1/profiles/ann', {as: 'bob'})).status === 200);
      assert.equal((await get('/v1/profiles/ann')).status, 401);
    });
  });
