// Revocation: all of a subject's tokens and single ones (RFC 7009); dead in every worker and process by the time the answer is there,
// and for good.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {test} from 'node:test';
import {anotherPool, cgi, crewOf} from './lib/crew.mjs';
import {load} from './lib/load.mjs';
import {sleep, until} from './lib/process.mjs';
import {ADMIN, ISSUER, LIST, READ, WRITE, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';
import {jwt, makeKey, now, pasetoToken, rfc3339, tokenName} from './lib/token.mjs';

const FORM = 'application/x-www-form-urlencoded';
const WORKERS = 3;
const settings = {server: {workers: WORKERS}, token: {leeway: 0}, log: {level: 'warn'}};
const nextSecond = () => sleep(1000 - Date.now() % 1000 + 20);

scenario('revocation', {settings}, (at) => {
  const crew = () => crewOf(at.site.socket, () => at.site.workers(), WORKERS);
  const everywhere = async (token, path = '/v1/profiles/ann') => [
    ...await (await crew()).get(at.site, path, {token}), await at.site.get(path, {token, via: at.other.via}),
    await at.site.get(path, {token, via: cgi(at.site)})];
  const alive = async (...tokens) => { for (const token of tokens) for (const a of await everywhere(token)) assert.equal(a.status, 200, a.text); };
  const dead = async (...tokens) => { for (const token of tokens) for (const a of await everywhere(token)) assertUnauthorized(a); };
  const revoke = (token, options) => at.site.post('/v1/tokens/revoke', new URLSearchParams({token, token_type_hint: 'access_token'}).toString(), {type: FORM, ...options});
  const gone = async (token, options) => {
    const answer = await revoke(token, options);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text, '');
    assert.match(answer.header('cache-control'), /no-store|private/);
  };

  for (const [sub, path] of [['bob', '/v1/me/tokens'], ['bill', '/v1/profiles/bill/tokens']])
    test(`DELETE ${path}: all up to this second, and those without iat`, async () => {
      const {site} = at;
      const tokens = [await site.mint(sub, undefined, {iat: now() - 100}), await site.mint(sub, READ, {iat: undefined}), await site.mint(sub, ADMIN, {jti: 'x'}),
        await pasetoToken(site.key(), {...site.claims(sub, READ), iat: rfc3339(now() - 1), exp: rfc3339(now() + 100)})];
      const bystander = await site.mint('bobby');
      await alive(...tokens, bystander);
      const second = now();
      const answer = await site.delete(path, {token: tokens[0]});
      assert.equal(answer.status, 204, answer.text);
      assert.equal(answer.text, '');
      await dead(...tokens);
      await alive(bystander);
      await nextSecond();
      await dead(await site.mint(sub, READ, {iat: second}), await site.mint(sub, READ, {iat: undefined}));
      await alive(await site.mint(sub, READ, {iat: now()}));
    });

  test('who may revoke whose', async () => {
    const {site} = at;
    await nextSecond();
    const [own, other, reader, lister] = [await site.mint('cara'), await site.mint('dan'), await site.mint('cara', READ), await site.mint('cara', LIST)];
    for (const token of [other, reader, lister]) assertProblem(await site.delete('/v1/profiles/cara/tokens', {token}), 403);
    for (const token of [reader, lister]) assertProblem(await site.delete('/v1/me/tokens', {token}), 403);
    assertUnauthorized(await site.delete('/v1/me/tokens'), {error: null});
    assertProblem(await site.delete('/v1/profiles/@cara/tokens', {as: 'admin'}), 404);
    assertProblem(await site.delete('/v1/profiles/a%20b/tokens', {as: 'admin'}), 404);
    assertProblem(await site.delete('/v1/me/tokens?all=1', {token: own}), 400);
    for (const method of ['GET', 'POST', 'PUT']) assertProblem(await site.call(method, '/v1/me/tokens', {token: own}), 405);
    await alive(own, other, reader);
    // one who has no profile, by an administrator
    assert.equal((await site.delete('/v1/profiles/cara/tokens', {as: 'admin'})).status, 204);
    await dead(own, reader);
    await alive(other);
  });

  test('one token, with a jti and without, JWT and PASETO; its subject\'s others live on', async () => {
    const {site} = at;
    await nextSecond();
    const mint = (more) => site.mint('erin', READ, more);
    const paseto = (jti) => pasetoToken(site.key(), {...site.claims('erin', READ, {jti}), iat: rfc3339(now()), exp: rfc3339(now() + 100)});
    const tokens = [await mint({jti: 'one'}), await mint({exp: now() + 200}), await paseto('two'), await paseto(undefined), await mint({jti: '', exp: now() + 201}), await mint({iat: undefined})];
    const rest = [await mint({jti: 'three'}), await mint({exp: now() + 202}), await mint({jti: '', exp: now() + 203})];
    await alive(...tokens, ...rest);
    for (const token of tokens) {
      await gone(token, {token});
      await dead(token);
      await alive(...rest);
    }
    // a jti names one token, whatever else is in it
    await dead(await mint({jti: 'one', exp: now() + 77}));
    assertUnauthorized(await revoke(rest[0], {token: tokens[0]})); // a dead one revokes nothing
    await alive(...rest);
  });

  test('of another subject: refused and told so, whether it counts or not; an administrator may', async () => {
    const {site} = at;
    await nextSecond();
    const token = await site.mint('finn', READ, {jti: 'finn'}), expired = await site.mint('finn', READ, {iat: now() - 10, exp: now() - 5});
    for (const as of ['gina', 'finny']) for (const one of [token, expired]) {
      const answer = await revoke(one, {as});
      assertProblem(answer, 403);
      assert.match(answer.header('www-authenticate'), /insufficient_scope/);
    }
    await alive(token);
    await gone(token, {as: 'admin'});
    await dead(token);
    assertProblem(await revoke(token, {as: 'gina'}), 403);
  });

  test('what does not count anyway is a success (RFC 7009 section 2.2), and changes nothing', async () => {
    const {site} = at;
    const seq = async () => Number(execFileSync('sqlite3', [site.database, 'SELECT max(seq) FROM changes']));
    const good = await site.mint('hal', READ, {jti: 'hal'}), stranger = makeKey(site.key().kid);
    await gone(good, {token: await site.token('hal')});
    const before = await seq();
    for (const token of ['x', 'a.b.c', 'no token', `${good}x`, 'Bearer', await jwt(stranger, site.claims('hal')), await site.mint('hal', READ, {iss: 'https://else.example'}),
      await site.mint('hal', READ, {aud: 'else'}), await site.mint('hal', READ, {iat: now() - 4000, exp: now() - 3600}), good, 'y'.repeat(5000)])
      await gone(token, {as: 'hal'});
    assert.equal(await seq(), before);
  });

  test('one that is not valid yet never becomes so', async () => {
    const {site} = at;
    const start = now() + 3, token = await site.mint('ida', READ, {jti: 'ida', nbf: start}), other = await site.mint('ida', READ, {nbf: start});
    await gone(token, {as: 'ida'});
    await sleep(start * 1000 - Date.now() + 50);
    await alive(other);
    await dead(token);
  });

  test('the form: type, size, what is missing or there twice', async () => {
    const {site} = at;
    const post = (body, type = FORM) => site.post('/v1/tokens/revoke', body, {as: 'ida', type});
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', `${FORM}; charset=latin1`, 'x', null]) {
      const answer = await post('token=x', type);
      assertProblem(answer, 415);
      assert.equal(answer.header('accept'), FORM);
    }
    assert.equal((await post('token=x', `${FORM}; charset=UTF-8`)).status, 200);
    assert.equal((await post('more=1&&token=x&token_type_hint=none&n')).status, 200);
    for (const body of ['', 'token', 'token=', 'tokens=x', 'token=x&token=x', 'token=x&token_type_hint=a&token_type_hint=b', 'token=%', 'token=%ff', 'token=x%00', '=x', '{"token":"x"}'])
      assertProblem(await post(body), 400);
    assertProblem(await post(`token=${'x'.repeat(70000)}`), 413);
    assertProblem(await site.post('/v1/tokens/revoke?token=x', 'token=x', {as: 'ida', type: FORM}), 400);
    assertUnauthorized(await site.post('/v1/tokens/revoke', 'token=x', {type: FORM}), {error: null});
    assertProblem(await site.post('/v1/tokens/revoke', 'token=x', {token: await site.mint('ida', 'metrics:read'), type: FORM}), 403);
    assertProblem(await site.get('/v1/tokens/revoke', {as: 'ida'}), 405);
  });

  test('a deletion needs no profile to stay: the log and the list say it', async () => {
    const {site} = at;
    const token = await site.mint('jon', READ, {jti: 'jon'}), exp = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).exp;
    await gone(token, {token});
    const list = (await site.get('/v1/revocations', {as: 'admin'})).json;
    assert(list.revoked.some(({subject}) => subject === 'cara'));
    assert.deepEqual(list.tokens.filter((row) => row.token === tokenName({iss: ISSUER, jti: 'jon'})), [{token: tokenName({iss: ISSUER, jti: 'jon'}), until: exp}]);
    assert.deepEqual(list.revoked.filter(({subject}) => subject === 'jon' || subject.startsWith('@')), []);
  });

  test('known to all workers at once, while they are hammered', async () => {
    const {site} = at;
    await nextSecond();
    for (let round = 0; round < 12; round++) {
      const token = await site.mint('kim', `${READ} ${WRITE}`, {jti: `kim ${round}`});
      const storm = load(site, {token, path: '/v1/profiles/ann', connections: 8, good: () => true});
      await until('the token to be remembered', () => storm.begun > 40);
      if (round % 3 === 2) assert.equal((await site.delete('/v1/profiles/kim/tokens', {as: 'admin'})).status, 204);
      else await gone(token, {as: round % 3 ? 'admin' : undefined, token: round % 3 ? undefined : token});
      // whatever begins from here on
      const answers = await Promise.all(Array.from({length: 24}, () => site.get('/v1/profiles/ann', {token})));
      for (const answer of answers) assert.equal(answer.status, 401);
      const done = await storm.stop();
      assert.deepEqual(Object.keys(done.answers).sort(), ['200', '401'], JSON.stringify(done));
      if (round % 3 === 2) await nextSecond();
    }
  });

  test('kill -9 of every process right behind the answer', async () => {
    const {site} = at;
    await nextSecond();
    const one = await site.mint('lea', READ, {jti: 'lea'}), all = await site.mint('max'), stays = await site.mint('lea', READ, {jti: 'lea 2'});
    await alive(one, all, stays);
    await gone(one, {token: one});
    assert.equal((await site.delete('/v1/me/tokens', {token: all})).status, 204);
    for (const pid of [site.pool.pid, ...site.workers()]) process.kill(pid, 'SIGKILL');
    await until('the pool to be gone', () => !site.pool.running);
    await site.startPool();
    await until('the pool', async () => (await site.get('/readyz')).status === 200);
    await dead(one, all);
    await alive(stays);
    await site.reload();
    await dead(one, all);
    await alive(stays);
  });

  test('the other pool stops', () => at.other.stop());
}, async (site, at) => {
  await site.make({id: 'ann', handle: 'ann'});
  at.other = await anotherPool(site, 'other');
});
