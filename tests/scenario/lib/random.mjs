// Requests out of the API's description, at random and yet the same for the same seed: its addresses, parameters and bodies with
// values that are as they should be, nearly so, and not at all.
import {METHODS, description, resolve} from './openapi.mjs';

/** A generator of numbers in [0, 1) (mulberry32), with the ways to choose by it. */
export function dice(seed) {
  let state = seed >>> 0;
  const roll = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(roll() * n);
  const pick = (list) => list[below(list.length)];
  return {roll, below, pick, chance: (p) => roll() < p};
}

const WORDS = ['ada', 'a', 'Ada Lovelace', 'en-GB', 'pt-BR-x-y', 'Europe/London', 'UTC', '+4930123456', '2000-01-31', '0000-12-10', '1815', 'https://ada.example/a?b#c', 'ada@ada.example',
  '"651e0b5f85-1p1"', 'W/"x"', '*', '/name', '/attributes/a~1b', '/visibility/bio', '2026-11-26T02:10:57.210Z', 'return=minimal', 'timing', '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
  'name', 'name,picture', 'active', 'private', 'ünïcødé', 'zz', '0123456789abcdef0123456789abcdef'];
const BROKEN = ['', ' ', '\u0000', '\u202e', '\ud83d\ude00'.repeat(50), 'x'.repeat(129), 'y'.repeat(5000), '../../etc/passwd', "'; DROP TABLE profiles; --", '%', '%zz', '-1', '0', '9223372036854775808', '1e999', 'NaN',
  'null', 'true', '[]', '{}', '🐈‍⬛', 'a\r\nX-Injected: 1', '\ufeff', 'é', 'Ａ', '__proto__', 'query', '.', '..', '@', '@@', 'a/b', 'a%2Fb', '=', '&', ';', ',,,', '"', '\\'];
const IDS = ['ada', 'u0', 'u1', 'u399', 'nobody', 'A:b|c+d~e', '@ada', '@u1', '@nobody'];

/** A value of the schema, of about that size. */
export function valueOf(schema, d, depth = 0) {
  const {node} = resolve(schema);
  if (node.enum) return d.pick(node.enum);
  if (node.allOf) return valueOf(node.allOf[0], d, depth);
  if (node.anyOf ?? node.oneOf) return valueOf(d.pick(node.anyOf ?? node.oneOf), d, depth);
  switch (Array.isArray(node.type) ? d.pick(node.type) : node.type) {
    case 'object': {
      const object = {}, members = Object.entries(node.properties ?? {});
      // few of many, or hardly an object would pass all the rules that a schema cannot tell
      for (const [name, member] of members)
        if (node.required?.includes(name) || d.chance(members.length > 8 ? 0.1 : 0.3)) object[name] = valueOf(member, d, depth + 1);
      if (node.additionalProperties && d.chance(0.6))
        for (let i = d.below(4); i > 0; i--) object[d.pick([...WORDS, ...IDS])] = node.additionalProperties === true ? anything(d, depth + 1) : valueOf(node.additionalProperties, d, depth + 1);
      return object;
    }
    case 'array': return Array.from({length: d.below(4)}, () => valueOf(node.items ?? {}, d, depth + 1));
    case 'integer': return (node.minimum ?? 0) + d.below(Math.min((node.maximum ?? 200) - (node.minimum ?? 0) + 1, 200));
    case 'number': return d.roll() * 100;
    case 'boolean': return d.chance(0.5);
    case 'null': return null;
    case 'string': {
      const pattern = node.pattern === undefined ? /(?:)/ : new RegExp(node.pattern, 'u');
      const fits = [...WORDS, ...IDS].filter((w) => pattern.test(w) && w.length >= (node.minLength ?? 0) && w.length <= (node.maxLength ?? Infinity));
      if (fits.length > 0 && d.chance(0.8)) return d.pick(fits);
      return 'abcdefghij_0123456789'.slice(d.below(8), 9 + d.below(10)).slice(0, node.maxLength ?? 20);
    }
    default: return anything(d, depth);
  }
}

/** Any JSON. */
function anything(d, depth = 0) {
  switch (d.below(depth > 4 ? 6 : 8)) {
    case 0: return null;
    case 1: return d.chance(0.5);
    case 2: return d.pick([0, -0, 1, -1, 1.5, 1e300, 9007199254740993, 2 ** 63, -(2 ** 63)]);
    case 3: return d.pick(WORDS);
    case 4: return d.pick(BROKEN);
    case 5: return 'z'.repeat(d.pick([1, 300, 3000]));
    case 6: return Array.from({length: d.below(5)}, () => anything(d, depth + 1));
    default: return Object.fromEntries(Array.from({length: d.below(5)}, () => [d.pick([...WORDS, ...BROKEN]), anything(d, depth + 1)]));
  }
}

/** The same value with something in it that is another. */
function spoiled(value, d) {
  if (value === null || typeof value !== 'object' || d.chance(0.2)) return anything(d);
  if (Array.isArray(value)) return d.chance(0.3) || value.length === 0 ? [...value, anything(d)] : value.map((v, i) => (i === 0 ? spoiled(v, d) : v));
  const names = Object.keys(value);
  if (names.length === 0 || d.chance(0.3)) return {...value, [d.pick([...WORDS, ...BROKEN, 'handle', 'state', 'version'])]: anything(d)};
  const name = d.pick(names);
  if (d.chance(0.2)) return Object.fromEntries(Object.entries(value).filter(([n]) => n !== name));
  return {...value, [name]: spoiled(value[name], d)};
}

/** The bytes of a JSON text, with a flaw at times. */
function jsonBytes(value, d) {
  const text = JSON.stringify(value) ?? 'null';
  switch (d.below(12)) {
    case 0: return Buffer.from(text.slice(0, d.below(text.length)));
    case 1: return Buffer.concat([Buffer.from(text.slice(0, d.below(text.length))), Buffer.from([d.below(256)]), Buffer.from(text.slice(d.below(text.length)))]);
    case 2: return Buffer.from(d.pick(['[', '{"a":']).repeat(d.pick([1, 31, 32, 33, 5000])));
    default: return Buffer.from(text);
  }
}

const MAGIC = [[0x89, 0x50, 0x4e, 0x47, 0xd, 0xa, 0x1a, 0xa, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52], [0xff, 0xd8, 0xff, 0xe0, 0, 16], [0x52, 0x49, 0x46, 0x46, 0, 0, 0, 0, 0x57, 0x45, 0x42, 0x50],
  [0, 0, 0, 28, 0x66, 0x74, 0x79, 0x70, 0x61, 0x76, 0x69, 0x66], []];
const imageBytes = (d) => Buffer.concat([Buffer.from(d.pick(MAGIC)), Buffer.from(Array.from({length: d.pick([0, 1, 20, 500])}, () => d.below(256)))]);
const formBytes = (value) => Buffer.from(new URLSearchParams(Object.entries(value ?? {}).map(([k, v]) => [k, String(v)])).toString());

function bodyOf(operation, d) {
  const {node} = resolve(operation.requestBody ?? {});
  const types = Object.entries(node.content ?? {});
  if (types.length === 0) return d.chance(0.05) ? {type: 'application/json', bytes: Buffer.from('{}')} : undefined;
  if (d.chance(0.04)) return undefined;
  const [type, {schema}] = d.pick(types);
  let bytes;
  if (/json/.test(type)) {
    const value = valueOf(schema, d);
    bytes = jsonBytes(d.chance(0.45) ? value : spoiled(value, d), d);
  } else {
    bytes = type.startsWith('image/') || !schema ? imageBytes(d) : formBytes(d.chance(0.7) ? valueOf(schema, d) : anything(d));
  }
  const sent = d.chance(0.08) ? d.pick([undefined, 'text/plain', 'application/json', 'application/json; charset=utf-16', ';', 'application/merge-patch+json', 'image/png', 'x'.repeat(300)]) : type;
  return {type: sent, bytes};
}

const segment = (text, d) => (d.chance(0.1) ? [...Buffer.from(text)].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('') : encodeURIComponent(text));

/** The value of a parameter, or undefined to leave it out. seen: what earlier answers gave: {etags, dates, cursors}. */
function parameter(p, d, seen) {
  if (d.chance(0.15)) return d.pick([...BROKEN, ...WORDS]);
  if (p.in === 'path' && p.name === 'id' && d.chance(0.8)) return d.pick([...IDS, `u${d.below(400)}`]);
  if (p.in === 'path' && p.name === 'handle' && d.chance(0.8)) return d.pick(['ada', 'ADA', `u${d.below(400)}`]);
  if (/^If-(None-)?Match$/.test(p.name)) {
    const tags = Array.from({length: d.pick([1, 1, 1, 3, 200])}, () => d.pick([...seen.etags, '"x"']));
    return d.pick(['*', '*', tags.join(', '), d.pick(seen.etags), `W/${d.pick(seen.etags)}`, d.pick(WORDS)]);
  }
  if (/-Since$/.test(p.name)) return d.pick([...seen.dates, 'Thu, 01 Jan 1970 00:00:00 GMT', 'yesterday']);
  if (p.name === 'after' && d.chance(0.7)) return forged(d.pick(seen.cursors), d);
  if (p.name === 'hash' && d.chance(0.5)) return d.pick(seen.hashes);
  if (p.example !== undefined && d.chance(0.3)) return String(p.example);
  const value = valueOf(p.schema, d);
  return Array.isArray(value) ? value.map(String) : String(value);
}

/** A cursor as it was given out, or with a letter changed, cut, or longer. */
function forged(cursor, d) {
  const at = d.below(cursor.length + 1);
  return d.pick([cursor, cursor, cursor.slice(0, at), cursor + cursor, `${cursor.slice(0, at)}${d.pick('AQgw_-09=. '.split(''))}${cursor.slice(at + 1)}`]);
}

let operations;
const WEIGHTS = {head: 2, options: 1, post: 6, put: 6, patch: 6};
const OTHERS = ['TRACE', 'PROPFIND', 'LOCK', 'REPORT', 'POST', 'PUT', 'PATCH', 'DELETE', 'GET'];

/**
 * A request: {method, path, headers, body}. callers: {name: token}, one of which is sent, or none, or nonsense; subject(n): the token
 * of the n-th subject.
 */
export function randomRequest(d, seen, callers) {
  operations ??= Object.entries(description().paths).flatMap(([path, item]) => METHODS.filter((m) => item[m]).flatMap((method) =>
    Array(WEIGHTS[method] ?? 4).fill({path, item, method})));
  const {path, item, method: described} = d.pick(operations);
  const method = d.chance(0.06) ? d.pick(OTHERS) : described, operation = item[method.toLowerCase()] ?? item[described];
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])].map((p) => resolve(p).node);
  let address = path;
  const query = [], headers = {};
  for (const p of parameters) {
    if (p.in === 'path') {
      const text = parameter(p, d, seen);
      // what stands in a path as it is, at times: "+" and ":" do, and a slash splits
      address = address.replace(`{${p.name}}`, () => (/^[A-Za-z0-9:+~|%/._-]*$/.test(text) && d.chance(0.3) ? text : segment(text, d)));
      continue;
    }
    if (!p.required && !d.chance(p.in === 'query' ? 0.5 : 0.3)) continue;
    for (const value of [parameter(p, d, seen)].flat()) {
      if (p.in === 'query') query.push(`${p.name}=${encodeURIComponent(value)}`);
      // what an HTTP client lets through at all
      else if (/^[\x20-\x7e\x80-\xff]*$/.test(value)) headers[p.name] = value;
    }
  }
  if (d.chance(0.06)) query.push(d.pick(['x=1', 'id', '=', '&&', 'a=%zz', '%00=1', `limit=${'9'.repeat(40)}`, `id=${'i'.repeat(2000)}`, 'q=%ff']));
  const kind = d.below(20);
  const bearer = kind === 0 ? undefined : kind === 1 ? d.pick(['x.y.z', '', 'v4.public.AAAA', 'e30.e30.', 'A'.repeat(5000)]) : kind < 8 ? callers.admin : kind < 11 ? callers.all : callers.subject(d.below(400));
  if (bearer !== undefined) headers.Authorization = `${d.chance(0.02) ? 'Basic' : 'Bearer'} ${bearer}`;
  const body = ['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(method.toUpperCase()) ? undefined : bodyOf(operation, d);
  if (body?.type !== undefined) headers['Content-Type'] = body.type;
  if (body) headers['Content-Length'] = body.bytes.length;
  const target = `${address}${query.length ? `?${query.join('&')}` : ''}`;
  return {method: method.toUpperCase(), path: target, headers, body: body?.bytes, of: `${method} ${path}`};
}
