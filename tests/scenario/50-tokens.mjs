// Bearer tokens: good ones of independent implementations are accepted in both forms; forged, stale and odd ones are a 401 with the
// right challenge, and nothing is ever a 5xx.
import assert from 'node:assert/strict';
import {createHmac, randomBytes, sign} from 'node:crypto';
import {test} from 'node:test';
import {AUDIENCE, ISSUER, READ, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';
import {base64url, handmade, handmadePaseto, jwt, makeKey, now, pasetoToken, privateKey, publicKey, rfc3339} from './lib/token.mjs';

// The group's order, little-endian: S + L verifies in a careless implementation (RFC 8032 section 5.1.7).
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
function addOrder(signature) {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + L;
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}
const flip = (text, i) => text.slice(0, i) + (text[i] === 'A' ? 'B' : 'A') + text.slice(i + 1);

scenario('tokens', {}, (at) => {
  const me = (token) => at.site.get('/v1/me', {token});
  const claims = (more) => JSON.parse(JSON.stringify({...at.site.claims('tok', READ), ...more}));
  const pclaims = (more) => JSON.parse(JSON.stringify({iss: ISSUER, aud: AUDIENCE, sub: 'tok', scope: READ, iat: rfc3339(now()), exp: rfc3339(now() + 600), ...more}));
  const head = (more) => JSON.parse(JSON.stringify({alg: 'EdDSA', kid: at.site.key().kid, typ: 'JWT', ...more}));

  const good = [
    ['by jose', () => jwt(at.site.key(), claims())],
    ['typ at+jwt (RFC 9068)', () => jwt(at.site.key(), claims(), {typ: 'at+jwt'})],
    ['no typ', () => jwt(at.site.key(), claims(), {typ: undefined})],
    ['alg Ed25519 (RFC 9864)', () => handmade(at.site.key(), head({alg: 'Ed25519'}), claims())],
    ['aud as a list', () => jwt(at.site.key(), claims({aud: ['x', AUDIENCE]}))],
    ['nbf now', () => jwt(at.site.key(), claims({nbf: now()}))],
    ['nbf within the leeway', () => jwt(at.site.key(), claims({nbf: now() + 20}))],
    ['expired within the leeway', () => jwt(at.site.key(), claims({exp: now() - 10, iat: now() - 100}))],
    ['without iat', () => jwt(at.site.key(), claims({iat: undefined}))],
    ['with jti and claims that nobody knows', () => jwt(at.site.key(), claims({jti: 'j', x: {y: [1, null]}, roles: ['admin']}))],
    ['header members that are followed by nobody', () => jwt(at.site.key(), claims(), {jku: 'https://evil.example/', x5u: 'https://evil.example/'})],
    ['exp with a fraction', () => handmade(at.site.key(), head(), JSON.stringify(claims()).replace(/"exp":(\d+)/, '"exp":$1.5'))],
    ['spaces in the JSON', () => handmade(at.site.key(), JSON.stringify(head(), null, 1), JSON.stringify(claims(), null, 1))],
    ['PASETO by paseto', () => pasetoToken(at.site.key(), pclaims())],
    ['PASETO with nbf and jti', () => pasetoToken(at.site.key(), pclaims({nbf: rfc3339(now()), jti: 'j'}))],
    ['PASETO with a time zone', () => pasetoToken(at.site.key(), pclaims({exp: `${rfc3339(now() + 7800).slice(0, 19)}+02:00`, iat: undefined}))],
    ['PASETO with milliseconds', () => pasetoToken(at.site.key(), pclaims({exp: new Date(Date.now() + 60000).toISOString()}))],
    ['PASETO by hand', () => handmadePaseto(at.site.key(), JSON.stringify(pclaims()))],
  ];
  for (const [what, make] of good)
    test(`accepted: ${what}`, async () => {
      const answer = await me(await make());
      assert.equal(answer.status, 200, `${answer.text} ${answer.header('www-authenticate')}`);
      assert.equal(answer.json.id, 'tok');
    });

  test('accepted: issued by profiled token issue, in both forms', async () => {
    for (const format of [[], ['--format', 'jwt'], ['--format', 'paseto']]) {
      const token = (await at.site.cli('token', 'issue', '--sub', 'tok', '--scope', READ, '--ttl', '5m', ...format)).trim();
      assert.equal((await me(token)).status, 200);
    }
  });

  for (const scheme of ['Bearer', 'bearer', 'BEARER'])
    test(`the scheme's name has no case: ${scheme}`, async () => {
      const answer = await at.site.get('/v1/me', {headers: {Authorization: `${scheme} ${await at.site.token('tok')}`}});
      assert.equal(answer.status, 200);
    });

  const strange = makeKey();
  const signed = async () => (await jwt(at.site.key(), claims())).split('.');
  const bad = [
    ['alg none, unsigned', () => `${base64url(JSON.stringify(head({alg: 'none'})))}.${base64url(JSON.stringify(claims()))}.`],
    ['alg none, signed', () => handmade(at.site.key(), head({alg: 'none'}), claims())],
    ['alg nOnE', () => handmade(at.site.key(), head({alg: 'nOnE'}), claims())],
    ['alg HS256 with the public key as secret', () => {
      const input = `${base64url(JSON.stringify(head({alg: 'HS256'})))}.${base64url(JSON.stringify(claims()))}`;
      return `${input}.${createHmac('sha256', Buffer.from(at.site.key().x, 'base64url')).update(input).digest('base64url')}`;
    }],
    ['alg HS256 with the public key in PEM as secret', () => {
      const input = `${base64url(JSON.stringify(head({alg: 'HS256'})))}.${base64url(JSON.stringify(claims()))}`;
      return `${input}.${createHmac('sha256', publicKey(at.site.key()).export({type: 'spki', format: 'pem'})).update(input).digest('base64url')}`;
    }],
    ['alg HS256, 64 bytes long', () => {
      const input = `${base64url(JSON.stringify(head({alg: 'HS512'})))}.${base64url(JSON.stringify(claims()))}`;
      return `${input}.${createHmac('sha512', at.site.key().x).update(input).digest('base64url')}`;
    }],
    ...['ES256', 'RS256', 'Ed448', 'eddsa', 'EdDSA ', '', null, 7, ['EdDSA']].map((alg) =>
      [`alg ${JSON.stringify(alg)}, though the signature is good`, () => handmade(at.site.key(), {...head(), alg}, claims())]),
    ['no alg', () => handmade(at.site.key(), head({alg: undefined}), claims())],
    ['another key with our kid', () => jwt({...strange, kid: at.site.key().kid}, claims())],
    ['another key with its own kid', () => jwt(strange, claims())],
    ['another key, brought along as jwk', () => jwt(strange, claims(), {jwk: {kty: 'OKP', crv: 'Ed25519', x: strange.x}})],
    ['another key, brought along as jwk, with our kid', () => jwt({...strange, kid: at.site.key().kid}, claims(), {jwk: {kty: 'OKP', crv: 'Ed25519', x: strange.x}})],
    ['kid unknown', () => jwt(at.site.key(), claims(), {kid: 'nobody'})],
    ['kid a path', () => jwt(at.site.key(), claims(), {kid: '../../../../dev/null'})],
    ['kid no string', () => handmade(at.site.key(), head({kid: 7}), claims())],
    ['kid in SQL', () => jwt(at.site.key(), claims(), {kid: "' OR '1'='1"})],
    ['crit', () => handmade(at.site.key(), head({crit: ['exp'], exp: 1}), claims())],
    ['crit empty', () => handmade(at.site.key(), head({crit: []}), claims())],
    ['b64 false (RFC 7797)', () => handmade(at.site.key(), head({b64: false, crit: ['b64']}), claims())],
    ['typ of something else', () => jwt(at.site.key(), claims(), {typ: 'secevent+jwt'})],
    ['typ no string', () => handmade(at.site.key(), head({typ: 1}), claims())],
    ['expired', () => jwt(at.site.key(), claims({iat: now() - 7200, exp: now() - 3600}))],
    ['expired just past the leeway', () => jwt(at.site.key(), claims({iat: now() - 100, exp: now() - 32}))],
    ['not yet valid', () => jwt(at.site.key(), claims({nbf: now() + 100}))],
    ['issued in the future', () => jwt(at.site.key(), claims({iat: now() + 100}))],
    ['without exp', () => jwt(at.site.key(), claims({exp: undefined}))],
    ['exp a string', () => handmade(at.site.key(), head(), claims({exp: String(now() + 600)}))],
    ['exp null', () => handmade(at.site.key(), head(), claims({exp: null}))],
    ['exp enormous', () => handmade(at.site.key(), head(), JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":1e400'))],
    ['exp beyond 64 bits', () => handmade(at.site.key(), head(), JSON.stringify(claims()).replace(/"exp":\d+/, '"exp":99999999999999999999'))],
    ['exp in a thousand years: over max_ttl', () => jwt(at.site.key(), claims({exp: now() + 31536000000}))],
    ['exp negative', () => jwt(at.site.key(), claims({exp: -1}))],
    ['nbf a string', () => handmade(at.site.key(), head(), claims({nbf: 'now'}))],
    ['iat a list', () => handmade(at.site.key(), head(), claims({iat: [now()]}))],
    ['without iss', () => jwt(at.site.key(), claims({iss: undefined}))],
    ['another iss', () => jwt(at.site.key(), claims({iss: 'https://other.example'}))],
    ['iss with a slash more', () => jwt(at.site.key(), claims({iss: `${ISSUER}/`}))],
    ['iss a list', () => handmade(at.site.key(), head(), claims({iss: [ISSUER]}))],
    ['without aud', () => jwt(at.site.key(), claims({aud: undefined}))],
    ['another aud', () => jwt(at.site.key(), claims({aud: 'https://other.example'}))],
    ['aud a list without us', () => jwt(at.site.key(), claims({aud: ['a', 'b']}))],
    ['aud an empty list', () => jwt(at.site.key(), claims({aud: []}))],
    ['aud a list with a number', () => handmade(at.site.key(), head(), claims({aud: [AUDIENCE, 7]}))],
    ['aud in capitals', () => jwt(at.site.key(), claims({aud: AUDIENCE.toUpperCase()}))],
    ['without sub', () => jwt(at.site.key(), claims({sub: undefined}))],
    ['sub empty', () => jwt(at.site.key(), claims({sub: ''}))],
    ['sub a number', () => handmade(at.site.key(), head(), claims({sub: 7}))],
    ['sub no id: a slash', () => jwt(at.site.key(), claims({sub: 'a/b'}))],
    ['sub no id: @', () => jwt(at.site.key(), claims({sub: '@tok'}))],
    ['sub no id: too long', () => jwt(at.site.key(), claims({sub: 'x'.repeat(129)}))],
    ['sub with a NUL', () => handmade(at.site.key(), head(), claims({sub: 'tok\u0000'}))],
    ['scope a list', () => handmade(at.site.key(), head(), claims({scope: [READ]}))],
    ['a claim twice', () => handmade(at.site.key(), head(), JSON.stringify(claims()).replace('"sub":"tok"', '"sub":"tok","sub":"other"'))],
    ['a header member twice', () => handmade(at.site.key(), JSON.stringify(head()).replace('"alg":"EdDSA"', '"alg":"none","alg":"EdDSA"'), claims())],
    ['a claim twice, once escaped', () => handmade(at.site.key(), head(), JSON.stringify(claims()).replace('"sub":"tok"', '"sub":"tok","s\\u0075b":"other"'))],
    ['payload deeper than 32', () => handmade(at.site.key(), head(), JSON.stringify(claims()).replace('{', `{"x":${'['.repeat(40)}${']'.repeat(40)},`))],
    ['payload no object', () => handmade(at.site.key(), head(), '[]')],
    ['payload no JSON', () => handmade(at.site.key(), head(), 'hello')],
    ['payload empty', () => handmade(at.site.key(), head(), '')],
    ['payload with something behind it', () => handmade(at.site.key(), head(), `${JSON.stringify(claims())} x`)],
    ['payload no UTF-8', () => handmade(at.site.key(), head(), Buffer.from(JSON.stringify({...claims(), x: '\xff'}), 'latin1'))],
    ['header no object', () => handmade(at.site.key(), '"EdDSA"', claims())],
    ['header no JSON', () => handmade(at.site.key(), '{', claims())],
    ['another payload under the signature', async () => { const [h, , s] = await signed(); return `${h}.${base64url(JSON.stringify(claims({sub: 'admin'})))}.${s}`; }],
    ['no signature', async () => { const [h, p] = await signed(); return `${h}.${p}.`; }],
    ['no third part', async () => (await signed()).slice(0, 2).join('.')],
    ['one part', async () => (await signed())[0]],
    ['four parts', async () => `${(await signed()).join('.')}.x`],
    ['five parts, like a JWE', async () => `${(await signed()).join('.')}.x.y`],
    ['an empty header', async () => { const [, p, s] = await signed(); return `.${p}.${s}`; }],
    ['two dots', () => '..'],
    ['dots alone', () => '....'],
    ['a signature cut short', async () => { const [h, p, s] = await signed(); return `${h}.${p}.${s.slice(0, -2)}`; }],
    ['a signature with more behind it', async () => { const [h, p, s] = await signed(); return `${h}.${p}.${s}AA`; }],
    ['a signature of zeros', async () => { const [h, p] = await signed(); return `${h}.${p}.${base64url(Buffer.alloc(64))}`; }],
    ['a signature of noise', async () => { const [h, p] = await signed(); return `${h}.${p}.${base64url(randomBytes(64))}`; }],
    ['S + L: not canonical', async () => { const [h, p, s] = await signed(); return `${h}.${p}.${base64url(addOrder(Buffer.from(s, 'base64url')))}`; }],
    ['padding', async () => { const [h, p, s] = await signed(); return `${h}.${p}.${s}==`; }],
    ['padding on the header', () => {
      const header = JSON.stringify(head()) + ' '.repeat((4 - (JSON.stringify(head()).length % 3)) % 3 || 1);
      const input = `${Buffer.from(header).toString('base64').replace(/\+/g, '-').replace(/\//g, '_')}=.${base64url(JSON.stringify(claims()))}`;
      return `${input}.${base64url(sign(null, Buffer.from(input), privateKey(at.site.key())))}`;
    }],
    ['stray bits in the signature\'s last character', async () => {
      const [h, p, s] = await signed();
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
      return `${h}.${p}.${s.slice(0, -1)}${alphabet[alphabet.indexOf(s.at(-1)) | 1]}`;
    }],
    ['a newline in base64url', () => {
      const input = `${base64url(JSON.stringify(head()))}.${base64url(JSON.stringify(claims())).replace(/^(.{8})/, '$1~')}`;
      return `${input}.${base64url(sign(null, Buffer.from(input), privateKey(at.site.key())))}`;
    }],
    ['5 KiB', () => jwt(at.site.key(), claims({x: 'x'.repeat(5000)}))],
    ['5 KiB of dots', () => '.'.repeat(5000)],
    ['5 KiB of A', () => 'A'.repeat(5000)],
    ['an id for a key', () => base64url('tok:tok')],
    ['v4.public alone', () => 'v4.public.'],
    ['v4.local', () => `v4.local.${base64url(randomBytes(100))}`],
    ['v3.public', async () => (await pasetoToken(at.site.key(), pclaims())).replace('v4', 'v3')],
    ['v2.public', async () => (await pasetoToken(at.site.key(), pclaims())).replace('v4', 'v2')],
    ['V4.PUBLIC', async () => (await pasetoToken(at.site.key(), pclaims())).replace('v4.public', 'V4.PUBLIC')],
    ['PASETO of another key with our kid', () => pasetoToken({...strange, kid: at.site.key().kid}, pclaims())],
    ['PASETO without footer', () => handmadePaseto(at.site.key(), JSON.stringify(pclaims()), '')],
    ['PASETO with a footer that is no JSON', () => handmadePaseto(at.site.key(), JSON.stringify(pclaims()), at.site.key().kid)],
    ['PASETO with kid unknown', () => handmadePaseto(at.site.key(), JSON.stringify(pclaims()), '{"kid":"x"}')],
    ['PASETO with kid twice', () => handmadePaseto(at.site.key(), JSON.stringify(pclaims()), `{"kid":"x","kid":"${at.site.key().kid}"}`)],
    ['PASETO with an implicit assertion', () => handmadePaseto(at.site.key(), JSON.stringify(pclaims()), undefined, '{"x":1}')],
    ['PASETO with another footer', async () => `${(await pasetoToken(at.site.key(), pclaims())).split('.').slice(0, 3).join('.')}.${base64url(JSON.stringify({kid: at.site.key().kid, x: 1}))}`],
    ['PASETO with its footer taken away', async () => (await pasetoToken(at.site.key(), pclaims())).split('.').slice(0, 3).join('.')],
    ['PASETO expired', () => pasetoToken(at.site.key(), pclaims({iat: rfc3339(now() - 900), exp: rfc3339(now() - 600)}))],
    ['PASETO not yet valid', () => pasetoToken(at.site.key(), pclaims({nbf: rfc3339(now() + 600)}))],
    ['PASETO without exp', () => pasetoToken(at.site.key(), pclaims({exp: undefined}))],
    ['PASETO with exp a number', () => handmadePaseto(at.site.key(), JSON.stringify({...pclaims(), exp: now() + 600}))],
    ['PASETO with exp a day', () => handmadePaseto(at.site.key(), JSON.stringify({...pclaims(), exp: '2099-01-01'}))],
    ['PASETO with exp no date', () => handmadePaseto(at.site.key(), JSON.stringify({...pclaims(), exp: '2030-02-30T00:00:00Z'}))],
    ['PASETO with another iss', () => pasetoToken(at.site.key(), pclaims({iss: 'https://other.example'}))],
    ['PASETO with another aud', () => pasetoToken(at.site.key(), pclaims({aud: 'https://other.example'}))],
    ['PASETO without sub', () => pasetoToken(at.site.key(), pclaims({sub: undefined}))],
    ['PASETO with padding', async () => (await pasetoToken(at.site.key(), pclaims())).replace(/\.([^.]*)$/, '.$1=')],
    ['PASETO with a claim twice', () => handmadePaseto(at.site.key(), JSON.stringify(pclaims()).replace('"sub":"tok"', '"sub":"x","sub":"tok"'))],
    ['PASETO too short for a signature', () => `v4.public.${base64url(randomBytes(63))}.${base64url(JSON.stringify({kid: at.site.key().kid}))}`],
    ['a JWS\'s signature in a PASETO', async () => { const [, p, s] = await signed(); return `v4.public.${p}${s}.${base64url(JSON.stringify({kid: at.site.key().kid}))}`; }],
  ];
  for (const [what, make] of bad)
    test(`refused: ${what}`, async () => {
      const token = await make();
      for (const path of ['/v1/me', '/v1/profiles/tok', '/v1/profiles/nobody']) assertUnauthorized(await at.site.get(path, {token}));
      assertUnauthorized(await at.site.patch('/v1/me', {name: 'Owned'}, {token, match: '*'}));
    });

  test('no bit of a token can be changed', async () => {
    for (const token of [await jwt(at.site.key(), claims()), await pasetoToken(at.site.key(), pclaims())])
      for (let i = 0; i < token.length; i += 3) {
        const answer = await me(flip(token, i));
        assert.equal(answer.status, 401, `character ${i} of ${token}`);
      }
  });

  test('rubbish of every kind is a 401 or a 400, never more', async () => {
    for (let i = 0; i < 300; i++) {
      const token = randomBytes(1 + (i % 90)).toString(i % 2 ? 'base64url' : 'base64');
      const answer = await me(i % 3 ? token : `v4.public.${token}`);
      assert([400, 401].includes(answer.status), `${token}: ${answer.status}`);
    }
  });

  const schemes = [['Basic', 'Basic dG9rOnRvaw==', null], ['nothing behind Bearer', 'Bearer', undefined], ['spaces behind Bearer', 'Bearer   ', undefined],
    ['two tokens', 'Bearer a b', undefined], ['no space', 'Bearerx', null], ['DPoP', 'DPoP abc', null]];
  for (const [what, Authorization, error] of schemes)
    test(`Authorization: ${what}`, async () => {
      const answer = await at.site.get('/v1/me', {headers: {Authorization}});
      assert.equal(answer.status, 401);
      assert.match(answer.header('www-authenticate'), /^Bearer realm="profiled"/);
      if (error === null) assertUnauthorized(answer, {error: null});
    });

  test('a token in the query or the body is none', async () => {
    const token = await at.site.token('tok');
    const answer = await at.site.get(`/v1/me?access_token=${token}`);
    assert([400, 401].includes(answer.status));
    assert.doesNotMatch(at.site.readLog(), new RegExp(token.slice(-40)));
  });

  test('the description tells nothing that the holder does not know', async () => {
    const said = async (token) => (await me(token)).header('www-authenticate');
    const unknownKey = await said(await jwt(strange, claims()));
    const wrongKey = await said(await jwt({...strange, kid: at.site.key().kid}, claims()));
    for (const text of [unknownKey, wrongKey]) {
      assert(!text.includes(ISSUER) && !text.includes(AUDIENCE) && !text.includes(at.site.key().kid));
      assert.doesNotMatch(text, /\/tmp|\.jwk|sqlite/);
    }
  });

  test('a subject that has no profile is nobody yet, but known', async () => {
    assertProblem(await at.site.get('/v1/me', {as: 'unknown-subject'}), 404);
  });
}, (site) => site.make({id: 'tok', handle: 'tok'}));
