// Foreign issuers are fenced: their keys speak for their own iss alone, for people under their prefix, within their scopes.
import assert from 'node:assert/strict';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {temporaryFolder} from './lib/process.mjs';
import {AUDIENCE, ISSUER, ADMIN, READ, WRITE, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';
import {handmadePaseto, jwt, makeKey, now, pasetoToken, publicJwk, rfc3339} from './lib/token.mjs';

const folder = temporaryFolder();
const jwks = (name, ...keys) => {
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify({keys}), {mode: 0o644});
  return path;
};
const club = makeKey('club-1'), open = makeKey('open-1'), trusted = makeKey('trusted-1');
const CLUB = 'https://club.example', OPEN = 'https://open.example', TRUSTED = 'https://trusted.example';
const issuers = {
  club: {iss: CLUB, jwks: jwks('club', {kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'rsa'}, publicJwk(club)), audience: 'club-audience', subject_prefix: 'club:'},
  open: {iss: OPEN, jwks: jwks('open', publicJwk(open)), audience: AUDIENCE, subject_prefix: '', scopes: READ}, // an empty prefix, said
  trusted: {iss: TRUSTED, jwks: jwks('trusted', publicJwk(trusted)), audience: AUDIENCE, subject_prefix: 't:', scopes: `${ADMIN} ${READ}`},
};

scenario('foreign issuers', {issuers}, (at) => {
  const claims = (iss, aud, sub, scope = `${READ} ${WRITE}`) => ({iss, aud, sub, scope, iat: now(), exp: now() + 600});
  const me = (token) => at.site.get('/v1/me', {token});

  test('its people stand under its prefix', async () => {
    const token = await jwt(club, claims(CLUB, 'club-audience', 'eve'));
    assertProblem(await me(token), 404);
    const made = await at.site.put('/v1/me', {handle: 'club_eve'}, {token});
    assert.equal(made.status, 201, made.text);
    assert.equal(made.json.id, 'club:eve');
    assert.equal((await me(token)).json.id, 'club:eve');
    const paseto = await pasetoToken(club, {...claims(CLUB, 'club-audience', 'eve'), iat: rfc3339(now()), exp: rfc3339(now() + 600)});
    assert.equal((await me(paseto)).json.id, 'club:eve');
  });

  test('it cannot speak for our people, nor for another issuer\'s', async () => {
    for (const sub of ['ann', 'admin', 't:ann']) {
      const token = await jwt(club, claims(CLUB, 'club-audience', sub));
      assertProblem(await at.site.get('/v1/profiles/ann/full', {token}), 403);
      assertProblem(await at.site.patch('/v1/profiles/ann', {name: 'Owned'}, {token, match: '*'}), 403);
      assertProblem(await me(token), 404);
    }
    assert.equal((await at.site.get('/v1/me', {as: 'ann'})).json.name, 'Ann');
  });

  test('it mints no administrators', async () => {
    for (const scope of [ADMIN, `${READ} ${WRITE} ${ADMIN} metrics:read`]) {
      const token = await jwt(club, claims(CLUB, 'club-audience', 'eve', scope));
      assertProblem(await at.site.get('/v1/profiles/ann/full', {token}), 403);
      assertProblem(await at.site.post('/v1/profiles', {handle: 'minted'}, {token}), 403);
    }
  });

  test('a ceiling of scopes is one', async () => {
    const token = await jwt(open, claims(OPEN, AUDIENCE, 'ann'));
    assert.equal((await at.site.get('/v1/profiles/ann', {token})).status, 200);
    assertProblem(await at.site.patch('/v1/me', {name: 'x'}, {token, match: '*'}), 403);
  });

  test('an empty prefix, said, takes its subjects as they stand', async () => {
    const token = await jwt(open, claims(OPEN, AUDIENCE, 'ann'));
    assert.equal((await me(token)).json.id, 'ann');
  });

  test('an administrator of one that may have some', async () => {
    const token = await jwt(trusted, claims(TRUSTED, AUDIENCE, 'root', ADMIN));
    assert.equal((await at.site.get('/v1/profiles/ann/full', {token})).status, 200);
  });

  const forged = [
    ['our iss with their key', () => jwt(club, claims(ISSUER, AUDIENCE, 'ann'))],
    ['our iss with their key and our kid', () => jwt({...club, kid: at.site.key().kid}, claims(ISSUER, AUDIENCE, 'ann'))],
    ['their iss with our key', () => jwt(at.site.key(), claims(CLUB, 'club-audience', 'eve'))],
    ['another\'s iss with their key', () => jwt(club, claims(TRUSTED, AUDIENCE, 'root', ADMIN))],
    ['their iss with another\'s key', () => jwt(trusted, claims(CLUB, 'club-audience', 'eve'))],
    ['our audience at theirs', () => jwt(club, claims(CLUB, AUDIENCE, 'eve'))],
    ['no audience', () => jwt(club, {...claims(CLUB, 'x', 'eve'), aud: undefined})],
    ['a prefix that makes no id', () => jwt(club, claims(CLUB, 'club-audience', 'a/b'))],
    ['too long with the prefix', () => jwt(club, claims(CLUB, 'club-audience', 'x'.repeat(127)))],
    ['a kid of theirs that is no Ed25519 key', () => jwt(club, claims(CLUB, 'club-audience', 'eve'), {kid: 'rsa'})],
    ['PASETO: our iss with their key', () => handmadePaseto(club, JSON.stringify({...claims(ISSUER, AUDIENCE, 'ann'), iat: undefined, exp: rfc3339(now() + 60)}))],
  ];
  for (const [what, make] of forged)
    test(`refused: ${what}`, async () => {
      const token = await make();
      assertUnauthorized(await me(token));
      assertUnauthorized(await at.site.get('/v1/profiles/ann', {token}));
    });

  test('the key set that we publish holds our keys alone', async () => {
    const {keys} = (await at.site.get('/.well-known/jwks.json')).json;
    assert.deepEqual(keys.map((k) => k.kid), [at.site.key().kid]);
  });

  const refusedConfigs = [
    ['without subject_prefix', {subject_prefix: undefined}, /subject_prefix/],
    ['without audience', {audience: undefined}, /audience/],
    ['with an audience that is empty', {audience: ''}, /audience/],
    ['without jwks', {jwks: undefined}, /jwks/],
    ['with a key set that is not there', {jwks: join(folder, 'none.json')}, /none\.json/],
    ['with an unknown scope', {scopes: 'profile:everything'}, /profile:everything|scopes/],
    ['with our own iss', {iss: ISSUER}, /iss/],
    ['with an unknown key', {subjectprefix: 'x:'}, /subjectprefix/],
  ];
  for (const [what, change, says] of refusedConfigs)
    test(`a section ${what} is refused by its name`, async () => {
      const {site} = at;
      const kept = site.issuers;
      const row = {...issuers.club, ...change};
      for (const key of Object.keys(row)) if (row[key] === undefined) delete row[key];
      site.issuers = {club: row};
      site.writeConfig();
      try {
        const how = await site.tryCli(['serve']);
        assert.notEqual(how.code, 0);
        assert.match(how.err, says);
        assert(how.err.trim().split('\n').length <= 2, how.err);
      } finally {
        site.issuers = kept;
        site.writeConfig();
      }
    });
}, (site) => site.make({id: 'ann', handle: 'ann', name: 'Ann'}));
