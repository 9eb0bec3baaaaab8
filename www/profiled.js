/**
 * A client of profiled, for browsers and for Node 18 or newer, without dependencies.
 *
 *     import {Profiled} from './profiled.js';
 *     const profiled = new Profiled({base: 'https://example.org', token: () => session.token});
 *     const ada = await profiled.byHandle('ada');
 *
 * What it does so that an application need not:
 *
 * - It keeps what it has read with its entity tag and asks with If-None-Match, so that a repeat costs a 304.
 * - Profiles that are asked for in one tick come in one request, and only those that changed (POST /v1/profiles/query).
 * - A write bears the tag of the very version that was read (If-Match). When somebody else was quicker, it throws a
 *   Conflict that holds both versions.
 * - 429 and 503 are tried again after Retry-After, where that is safe; a POST bears an Idempotency-Key, so that it is.
 * - Errors are instances of Problem (RFC 9457), a class for each kind.
 * - Every method takes {signal}, an AbortSignal.
 *
 * Tokens: the application gives a callback. It is called for each request, and once more with {rejected: TOKEN} when the
 * server says 401, for a new one. The token is never kept.
 *
 * Own views (/v1/me, …/full) are kept in the memory of this object alone, for the holder of the token that read them, and go
 * as soon as the callback gives another's. Public views go into the store: memory unless told otherwise, or Cache Storage
 * (cacheStorageStore).
 */

import {Conflict, NotFound} from './profiled/problem.js';
import {memoryStore} from './profiled/store.js';
import {Tick} from './profiled/tick.js';
import {Transport, linkOf, randomKey, sleep} from './profiled/transport.js';

export {Conflict, Forbidden, Gone, Invalid, NotFound, PatchFailed, Problem, RateLimited, Taken, Unauthorized, Unavailable, Unreachable} from './profiled/problem.js';
export {cacheStorageStore, memoryStore} from './profiled/store.js';
export {claimsOf} from './profiled/token.js';

const BATCH = 100; /* ids in a request, as the server allows */
const JSON_TYPE = 'application/json';
const MERGE_PATCH = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const OWN_VIEWS = 50; /* an admin may look at many */

/** RFC 7396, for showing what a merge patch would have made. */
export function mergePatch(target, patch) {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = new Map(typeof target === 'object' && target !== null && !Array.isArray(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch))
    if (value === null) result.delete(name);
    else result.set(name, mergePatch(result.get(name), value));
  return Object.fromEntries(result);
}

export class Profiled {
  #base; #store; #transport; #tick;
  #own = memoryStore(OWN_VIEWS); /* of #holder alone */
  #holder;
  #versions = new WeakMap(); /* what was handed out, to {path, etag} */

  /**
   * @param {object} options
   * base: where the server is, its mount included; '' is the page's own origin.
   * token: () => string | Promise<string>; gets {rejected} when the server refused the last one.
   * store: for public views; memoryStore() unless told otherwise.
   * attempts: how often a request is sent at most (3); maxWait: seconds of Retry-After that are waited for (30).
   * onExchange: called with what each request cost: {method, path, status, ms, bytes, etag, cacheStatus, age, …}; status 0: no answer.
   */
  constructor({base = '', token, store = memoryStore(), fetch = globalThis.fetch.bind(globalThis), attempts = 3, maxWait = 30, onExchange} = {}) {
    this.#base = base.replace(/\/$/, '');
    this.#store = store;
    this.#transport = new Transport({base, token, fetch, attempts, maxWait, onExchange});
    this.#tick = new Tick((ids, fields, signal) => this.#many(ids, fields, signal), BATCH);
  }

  /** The entity tag of something that this client handed out; undefined: it is none of its. */
  etagOf(profile) { return this.#versions.get(profile)?.etag; }

  /** Forgets all that was read, as when somebody signs out. */
  async clear() {
    this.#own.clear();
    await this.#store.clear?.();
  }

  /* -- reads */

  /** A public view. Those asked for in one tick come together. Throws NotFound. */
  async profile(id, {fields, signal} = {}) {
    checkId(id);
    return this.#tick.ask(id, setOf(fields), signal);
  }

  /** Many public views: {profiles: [...], missing: [ids]}, in the order asked. */
  async profiles(ids, options) {
    const asked = [...ids];
    const found = await Promise.allSettled(asked.map((id) => this.profile(id, options)));
    const failed = found.find(({status, reason}) => status === 'rejected' && !(reason instanceof NotFound));
    if (failed !== undefined) throw failed.reason;
    return {profiles: found.filter(({status}) => status === 'fulfilled').map(({value}) => value), missing: asked.filter((_, i) => found[i].status === 'rejected')};
  }

  /** A public view by handle, with or without "@". */
  async byHandle(handle, {fields, signal} = {}) {
    return this.#read(`/v1/profiles/@${encodeURIComponent(handle.replace(/^@/, ''))}`, {fields, signal});
  }

  /** The owner's view of whom the token speaks for. */
  async me({fields, signal} = {}) { return this.#read('/v1/me', {fields, signal, own: true}); }

  /** The owner's view of another, for an admin. */
  async full(id, {fields, signal} = {}) { return this.#read(`${address(id)}/full`, {fields, signal, own: true}); }

  /**
   * A page of the directory: {profiles, next}. next: the same call for the page behind it, or undefined at the end. q: words to
   * search for, two characters or more.
   */
  async list({limit, q, fields, after, signal} = {}) {
    return this.#page(`/v1/profiles${queryOf({limit: limit ?? 20, q, after, fields: setOf(fields)})}`, signal);
  }

  /** Each profile of the directory, page by page as they are asked for. */
  async *directory(options = {}) {
    for (let page = await this.list(options); ; page = await page.next({signal: options.signal})) {
      yield* page.profiles;
      if (page.next === undefined) return;
    }
  }

  /** All that the server holds on whom the token speaks for. */
  async export({signal} = {}) { return (await this.#transport.send('GET', '/v1/me/export', {signal})).body; }

  /** The pool's numbers (scope metrics:read). */
  async status({signal} = {}) { return (await this.#transport.send('GET', '/v1/status', {signal})).body; }

  /**
   * What changed behind a place in the change log, for ever (scope profile:admin), page by page: {changes, last, epoch, …}. Start
   * again with {after: last, epoch} of the last page that was dealt with. Throws Gone when the log does not go on from there.
   */
  async *changes({after, epoch, wait = 30, limit, signal} = {}) {
    for (;;) {
      const begun = Date.now();
      const {body} = await this.#transport.send('GET', `/v1/changes${queryOf({after, epoch, limit, wait})}`, {signal});
      yield body;
      ({last: after, epoch} = body);
      /* a server that cannot keep a request waiting answers at once */
      if (body.changes.length === 0) await sleep(Math.max(0, 1000 - (Date.now() - begun)), signal);
    }
  }

  /* -- writes */

  /**
   * Changes a profile that this client handed out: changes is a merge patch (RFC 7396: null takes a field away), or an array, a
   * JSON Patch (RFC 6902). Gives what it is now. Throws Conflict when it is not the version any more that was read.
   */
  async update(profile, changes, {signal} = {}) {
    const patch = Array.isArray(changes);
    return this.#write('PATCH', profile, changes, patch ? JSON_PATCH : MERGE_PATCH, signal);
  }

  /** Puts a whole representation in the place of one that this client handed out. */
  async replace(profile, whole, {signal} = {}) { return this.#write('PUT', profile, whole, JSON_TYPE, signal); }

  /** Makes the own profile ('me'), or another's (its id, for an admin), if there is none yet. Throws Conflict if there is. */
  async createAt(id, profile, {signal} = {}) {
    const path = id === 'me' ? '/v1/me' : `${address(id)}/full`;
    const headers = {'Content-Type': JSON_TYPE, 'If-None-Match': '*', Prefer: 'return=representation'};
    try {
      return await this.#written(path, await this.#transport.send('PUT', path, {signal, body: JSON.stringify(profile), headers}), signal);
    } catch (error) {
      throw await this.#conflict(error, path, undefined, profile, signal);
    }
  }

  /** Makes a profile (scope profile:admin); its id is the server's to choose unless it is given. Gives its public view. */
  async create(profile, {signal, key = randomKey()} = {}) {
    const headers = {'Content-Type': JSON_TYPE, 'Idempotency-Key': `"${key}"`};
    const answer = await this.#transport.send('POST', '/v1/profiles', {signal, repeatable: true, body: JSON.stringify(profile), headers});
    return this.#written(this.#transport.pathOf(answer.headers.get('location')), answer, signal);
  }

  /** Deletes a profile that this client handed out. */
  async remove(profile, {signal} = {}) {
    const {path, etag} = this.#version(profile);
    try {
      await this.#transport.send('DELETE', path.replace(/\/full$/, ''), {signal, headers: {'If-Match': etag}});
    } catch (error) {
      /* the answer to the first attempt was lost: it is gone, as was asked */
      if (!(error instanceof NotFound && error.unsure)) throw await this.#conflict(error, path, profile, undefined, signal);
    }
    await this.#forget(path, profile.id);
  }

  /** Sets a picture: a Blob or bytes (PNG, JPEG, WebP, AVIF; 1 MiB at most). id: another's, for an admin. */
  async setAvatar(image, {id, signal} = {}) {
    const headers = {'Content-Type': image.type || 'application/octet-stream'};
    return (await this.#transport.send('PUT', avatarOf(id), {signal, body: image, headers})).body;
  }

  async removeAvatar({id, signal} = {}) {
    try {
      await this.#transport.send('DELETE', avatarOf(id), {signal});
    } catch (error) {
      /* an attempt whose answer was lost may have done it */
      if (!(error instanceof NotFound && error.unsure)) throw error;
    }
  }

  /** Every token issued up to this second is dead, this one too. id: another's, for an admin. */
  async revokeTokens({id, signal} = {}) { await this.#transport.send('DELETE', id === undefined ? '/v1/me/tokens' : `${address(id)}/tokens`, {signal, repeatable: false}); }

  /** One token is dead (RFC 7009). */
  async revoke(token, {signal} = {}) { await this.#transport.send('POST', '/v1/tokens/revoke', {signal, repeatable: true, body: new URLSearchParams({token})}); }

  /* -- what they are made of */

  #version(profile) {
    const version = this.#versions.get(profile);
    if (version === undefined) throw new TypeError('this is no profile that this client has read whole: an edit is made from a version, and needs its entity tag');
    return version;
  }

  /* Hands out a body; what is a part of one, or an answer without a tag, is no version to edit. */
  #hand(path, etag, body, whole) {
    if (etag !== null && whole) this.#versions.set(body, {path, etag: etag.replace(/^W\//, '')});
    return body;
  }

  /* Kept bodies are copies, so that an application may change what it got. A store's failure is only ever a miss. */
  async #kept(path, own) {
    try {
      const entry = own ? this.#own.get(path) : await this.#store.get(this.#base + path);
      return entry === undefined ? undefined : {...entry, body: structuredClone(entry.body)};
    } catch { return undefined; }
  }
  async #keep(path, own, entry, holder) {
    if (entry.etag === null) return;
    const copy = {...entry, body: structuredClone(entry.body)};
    if (own) {
      if (holder !== undefined && holder === this.#holder) this.#own.set(path, copy);
      return;
    }
    try { await this.#store.set(this.#base + path, copy); } catch { /* full, or taken away */ }
  }
  async #forget(path, id) {
    this.#own.delete(path);
    for (const key of id === undefined ? [path] : [path, address(id)])
      try { await this.#store.delete(this.#base + key); } catch { /* never answered from unasked */ }
  }

  /* Whose token it is now: with another holder's what was kept of one's own goes. */
  async #bearer(signal) {
    const bearer = await this.#transport.current(signal);
    if (bearer.holder !== this.#holder) this.#own.clear();
    this.#holder = bearer.holder;
    return bearer;
  }

  async #read(path, {fields, signal, own = false}) {
    const set = setOf(fields), key = `${path}${queryOf({fields: set})}`;
    const bearer = await this.#bearer(signal);
    const kept = await this.#kept(key, own);
    const answer = await this.#transport.send('GET', key, {signal, bearer, headers: kept === undefined ? {} : {'If-None-Match': kept.etag}});
    /* what was read by its handle is edited at its id */
    const editOf = ({id}) => (path.startsWith('/v1/profiles/@') ? address(id) : undefined);
    if (answer.status === 304) return this.#hand(editOf(kept.body) ?? path, kept.etag, kept.body, set === undefined);
    const etag = answer.headers.get('etag'), {body} = answer, edit = editOf(body);
    await this.#keep(key, own, {etag, body, edit}, answer.holder);
    return this.#hand(edit ?? path, etag, body, set === undefined);
  }

  async #page(path, signal) {
    const answer = await this.#transport.send('GET', path, {signal});
    const link = linkOf(answer.headers.get('link'), 'next');
    const next = link === undefined ? undefined : this.#transport.pathOf(link);
    return {profiles: answer.body.profiles, next: next === undefined ? undefined : ({signal: other} = {}) => this.#page(next, other)};
  }

  /* What a tick asked for, as Tick wants it. */
  async #many(ids, set, signal) {
    const fields = set === undefined ? undefined : set.split(',');
    const found = ids.length === 1 ? new Map([[ids[0], await this.#read(address(ids[0]), {fields, signal})]]) : await this.#query(ids, set, signal);
    return (id, n) => {
      const body = found.get(id), version = this.#versions.get(body);
      if (n === 0 || body instanceof Error) return body;
      const twin = structuredClone(body);
      if (version !== undefined) this.#versions.set(twin, version);
      return twin;
    };
  }

  /* Ids to profiles, or to a NotFound. */
  async #query(ids, set, signal) {
    const suffix = queryOf({fields: set}), found = new Map(), kept = new Map();
    for (const id of ids) {
      const entry = await this.#kept(address(id) + suffix, false);
      if (entry !== undefined) kept.set(id, entry);
    }
    const body = JSON.stringify({ids: Object.fromEntries(ids.map((id) => [id, kept.get(id)?.etag ?? null]))});
    const answer = await this.#transport.send('POST', `/v1/profiles/query${suffix}`, {signal, repeatable: true, body, headers: {'Content-Type': JSON_TYPE}});
    const {profiles, etags, not_modified: same} = answer.body;
    for (const profile of profiles) {
      const path = address(profile.id), etag = etags[profile.id];
      await this.#keep(path + suffix, false, {etag, body: profile});
      found.set(profile.id, this.#hand(path, etag, profile, set === undefined));
    }
    for (const id of same) found.set(id, this.#hand(address(id), kept.get(id).etag, kept.get(id).body, set === undefined));
    for (const id of ids)
      if (!found.has(id)) {
        await this.#forget(address(id) + suffix);
        found.set(id, new NotFound(404, {type: '/problems.html#no-such-profile', title: 'There is no such profile', detail: `there is no profile ${id}`}, answer.headers));
      }
    return found;
  }

  async #write(method, profile, changes, type, signal) {
    const {path, etag} = this.#version(profile);
    const headers = {'Content-Type': type, 'If-Match': etag, Prefer: 'return=representation'};
    try {
      /* If-Match lets no attempt count twice */
      const answer = await this.#transport.send(method, path, {signal, repeatable: true, body: JSON.stringify(changes), headers});
      return await this.#written(path, answer, signal);
    } catch (error) {
      const conflict = await this.#conflict(error, path, profile, changes, signal);
      /* the answer to the first attempt was lost: what is there now is what was asked for */
      if (conflict.unsure && conflict.theirs !== undefined && type === MERGE_PATCH && holds(conflict.theirs, changes)) return conflict.theirs;
      throw conflict;
    }
  }

  /* What a write gave; a PUT's answer has no tag (RFC 9110 section 9.3.4), so that what is now there is asked for. */
  async #written(path, {headers, body, status, holder}, signal) {
    const own = isOwn(path), etag = headers.get('etag');
    this.#own.delete(path);
    if (etag === null || status === 204 || body === undefined) return this.#read(path, {signal, own});
    await this.#keep(path, own, {etag, body}, holder);
    return this.#hand(path, etag, body, true);
  }

  async #conflict(error, path, base, mine, signal) {
    if (!(error instanceof Conflict)) return error;
    Object.assign(error, {base, mine, theirs: undefined});
    try {
      error.theirs = await this.#read(path, {signal, own: isOwn(path)});
    } catch (why) {
      if (!(why instanceof NotFound)) return why;
    }
    return error;
  }
}

/* The members of a view that are asked for, as the address has them; undefined: all. */
function setOf(fields) { return fields === undefined ? undefined : [...new Set(fields)].sort().join(','); }

function queryOf(parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`.replaceAll('%2C', ',');
}

/* One that the server would not take would spoil the request of all that came in the same tick; "." and ".." would lead elsewhere. */
function checkId(id) {
  if (typeof id !== 'string' || !/^(?!@)[A-Za-z0-9._~:|@+-]{1,128}$/.test(id) || id === '.' || id === '..' || id === 'query') throw new TypeError(`this is no id of a profile: ${id}`);
}

/* An id as one segment of a path; "+", ":" and "@" stand as they are. */
function address(id) {
  checkId(id);
  return `/v1/profiles/${encodeURIComponent(id).replaceAll('%3A', ':').replaceAll('%40', '@').replaceAll('%2B', '+')}`;
}

function avatarOf(id) { return id === undefined ? '/v1/me/avatar' : `${address(id)}/avatar`; }
function isOwn(path) { return path === '/v1/me' || path.endsWith('/full'); }

/* Whether a merge patch would change nothing any more. */
function holds(target, patch) {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return JSON.stringify(target) === JSON.stringify(patch);
  return typeof target === 'object' && target !== null &&
    Object.entries(patch).every(([name, value]) => (value === null ? !Object.hasOwn(target, name) : Object.hasOwn(target, name) && holds(target[name], value)));
}
