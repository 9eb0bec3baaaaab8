// Tokens that were verified once: everything that makes one bad is looked at all the same, by every worker, at once; and nothing of a
// token can be found in the memory that the pool shares.
import assert from 'node:assert/strict';
import {readFileSync, readdirSync, readlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {anotherPool, crewOf} from './lib/crew.mjs';
import {sleep, until} from './lib/process.mjs';
import {READ, WRITE, assertUnauthorized, scenario} from './lib/site.mjs';
import {jwt, makeKey, now, pasetoToken, rfc3339} from './lib/token.mjs';

const settings = {server: {workers: 3}, token: {leeway: 0, cache_size: '256K'}, cache: {size: '256K'}, log: {level: 'warn'}};

/** The next whole second, and a bit: far from where it turns. */
const nextSecond = () => sleep(1000 - Date.now() % 1000 + 20);

scenario('token memo', {settings}, (at) => {
  /** What every worker, of two pools, says to a token. */
  const everywhere = async (token, path = '/v1/profiles/ann') =>
    (await Promise.all(at.crews.map((crew) => crew.get(at.site, path, {token})))).flat();
  const accepted = async (token, path) => {
    for (const answer of await everywhere(token, path)) assert.equal(answer.status, 200, answer.text);
  };
  const refused = async (token, path) => {
    for (const answer of await everywhere(token, path)) assertUnauthorized(answer);
  };
  const remembered = async (token) => {
    await accepted(token);
    const before = await at.site.counters();
    await accepted(token);
    const after = await at.site.counters();
    assert.equal(after.token_memo_hits - before.token_memo_hits, 3);
    assert.equal(after.token_memo_misses, before.token_memo_misses);
  };
  const refresh = async () => { at.crews = [await crewOf(at.site.socket, () => at.site.workers(), 3), await at.other.crew()]; };
  const reload = async () => {
    await at.site.reload();
    const old = at.other.workers();
    at.other.pool.kill('SIGHUP');
    await until('new workers', () => at.other.workers().length === 1 && !old.includes(at.other.workers()[0]));
    await refresh();
  };

  test('a token is verified once for all workers of a pool', async () => {
    const token = await at.site.mint('bob');
    const before = await at.site.counters();
    for (let i = 0; i < 4; i++) await accepted(token);
    const after = await at.site.counters();
    assert(after.token_memo_misses - before.token_memo_misses <= 3, 'by each that had it at the same time');
    assert.equal(after.token_memo_hits + after.token_memo_misses - before.token_memo_hits - before.token_memo_misses, 12);
    await remembered(token);
  });

  test('it expires to the second in every worker', async () => {
    const {site} = at;
    await nextSecond();
    const exp = now() + 3, dead = exp * 1000;
    const tokens = [await site.mint('bob', READ, {exp}), await pasetoToken(site.key(), {...site.claims('bob', READ), iat: rfc3339(now()), exp: rfc3339(exp)})];
    while (Date.now() < dead - 250) {
      for (const token of tokens) {
        const answers = await everywhere(token);
        if (Date.now() < dead) for (const answer of answers) assert.equal(answer.status, 200, answer.text);
      }
      await sleep(50);
    }
    await sleep(dead - Date.now() + 5);
    for (const token of tokens) await refused(token);
  });

  test('nbf and iat: refused, which is not remembered, and accepted when the time has come', async () => {
    const {site} = at;
    await nextSecond();
    const begins = now() + 3;
    const tokens = [await site.mint('bob', READ, {nbf: begins}), await site.mint('bob', READ, {iat: begins})];
    while (Date.now() < begins * 1000 - 250) {
      for (const token of tokens) {
        const answers = await everywhere(token);
        if (Date.now() < begins * 1000) answers.forEach((answer) => assertUnauthorized(answer));
      }
      await sleep(100);
    }
    await sleep(begins * 1000 - Date.now() + 5);
    for (const token of tokens) await accepted(token);
  });

  test('a key that is not known yet: refused; accepted after a reload with it; refused at once when it is retired', async () => {
    const {site} = at;
    const old = site.key();
    await remembered(await site.mint('bob'));
    const key = makeKey('zzzz-later');
    const token = await jwt(key, site.claims('bob'));
    for (let i = 0; i < 3; i++) await refused(token);
    const file = join(site.keys, 'zzzz-later.jwk'); // the site's own key stays the first
    writeFileSync(file, JSON.stringify({...key, kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig'}), {mode: 0o600});
    await reload();
    await remembered(token);
    await remembered(await jwt(old, site.claims('bob')));
    await site.cli('key', 'retire', 'zzzz-later');
    await reload();
    await refused(token);
    await accepted(await jwt(old, site.claims('bob')));
    for (let i = 0; i < 3; i++) await refused(token);
  });

  test('another audience, another issuer, a lower limit of age: remembered tokens are judged anew', async () => {
    const {site} = at;
    const token = await site.mint('bob');
    await remembered(token);
    const {audience, issuer} = site.settings.token;
    for (const change of [{audience: 'https://elsewhere.example'}, {issuer: 'https://elsewhere.example'}, {max_ttl: '60s'}]) {
      site.settings.token = {...site.settings.token, audience, issuer, max_ttl: '30d', ...change};
      site.writeConfig();
      await reload();
      for (let i = 0; i < 2; i++) await refused(token);
    }
    site.settings.token = {...site.settings.token, audience, issuer, max_ttl: '30d'};
    site.writeConfig();
    await reload();
    await accepted(token);
  });

  test('a subject\'s tokens die in every worker with its profile, and when it is suspended', async () => {
    const {site} = at;
    for (const [n, kill] of [
      () => site.delete('/v1/profiles/eve', {as: 'admin', match: '*'}),
      () => site.patch('/v1/profiles/eve', {state: 'suspended'}, {as: 'admin', match: '*'}),
      () => site.delete('/v1/profiles/eve', {as: 'admin', match: '*', via: at.other.via}),
      () => site.patch('/v1/profiles/eve/full', {state: 'suspended'}, {as: 'admin', match: '*', via: at.other.via}),
    ].entries()) {
      if ((await site.get('/v1/profiles/eve/full', {as: 'admin'})).status === 404) await site.make({id: 'eve', handle: 'eve'});
      else await site.patch('/v1/profiles/eve', {state: 'active'}, {as: 'admin', match: '*'});
      // making one anew does not give its old tokens back, and those of this very second are dead with it
      await nextSecond();
      const token = await site.mint('eve', `${READ} ${WRITE}`, {jti: `${n}`}), bystander = await site.mint('bob', READ, {jti: `${n}`});
      await remembered(token);
      await remembered(bystander);
      const answer = await kill();
      assert([200, 204, 404].includes(answer.status), answer.text);
      await refused(token);
      await refused(token, '/v1/profiles/eve');
      await accepted(bystander);
      const change = await site.patch('/v1/me', {name: 'x'}, {token, match: '*'});
      assertUnauthorized(change);
    }
  });

  test('forged on a remembered token: another signature, another payload, another form', async () => {
    const {site} = at;
    const token = await site.mint('bob', READ);
    await remembered(token);
    const [header, payload, signature] = token.split('.');
    const flip = (text, i) => text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);
    const other = (await site.mint('bob', READ, {jti: 'other'})).split('.');
    const elevated = Buffer.from(JSON.stringify({...site.claims('bob'), scope: 'profile:admin'})).toString('base64url');
    for (const forged of [
      `${header}.${payload}.${flip(signature, 0)}`, `${header}.${payload}.${flip(signature, 40)}`, `${header}.${payload}.${other[2]}`,
      `${header}.${elevated}.${signature}`, `${flip(header, 10)}.${payload}.${signature}`, `${header}.${payload}.`, `${header}.${payload}`, `${token}=`, `${token}A`,
      await jwt(makeKey(site.key().kid), site.claims('bob')),
    ]) await refused(forged);
    await remembered(token);
  });

  test('scope is looked at on each use of a remembered token', async () => {
    const {site} = at;
    const token = await site.mint('ann', READ);
    await remembered(token);
    for (let i = 0; i < 4; i++) {
      assert.equal((await site.patch('/v1/me', {name: 'x'}, {token, match: '*'})).status, 403);
      assert.equal((await site.get('/v1/profiles/eve/full', {token})).status, 403);
      assert.equal((await site.get('/v1/me', {token})).status, 200);
    }
  });

  test('nothing of a token lies in the shared memory', async () => {
    const {site} = at;
    const token = await site.mint('bob', READ, {jti: 'a-jti-that-may-be-there'});
    await remembered(token);
    await site.patch('/v1/profiles/ann', {name: 'Needle in the answers'}, {as: 'admin', match: '*'});
    await accepted(token);
    const pid = site.workers()[0];
    const fd = readdirSync(`/proc/${pid}/fd`).find((n) => {
      try { return readlinkSync(`/proc/${pid}/fd/${n}`).includes('memfd:profiled-cache'); } catch { return false; }
    });
    assert(fd !== undefined, 'a worker has it open');
    const memory = readFileSync(`/proc/${pid}/fd/${fd}`);
    assert(memory.includes('Needle in the answers'), 'it is the memory of the answers');
    assert(memory.includes('a-jti-that-may-be-there'), 'and of the verdicts');
    // of the payload, who it speaks for is kept; of its bytes as they were sent, of header and signature, nothing is
    const parts = token.split('.');
    for (const [what, bytes] of Object.entries({token: Buffer.from(token), header: Buffer.from(parts[0], 'base64url'), signature: Buffer.from(parts[2], 'base64url')}))
      for (let i = 0; i + 16 <= bytes.length; i++) assert(!memory.includes(bytes.subarray(i, i + 16)), `${what}: 16 bytes from ${i} on`);
  });

  test('the other pool stops', () => at.other.stop());
}, async (site, at) => {
  await site.make({id: 'ann', handle: 'ann', name: 'Ann'});
  at.other = await anotherPool(site, 'other');
  at.crews = [await crewOf(site.socket, () => site.workers(), 3), await at.other.crew()];
});
