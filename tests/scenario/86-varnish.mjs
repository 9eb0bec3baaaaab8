// Varnish in front of the real pool, both ways of authorising: what is shared, what is not, who gets nothing, purges, and an origin
// that is gone.
import assert from 'node:assert/strict';
import http from 'node:http';
import {after, before, describe, test} from 'node:test';
import {request} from './lib/client.mjs';
import {images} from './lib/images.mjs';
import {sleep, until} from './lib/process.mjs';
import {ADMIN, READ, Site, WRITE, assertProblem, assertUnauthorized} from './lib/site.mjs';
import {jwt, makeKey, now, pasetoToken, rfc3339} from './lib/token.mjs';
import {Edge, haveModule, haveVarnish, origin} from './lib/varnish.mjs';

const http_ = {shared_cache: 'edge', s_maxage: '600s', stale_while_revalidate: '1s', stale_if_error: '600s'};
const MARK = 'the-body-nobody-else-may-have';

for (const way of ['authorise', 'vmod']) {
  const skip = !haveVarnish ? 'there is no Varnish here' : way === 'vmod' && !haveModule ? 'the module is not built' : false;
  describe(`varnish: ${way}`, {skip}, () => {
    let site, edge, from, ask;
    before(async () => {
      site = await Site.start({settings: {http: http_}});
      for (const id of ['ann', 'bob', 'gone', 'stale']) await site.make({id, handle: id, name: `${MARK} ${id}`, email: `${id}@private.example`});
      from = await origin(site);
      edge = await Edge.start(site, {way, port: from.port});
      ask = (path, options = {}) => site.call(options.method ?? 'GET', path, {target: {port: edge.port}, ...options});
      assert.equal((await edge.purge()).status, 200);
      // The module looks at its files once a second: until it has, the origin is asked.
      await until('the edge to be ready', async () => {
        await ask('/v1/profiles/gone', {as: 'bob'});
        from.reset();
        await ask('/v1/profiles/gone', {as: 'bob'});
        return from.total === (way === 'vmod' ? 0 : 1);
      });
    });
    after(async () => {
      await edge?.stop();
      await from?.close();
      if (site) assert.deepEqual(await site.stop(), {code: 0, signal: null});
    });
    const asked = () => Object.fromEntries(Object.entries(from.count).filter(([path]) => path !== '/v1/authorize'));

    test('an avatar is one object for everybody, each of its sizes another, until its key is purged', async () => {
      const put = await site.put('/v1/profiles/bob/avatar', images.png, {as: 'admin', type: 'image/png'});
      const path = new URL(put.json.picture).pathname, key = `avatar/${path.split('/').at(-1)}`;
      for (const [where, body] of [[path, images.png], [`${path}?s=48`, (await site.get(`${path}?s=48`)).body]]) {
        assert((await ask(where)).body.equals(body));
        from.reset();
        const again = await ask(where, {as: 'ann'});
        assert.equal(again.status, 200);
        assert(again.body.equals(body));
        assert.equal(again.header('cache-control'), 'public, max-age=86400, immutable');
        assert.equal(again.header('surrogate-key'), undefined);
        assert.equal((await ask(where, {none: again.etag})).status, 304);
        assert.equal(from.total, 0);
      }
      assert.equal((await ask(`${path}?s=47`)).status, 400);
      assert.equal((await site.delete('/v1/profiles/bob/avatar', {as: 'admin'})).status, 204);
      assert.equal((await edge.purge([key])).status, 200);
      for (const where of [path, `${path}?s=48`]) assert.equal((await ask(where)).status, 404);
      await site.put('/v1/profiles/bob/avatar', images.png, {as: 'admin', type: 'image/png'});
      for (const where of [path, `${path}?s=48`]) assert.equal((await ask(where)).status, 200, 'no 404 was kept');
    });

    test('the public view is one object, whatever the token', async () => {
      const direct = await site.get('/v1/profiles/ann', {as: 'ann'});
      const first = await ask('/v1/profiles/ann', {as: 'ann'});
      from.reset();
      const second = await ask('/v1/profiles/ann', {as: 'bob'});
      const byPaseto = await ask('/v1/profiles/ann', {token: await pasetoToken(site.key(), site.claims('bob', READ, {iat: rfc3339(now()), exp: rfc3339(now() + 600)}))});
      const head = await ask('/v1/profiles/ann', {as: 'bob', method: 'HEAD'});
      for (const answer of [first, second, byPaseto]) {
        assert.equal(answer.status, 200);
        assert.equal(answer.text, direct.text);
        for (const name of ['etag', 'last-modified', 'cache-control', 'content-type', 'vary', 'x-content-type-options']) assert.equal(answer.header(name), direct.header(name), name);
        for (const name of ['cdn-cache-control', 'surrogate-key', 'xkey', 'x-varnish', 'profiled-fence', 'profiled-revalidate', 'x-request-id']) assert.equal(answer.header(name), undefined, name);
      }
      assert.equal(head.header('content-length'), direct.header('content-length'));
      assert.match(second.header('cache-status'), /, varnish; hit; ttl=\d+$/);
      assert(Number(second.header('age')) >= 0);
      assert.deepEqual(asked(), {}, 'fetched once');
      assert.equal(from.total, way === 'vmod' ? 0 : 3, 'a hit costs the origin what the way says');
      assert.equal((await ask('/v1/profiles/ann', {as: 'bob', none: `"x", W/${direct.etag}`})).status, 304);
    });

    test('the owner\'s view is nobody else\'s', async () => {
      for (const path of ['/v1/me', '/v1/profiles/ann/full']) {
        const mine = await ask(path, {as: 'ann'});
        assert.equal(mine.json.email, 'ann@private.example');
        assert.equal(mine.header('age'), undefined);
        const other = await ask(path, {as: 'bob'});
        assert(!other.text.includes('ann@private.example'), other.text);
        assertUnauthorized(await ask(path), {error: null});
      }
    });

    test('headers of our own that a client sends do nothing', async () => {
      const headers = {'Profiled-Ok': '1', 'Profiled-For': 'open', 'Profiled-Ask': '1', 'Profiled-Failed': '1', 'Profiled-Url': '/v1/profiles/ann', 'Profiled-Refetch': 'always', xkey: 'profile/ann'};
      const answer = await ask('/v1/profiles/ann', {headers, token: 'nonsense'});
      assertUnauthorized(answer);
      assert(!answer.text.includes(MARK));
    });

    test('a write goes through, and is seen once it is purged', async () => {
      const before = await ask('/v1/profiles/bob', {as: 'ann'});
      const patched = await ask('/v1/me', {as: 'bob', method: 'PATCH', body: {nickname: 'Bobby'}, match: before.etag});
      assert.equal(patched.status, 200, patched.text);
      assert.equal((await ask('/v1/profiles/bob', {as: 'ann'})).text, before.text, 'it was kept');
      assert.equal((await edge.purge(['profile/bob', 'handle/bob'])).status, 200);
      const after = await ask('/v1/profiles/bob', {as: 'ann'});
      assert.equal(after.json.nickname, 'Bobby');
      assert.equal((await ask('/v1/profiles/bob', {as: 'ann', none: before.etag})).status, 200);
      // a creation purges the 404 that was kept
      assertMissing(await ask('/v1/profiles/new', {as: 'ann'}));
      assertMissing(await ask('/v1/profiles/new', {as: 'bob'}));
      await site.make({id: 'new', handle: 'new'});
      await edge.purge(['profile/new']);
      assert.equal((await ask('/v1/profiles/new', {as: 'ann'})).status, 200);
      // everything
      from.reset();
      await edge.purge([], {headers: {'Profiled-Purge-All': '1'}});
      edge.writeList([]); // what was before may not have been sent: until there is a list that reaches as far, the origin is asked
      await ask('/v1/profiles/bob', {as: 'ann'});
      assert.deepEqual(asked(), {'/v1/profiles/bob': 1});
    });
    const assertMissing = (answer) => assert.equal(answer.status, 404, answer.text);

    test('purges by others are refused', async () => {
      assert.equal((await edge.purge(['profile/ann'], {key: 'another'})).status, 403);
      assert.equal((await edge.purge(['profile/ann'], {key: null})).status, 403);
      assert.equal((await edge.purge(['profile/ann'], {port: edge.port})).status, 405);
      assert.equal((await request({host: '127.0.0.2', port: edge.purgePort}, {method: 'PURGE', localAddress: '127.0.0.2'}).catch(() => ({status: 403}))).status, 403);
    });

    const many = way === 'vmod' || process.env.PROFILED_LONG ? 10000 : 2500;
    test(`${many} requests with good and bad tokens: nothing for the bad ones`, async () => {
      const key = site.key(), stranger = makeKey(key.kid), elsewhere = makeKey('elsewhere');
      await site.mint('gone', READ); // whose tokens die now
      const revoked = [await site.token('gone', READ), await site.mint('gone', READ, {iat: undefined})];
      assert.equal((await site.delete('/v1/profiles/gone', {as: 'admin', match: '*'})).status, 204);
      assert.equal((await edge.purge(['profile/gone', 'handle/gone'], {headers: {'Profiled-Revoked': `gone=${now() + 1}`}})).status, 200);
      const good = [], bad = [...revoked];
      for (let i = 0; i < 50; i++) good.push(await site.mint(`reader-${i}`, READ));
      const good0 = good[0].split('.');
      const forms = [
        (i) => jwt(stranger, site.claims(`reader-${i}`, READ)),
        (i) => jwt(elsewhere, site.claims(`reader-${i}`, READ)),
        (i) => site.mint(`reader-${i}`, READ, {exp: now() - 60}),
        (i) => site.mint(`reader-${i}`, READ, {nbf: now() + 600}),
        (i) => site.mint(`reader-${i}`, READ, {aud: 'https://another.example'}),
        (i) => site.mint(`reader-${i}`, READ, {iss: 'https://another.example'}),
        (i) => site.mint(`reader-${i}`, 'metrics:read'),
        (i) => `${good0[0]}.${good[1 + i % 40].split('.')[1]}.${good0[2]}`,
        (i) => `${good[i % 50]}A`,
        (i) => good[i % 50].slice(0, -1 - i % 20),
        () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${good0[1]}.`,
        async () => pasetoToken(stranger, site.claims('ann', READ, {iat: rfc3339(now()), exp: rfc3339(now() + 600)})),
      ];
      for (let i = 0; i < 50; i++) bad.push(await forms[i % forms.length](i));
      const agent = new http.Agent({keepAlive: true, maxSockets: 16});
      const seen = {}, wrong = [];
      let begun = 0;
      await ask('/v1/profiles/ann', {token: good[0]});
      await Promise.all(Array.from({length: 16}, async () => {
        while (begun < many) {
          const i = begun++, isGood = i % 2 === 0, token = isGood ? good[i % good.length] : bad[(i >> 1) % bad.length];
          const none = i % 7 === 0 ? '*' : undefined;
          const answer = await ask('/v1/profiles/ann', {token, agent, none});
          const name = `${isGood ? 'good' : 'bad'} ${answer.status}`;
          seen[name] = (seen[name] ?? 0) + 1;
          if (isGood ? answer.status !== (none ? 304 : 200) || (!none && !answer.text.includes(MARK)) : ![401, 403].includes(answer.status) || answer.text.includes(MARK) || answer.header('etag'))
            wrong.push(`${i} ${name}`);
          if (i % 1000 === 0) await edge.purge(i % 2000 ? ['profile/ann'] : []);
        }
      }));
      agent.destroy();
      assert.deepEqual(wrong.slice(0, 10), [], JSON.stringify(seen));
      assertUnauthorized(await ask('/v1/profiles/ann', {token: bad[2]}));
      assertProblem(await ask('/v1/profiles/ann', {token: await site.mint('reader-1', 'metrics:read')}), 403);
    });

    test('the origin gone: what is stale, for a good token that can be checked; nothing for others', async () => {
      site.settings.http = {...http_, s_maxage: '1s'};
      site.writeConfig();
      await site.reload();
      await edge.purge(['profile/stale']);
      const fresh = await ask('/v1/profiles/stale', {as: 'ann'});
      assert.equal(fresh.status, 200);
      await sleep(3000);
      for (const how of [{down: true}, {status: 503}]) {
        Object.assign(from, {down: false, status: 0}, how);
        await edge.purge();
        const stale = await ask('/v1/profiles/stale', {as: 'ann'});
        if (way === 'vmod') {
          assert.equal(stale.status, 200, stale.text);
          assert.equal(stale.text, fresh.text);
          assert.match(stale.header('cache-status'), /varnish; hit; ttl=-/);
        } else {
          assert.equal(stale.status, 503);
          assert(!stale.text.includes(MARK));
        }
        for (const token of [undefined, 'nonsense', await jwt(makeKey(site.key().kid), site.claims('ann', READ)), await site.mint('ann', READ, {exp: now() - 60}), await site.mint('ann', WRITE)]) {
          const answer = await ask('/v1/profiles/stale', {token});
          assert.equal(answer.status, 503);
          assert(!answer.text.includes(MARK));
          assert.equal(answer.header('etag'), undefined);
        }
      }
      Object.assign(from, {down: false, status: 0});
      assert.equal((await ask('/v1/profiles/stale', {as: 'ann'})).status, 200);
    });

    test('a new key counts before the edge knows it, a retired one is dead when it does', async () => {
      const old = await site.mint('ann', READ);
      const [oldKey] = [site.key()];
      await site.cli('key', 'new');
      await site.reload();
      const key = (await import('./lib/token.mjs')).readKeys(site.keys).find((one) => one.kid !== oldKey.kid);
      const fresh = await jwt(key, site.claims('ann', READ));
      assert.equal((await ask('/v1/profiles/ann', {token: fresh})).status, 200);
      await site.cli('key', 'retire', oldKey.kid);
      await site.reload();
      edge.writeKeys([key]);
      await until('the edge to drop the old key', async () => (await ask('/v1/profiles/ann', {token: old})).status === 401, 5000);
      assert.equal((await ask('/v1/profiles/ann', {token: fresh})).status, 200);
    });
  });
}
