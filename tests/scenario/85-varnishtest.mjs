// The shipped VCL and the module, by varnishtest: tests/varnish/*.vtc, each a test of its own, with tokens and lists made here.
import assert from 'node:assert/strict';
import {existsSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, test} from 'node:test';
import {run, temporaryFolder} from './lib/process.mjs';
import {AUDIENCE, ISSUER, READ, WRITE, cleanEnvironment, root} from './lib/site.mjs';
import {handmade, jwt, makeKey, now, pasetoToken, publicJwk, rfc3339, tokenName} from './lib/token.mjs';

const folder = temporaryFolder();
const put = (name, text) => (writeFileSync(join(folder, name), typeof text === 'string' ? text : JSON.stringify(text)), join(folder, name));
const own = makeKey('own'), next = makeKey('next'), stranger = makeKey('own');
const claims = (sub, more = {}) => ({iss: ISSUER, aud: AUDIENCE, sub, scope: READ, iat: now() - 10, exp: now() + 3600, ...more});
const list = (key, position, revoked, more = {}, typ = 'revocations+jwt') =>
  handmade(key, {alg: 'EdDSA', kid: key.kid, typ}, {iss: ISSUER, iat: now(), exp: now() + 300, position, revoked, ...more});
const vmod = join(root, 'build/libvmod_profiled.so');

const macros = {
  vmod_path: `${join(root, 'build')}:/usr/lib/varnish/vmods:/usr/lib/x86_64-linux-gnu/varnish/vmods:/usr/lib/aarch64-linux-gnu/varnish/vmods`, now: now(),
  jwks: put('jwks', {keys: [publicJwk(own)]}), new_jwks: put('new_jwks', {keys: [publicJwk(next)]}),
  revocations: put('revocations', list(own, 10, [{subject: 'listed', until: now()}])), old_list: put('old', list(own, 9, [])),
  forged_list: put('forged', list(stranger, 99, [])), token_list: put('token', list(own, 99, [], {}, 'JWT')),
  expired_list: put('expired', list(own, 99, [], {exp: now() - 60})),
  ann: await jwt(own, claims('ann')), bob: await jwt(own, claims('bob')), newkey: await jwt(next, claims('ann')),
  paseto: await pasetoToken(own, claims('ann', {iat: rfc3339(now() - 10), exp: rfc3339(now() + 3600)})),
  forged: await jwt(stranger, claims('ann')), expired: await jwt(own, claims('ann', {exp: now() - 1})),
  audience: await jwt(own, claims('ann', {aud: 'https://another.example'})), scope: await jwt(own, claims('ann', {scope: WRITE})),
  listed: await jwt(own, claims('listed')), ann_with_jti: await jwt(own, claims('ann', {jti: 'one'})),
};
Object.assign(macros, {ann_name: tokenName({token: macros.ann}), jti_name: tokenName({iss: ISSUER, jti: 'one'})});

const tests = join(root, 'tests/varnish');
const there = (await run('sh', ['-c', 'command -v varnishtest varnishd'], {env: cleanEnvironment()})).code === 0;
// most of each is waiting
describe('varnishtest', {concurrency: 4}, () => {
  for (const file of readdirSync(tests).filter((name) => name.endsWith('.vtc')).sort()) {
    const skip = !there ? 'there is no Varnish here' : file.startsWith('v') && !existsSync(vmod) ? 'the module is not built' : false;
    test(file, {skip}, async () => {
      const args = Object.entries(macros).flatMap(([name, value]) => ['-D', `${name}=${value}`]);
      const how = await run('varnishtest', ['-t', '40', ...args, join(tests, file)], {env: cleanEnvironment(), cwd: folder});
      assert.equal(how.code, 0, how.out.split('\n').filter((line) => !/debug\||vsl\|/.test(line)).slice(-40).join('\n') + how.err);
    });
  }
});
