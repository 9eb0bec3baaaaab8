// Tokens made by implementations that are not ours: jose for JWT, paseto for v4.public; and by hand, for the forged ones.
import {createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign} from 'node:crypto';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {SignJWT, importJWK} from 'jose';
import paseto from 'paseto';
import {blake2b} from './blake2b.mjs';

export const now = () => Math.floor(Date.now() / 1000);
export const base64url = (data) => Buffer.from(data).toString('base64url');

/** The JWKs of a key folder, by file name. */
export function readKeys(folder) {
  return readdirSync(folder).filter((name) => name.endsWith('.jwk')).sort()
    .map((name) => ({file: join(folder, name), ...JSON.parse(readFileSync(join(folder, name), 'utf8'))}));
}

/** A key pair that the server knows nothing of, as a JWK with its private half. */
export function makeKey(kid = randomUUID()) {
  const {privateKey} = generateKeyPairSync('ed25519');
  return {...privateKey.export({format: 'jwk'}), kid};
}

export const privateKey = ({kty, crv, x, d}) => createPrivateKey({key: {kty, crv, x, d}, format: 'jwk'});
export const publicKey = ({kty, crv, x}) => createPublicKey({key: {kty, crv, x}, format: 'jwk'});
export const publicJwk = ({kty, crv, x, kid}) => ({kty, crv, x, kid, alg: 'EdDSA', use: 'sig'});

/** By jose. Claims that are undefined are left out. */
export async function jwt(key, claims, header = {}) {
  const whole = {alg: 'EdDSA', kid: key.kid, typ: 'JWT', ...header};
  for (const name of Object.keys(whole)) if (whole[name] === undefined) delete whole[name];
  const signer = await importJWK({kty: key.kty, crv: key.crv, x: key.x, d: key.d}, 'EdDSA');
  return new SignJWT(JSON.parse(JSON.stringify(claims))).setProtectedHeader(whole).sign(signer);
}

/** By paseto. Times in claims are RFC 3339 strings. */
export function pasetoToken(key, claims, {footer = {kid: key.kid}, assertion} = {}) {
  return paseto.V4.sign(claims, privateKey(key), {footer, assertion, iat: false});
}
export const rfc3339 = (seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

/** A JWS by hand: header and payload are texts (or objects) and signed as they stand. */
export function handmade(key, header, payload) {
  const text = (part) => (typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part));
  const input = `${base64url(text(header))}.${base64url(text(payload))}`;
  return `${input}.${base64url(sign(null, Buffer.from(input), privateKey(key)))}`;
}

/** PASETO's pre-authentication encoding and a v4.public by hand: payload as text, footer as text. */
export function handmadePaseto(key, payload, footer = JSON.stringify({kid: key.kid}), implicit = '') {
  const le64 = (n) => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(n)); return b; };
  const pae = (parts) => Buffer.concat([le64(parts.length), ...parts.flatMap((p) => [le64(Buffer.byteLength(p)), Buffer.from(p)])]);
  const signature = sign(null, pae(['v4.public.', payload, footer, implicit]), privateKey(key));
  const body = Buffer.concat([Buffer.from(payload), signature]).toString('base64url');
  return `v4.public.${body}${footer === '' ? '' : `.${base64url(footer)}`}`;
}

/** What a token is revoked under: of issuer and jti, or of itself. */
export const tokenName = ({iss, jti, token}) => (jti ? blake2b(jti, 24, blake2b(iss, 64)) : blake2b(token, 24)).toString('base64url');
