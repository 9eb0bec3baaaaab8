// Keys over their life: new, signing, retired; picked up by a reload with no request lost; published; with modes that are looked at.
import assert from 'node:assert/strict';
import {chmodSync, readdirSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {importJWK, jwtVerify, createLocalJWKSet, decodeProtectedHeader} from 'jose';
import {load} from './lib/load.mjs';
import {until} from './lib/process.mjs';
import {AUDIENCE, ISSUER, assertUnauthorized, scenario} from './lib/site.mjs';
import {readKeys} from './lib/token.mjs';

scenario('keys', {settings: {server: {workers: 3}}}, (at) => {
  const jwks = async () => (await at.site.get('/.well-known/jwks.json')).json.keys;
  const issue = async () => (await at.site.cli('token', 'issue', '--sub', 'key')).trim();

  test('the published set holds the public half, and nothing of the private one', async () => {
    const answer = await at.site.get('/.well-known/jwks.json');
    assert.equal(answer.header('cache-control'), 'public, max-age=300');
    assert(answer.etag && answer.header('last-modified'));
    assert.equal((await at.site.get('/.well-known/jwks.json', {none: answer.etag})).status, 304);
    const [key] = answer.json.keys;
    assert.deepEqual([key.kty, key.crv, key.x, key.kid], ['OKP', 'Ed25519', at.site.key().x, at.site.key().kid]);
    assert.equal(key.d, undefined);
    assert(!answer.text.includes(at.site.key().d));
    assert(await importJWK(key, 'EdDSA'));
  });

  test('a token of ours is verified by another implementation from the published set', async () => {
    const set = createLocalJWKSet({keys: await jwks()});
    const {payload, protectedHeader} = await jwtVerify(await issue(), set, {issuer: ISSUER, audience: AUDIENCE, algorithms: ['EdDSA']});
    assert.equal(payload.sub, 'key');
    assert(payload.exp > payload.iat);
    assert.equal(protectedHeader.kid, at.site.key().kid);
  });

  test('key files are for their owner alone', () => {
    for (const {file} of readKeys(at.site.keys)) assert.equal(statSync(file).mode & 0o077, 0, file);
  });

  test('key new, a reload, key retire, a reload: under load, with no request lost and no tag changed', async () => {
    const {site} = at;
    const token = await issue(), oldKid = decodeProtectedHeader(token).kid;
    const before = await site.get('/v1/profiles/key', {token});
    const traffic = load(site, {token, path: '/v1/profiles/key', connections: 4});
    try {
      await site.cli('key', 'new');
      await site.reload();
      const newer = await issue(), newKid = decodeProtectedHeader(newer).kid;
      assert.notEqual(newKid, oldKid, 'the newest key signs');
      for (const t of [token, newer]) {
        const answer = await site.get('/v1/profiles/key', {token: t, none: before.etag});
        assert.equal(answer.status, 304, 'the old one goes on verifying, and the tag stays');
      }
      assert.deepEqual((await jwks()).map((k) => k.kid).sort(), [oldKid, newKid].sort());
      traffic.token = newer;
      await traffic.settle();
      await site.cli('key', 'retire', oldKid);
      await site.reload();
      assertUnauthorized(await site.get('/v1/profiles/key', {token}));
      assert.equal((await site.get('/v1/profiles/key', {token: newer, none: before.etag})).status, 304);
      assert.deepEqual((await jwks()).map((k) => k.kid), [newKid]);
      const list = await site.cli('key', 'list');
      assert(list.includes(oldKid) && list.includes(newKid));
    } finally {
      const done = await traffic.stop();
      assert.deepEqual(done.bad, [], 'answers that were not 200');
      assert(done.count > 20, `${done.count} requests`);
    }
  });

  test('a key file that others may read is refused, and a reload keeps the old keys', async () => {
    const {site} = at;
    const file = readKeys(site.keys)[0].file;
    const token = await issue();
    chmodSync(file, 0o644);
    try {
      const workers = site.workers();
      site.pool.kill('SIGHUP');
      await until('a word about it', () => site.logLines().some((line) => JSON.stringify(line).includes(file)));
      assert.equal((await site.get('/v1/me', {token})).status, 200);
      assert.deepEqual(site.workers(), workers);
      assert.notEqual((await site.tryCli(['serve'])).code, 0);
    } finally {
      chmodSync(file, 0o600);
    }
  });

  test('retiring what is not there fails and says so', async () => {
    const how = await at.site.tryCli(['key', 'retire', 'nonesuch']);
    assert.equal(how.code, 1);
    assert.match(how.err, /nonesuch/);
    assert(readdirSync(join(at.site.keys)).length > 0);
  });
}, (site) => site.make({id: 'key', handle: 'key'}));
