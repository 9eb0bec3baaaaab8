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
 * Own views (/v1/me, …/full) are kept in the memory of this object alone, and only as long as the callback gives tokens of
 * the same subject. Public views go into the store: memory unless told otherwise, or Cache Storage (cacheStorageStore).
 */

import {Conflict, NotFound, Unreachable, problemOf} from './profiled/problem.js';
import {memoryStore} from './profiled/store.js';

export {Conflict, Forbidden, Invalid, NotFound, Problem, RateLimited, Taken, Unauthorized, Unavailable, Unreachable} from './profiled/problem.js';
export {cacheStorageStore, memoryStore} from './profiled/store.js';

const BATCH = 100; /* ids in a request, as the server allows */
const MERGE_PATCH = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

/** The subject of a JWT or of a PASETO v4.public token: what is kept of one's own is kept for that one alone. Not verified. */
function subjectOf(token) {
  try {
    const part = token.startsWith('v4.public.') ? token.split('.')[2] : token.split('.')[1];
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(token.startsWith('v4.public.') ? bytes.slice(0, -64) : bytes)).sub;
  } catch { return undefined; }
}

const sleep = (ms, signal) => new Promise((resolve, reject) => {
  const stop = () => { clearTimeout(timer); reject(signal.reason); };
  const timer = setTimeout(() => { signal?.removeEventListener('abort', stop); resolve(); }, ms);
  signal?.addEventListener('abort', stop, {once: true});
});

/** RFC 7396, for showing what a merge patch would have made. */
export function mergePatch(target, patch) {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result = typeof target === 'object' && target !== null && !Array.isArray(target) ? {...target} : {};
  for (const [name, value] of Object.entries(patch))
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  return result;
}

export class Profiled {
  #base; #token; #store; #fetch; #attempts; #maxWait; #onExchange;
  #own = new Map();       /* key to {etag, body}, of #subject alone */
  #subject;
  #versions = new WeakMap(); /* what was handed out, to {path, etag} */
  #asked = new Map();     /* fields to the profiles that this tick asks for */

  /**
   * @param {object} options
   * base: where the server is, its mount included; '' is the page's own origin.
   * token: () => string | Promise<string>; gets {rejected} when the server refused the last one.
   * store: for public views; memoryStore() unless told otherwise.
   * attempts: how often a request is sent at most (3); maxWait: seconds of Retry-After that are waited for (30).
   * onExchange: called with {method, path, status, ms, bytes, etag, cacheStatus, age, kept} after each answer.
   */
  constructor({base = '', token, store = memoryStore(), fetch = globalThis.fetch.bind(globalThis), attempts = 3, maxWait = 30, onExchange} = {}) {
    this.#base = base.replace(/\/$/, '');
    this.#token = token;
    this.#store = store;
    this.#fetch = fetch;
    this.#attempts = attempts;
    this.#maxWait = maxWait;
    this.#onExchange = onExchange;
  }

  /** The entity tag of something that this client handed out; undefined: it is none of its. */
  etagOf(profile) { return this.#versions.get(profile)?.etag; }

  /* -- reads */

  /** A public view. Those asked for in one tick come together. Throws NotFound. */
  profile(id, {fields, signal} = {}) {
    signal?.throwIfAborted();
    const set = fields === undefined ? '' : [...new Set(fields)].sort().join(',');
    let tick = this.#asked.get(set);
    if (tick === undefined) {
      tick = new Map();
      this.#asked.set(set, tick);
      queueMicrotask(() => { this.#asked.delete(set); this.#fulfil(set, tick); });
    }
    return new Promise((resolve, reject) => {
      const one = {resolve, reject, signal};
      signal?.addEventListener('abort', () => reject(signal.reason), {once: true});
      tick.set(id, [...(tick.get(id) ?? []), one]);
    });
  }

  /** Many public views: {profiles: [...], missing: [ids]}, in the order asked. */
  async profiles(ids, options) {
    const found = await Promise.allSettled(ids.map((id) => this.profile(id, options)));
    const failed = found.find(({status, reason}) => status === 'rejected' && !(reason instanceof NotFound));
    if (failed !== undefined) throw failed.reason;
    return {profiles: found.filter(({status}) => status === 'fulfilled').map(({value}) => value), missing: ids.filter((_, i) => found[i].status === 'rejected')};
  }

  /** A public view by handle, with or without "@". */
  byHandle(handle, {fields, signal} = {}) {
    return this.#read(`/v1/profiles/@${encodeURIComponent(handle.replace(/^@/, ''))}`, {fields, signal});
  }

  /** The owner's view of whom the token speaks for. */
  me({fields, signal} = {}) { return this.#read('/v1/me', {fields, signal, own: true}); }

  /** The owner's view of another, for an admin. */
  full(id, {fields, signal} = {}) { return this.#read(`${address(id)}/full`, {fields, signal, own: true}); }

  /**
   * A page of the directory: {profiles, next}. next: the same call for the page behind it, or undefined at the end. q: words to
   * search for, two characters or more.
   */
  async list({limit, q, fields, signal, path} = {}) {
    const query = new URLSearchParams(Object.entries({limit, q, fields: fields?.join(',')}).filter(([, value]) => value !== undefined));
    const answer = await this.#send('GET', path ?? `/v1/profiles${`${query}` === '' ? '' : `?${query}`}`, {signal});
    const {profiles} = await answer.json();
    const next = linkOf(answer.headers.get('link'), 'next');
    return {profiles, next: next === undefined ? undefined : (options = {}) => this.list({...options, path: this.#pathOf(next)})};
  }

  /** Each profile of the directory, page by page as they are asked for. */
  async *directory(options = {}) {
    for (let page = await this.list(options); ; page = await page.next({signal: options.signal})) {
      yield* page.profiles;
      if (page.next === undefined) return;
    }
  }

  /** All that the server holds on whom the token speaks for. */
  async export({signal} = {}) { return (await this.#send('GET', '/v1/me/export', {signal})).json(); }

  /** The pool's numbers (scope metrics:read). */
  async status({signal} = {}) { return (await this.#send('GET', '/v1/status', {signal})).json(); }

  /** What changed behind a place in the change log, for ever (scope profile:admin): {seq, id, what, at, …} one by one. */
  async *changes({after, wait = 30, limit, signal} = {}) {
    for (;;) {
      const query = new URLSearchParams(Object.entries({after, wait, limit}).filter(([, value]) => value !== undefined));
      const {changes, last} = await (await this.#send('GET', `/v1/changes?${query}`, {signal})).json();
      yield* changes;
      after = last;
    }
  }

  /* -- writes */

  /**
   * Changes a profile that this client handed out: changes is a merge patch (RFC 7396: null takes a field away), or an array, a
   * JSON Patch (RFC 6902). Gives what it is now. Throws Conflict when it is not the version any more that was read.
   */
  async update(profile, changes, {signal} = {}) {
    const version = this.#version(profile);
    const type = Array.isArray(changes) ? JSON_PATCH : MERGE_PATCH;
    return this.#write('PATCH', version, profile, changes, type, signal);
  }

  /** Puts a whole representation in the place of one that this client handed out. */
  async replace(profile, whole, {signal} = {}) {
    return this.#write('PUT', this.#version(profile), profile, whole, 'application/json', signal);
  }

  /** Makes the own profile, or another's (its id, for an admin), if there is none yet. */
  async createAt(id, profile, {signal} = {}) {
    const path = id === 'me' ? '/v1/me' : address(id);
    const answer = await this.#send('PUT', path, {signal, body: JSON.stringify(profile), headers: {'Content-Type': 'application/json', 'If-None-Match': '*', Prefer: 'return=representation'}});
    return this.#reread(path, answer, signal);
  }

  /** Makes a profile (scope profile:admin); its id is the server's to choose unless it is given. */
  async create(profile, {signal, key = crypto.randomUUID()} = {}) {
    const answer = await this.#send('POST', '/v1/profiles', {signal, repeatable: true, body: JSON.stringify(profile), headers: {'Content-Type': 'application/json', 'Idempotency-Key': `"${key}"`}});
    return this.#take(this.#pathOf(answer.headers.get('location')), answer.headers.get('etag'), await answer.json(), false);
  }

  /** Deletes a profile that this client handed out. */
  async remove(profile, {signal} = {}) {
    const {path, etag} = this.#version(profile);
    try {
      await this.#send('DELETE', path.replace(/\/full$/, ''), {signal, headers: {'If-Match': etag}});
    } catch (error) {
      throw await this.#conflict(error, path, profile, undefined, signal);
    }
    await this.#forget(path);
  }

  /** Sets a picture: a Blob or bytes (PNG, JPEG, WebP, AVIF; 1 MiB at most). id: another's, for an admin. */
  async setAvatar(image, {id, signal} = {}) {
    const path = id === undefined ? '/v1/me/avatar' : `${address(id)}/avatar`;
    const answer = await this.#send('PUT', path, {signal, body: image, headers: {'Content-Type': image.type || 'application/octet-stream'}});
    await this.#forget('/v1/me');
    return answer.status === 204 ? undefined : answer.json();
  }

  async removeAvatar({id, signal} = {}) {
    await this.#send('DELETE', id === undefined ? '/v1/me/avatar' : `${address(id)}/avatar`, {signal});
    await this.#forget('/v1/me');
  }

  /** Every token issued up to this second is dead, this one too. id: another's, for an admin. */
  async revokeTokens({id, signal} = {}) {
    await this.#send('DELETE', id === undefined ? '/v1/me/tokens' : `${address(id)}/tokens`, {signal});
  }

  /** One token is dead (RFC 7009). */
  async revoke(token, {signal} = {}) {
    await this.#send('POST', '/v1/tokens/revoke', {signal, repeatable: true, body: new URLSearchParams({token}), headers: {}});
  }

  /* -- what they are made of */

  #version(profile) {
    const version = this.#versions.get(profile);
    if (version === undefined) throw new TypeError('this is no profile that this client has read: an edit is made from a version, and needs its entity tag');
    return version;
  }

  /* The path of an address that the server gave, without the base. */
  #pathOf(link) {
    const base = new URL(`${this.#base}/`, globalThis.location?.href ?? 'http://profiled.invalid/');
    const url = new URL(link, base);
    const mount = base.pathname.replace(/\/$/, '');
    return (url.pathname.startsWith(`${mount}/`) ? url.pathname.slice(mount.length) : url.pathname) + url.search;
  }

  #take(path, etag, body, own, kept = false) {
    if (etag !== null && typeof body === 'object') this.#versions.set(body, {path, etag, own, kept});
    return body;
  }

  /* Kept bodies are handed out as copies, so that an application may change what it got. */
  async #kept(key, own) {
    const entry = own ? this.#own.get(key) : await this.#store.get(key);
    return entry === undefined ? undefined : {etag: entry.etag, body: structuredClone(entry.body)};
  }
  async #keep(key, own, etag, body) {
    if (etag === null) return;
    const entry = {etag, body: structuredClone(body)};
    if (own) this.#own.set(key, entry);
    else await this.#store.set(key, entry);
  }
  async #forget(path) {
    for (const key of [...this.#own.keys()]) if (key.split('?')[0] === path) this.#own.delete(key);
    await this.#store.delete(path);
  }

  async #read(path, {fields, signal, own = false}) {
    const key = fields === undefined ? path : `${path}?fields=${[...new Set(fields)].sort().join(',')}`;
    /* the token first: it says whose own views these are */
    const token = await this.#currentToken();
    const kept = await this.#kept(key, own);
    const answer = await this.#send('GET', key, {signal, token, headers: kept === undefined ? {} : {'If-None-Match': kept.etag}});
    if (answer.status === 304) return this.#take(path, kept.etag, kept.body, own);
    const etag = answer.headers.get('etag'), body = await answer.json();
    await this.#keep(key, own, etag, body);
    return this.#take(path, etag, body, own);
  }

  async #fulfil(set, tick) {
    const ids = [...tick.keys()].filter((id) => tick.get(id).some(({signal}) => !signal?.aborted));
    for (let i = 0; i < ids.length; i += BATCH) {
      const part = ids.slice(i, i + BATCH);
      /* it ends when nobody waits for it any more */
      const controller = new AbortController();
      let waiting = part.flatMap((id) => tick.get(id)).length;
      for (const {signal} of part.flatMap((id) => tick.get(id))) signal?.addEventListener('abort', () => { if (--waiting === 0) controller.abort(signal.reason); }, {once: true});
      const settle = (id, how, value) => { for (const one of tick.get(id)) one[how](how === 'resolve' && tick.get(id).length > 1 ? this.#twin(value) : value); };
      try {
        if (part.length === 1) settle(part[0], 'resolve', await this.#read(address(part[0]), {fields: set === '' ? undefined : set.split(','), signal: controller.signal}));
        else for (const [id, body] of await this.#query(part, set, controller.signal)) settle(id, body instanceof Error ? 'reject' : 'resolve', body);
      } catch (error) {
        for (const id of part) settle(id, 'reject', error);
      }
    }
  }

  #twin(body) {
    const version = this.#versions.get(body), copy = structuredClone(body);
    if (version !== undefined) this.#versions.set(copy, version);
    return copy;
  }

  /* [[id, profile or NotFound]] */
  async #query(ids, set, signal) {
    const suffix = set === '' ? '' : `?fields=${set}`;
    const kept = new Map();
    for (const id of ids) {
      const entry = await this.#kept(address(id) + suffix, false);
      if (entry !== undefined) kept.set(id, entry);
    }
    const body = JSON.stringify({ids: Object.fromEntries(ids.map((id) => [id, kept.get(id)?.etag ?? null]))});
    const answer = await this.#send('POST', `/v1/profiles/query${suffix}`, {signal, repeatable: true, body, headers: {'Content-Type': 'application/json'}});
    const {profiles, etags = {}, missing} = await answer.json();
    const found = new Map();
    for (const profile of profiles) {
      const path = address(profile.id), etag = etags[profile.id] ?? null;
      await this.#keep(path + suffix, false, etag, profile);
      found.set(profile.id, this.#take(path, etag, profile, false));
    }
    for (const id of missing) {
      await this.#store.delete(address(id) + suffix);
      found.set(id, new NotFound(404, {type: '/problems.html#no-such-profile', title: 'There is no such profile', detail: `there is no profile ${id}`}, answer.headers));
    }
    return ids.map((id) => {
      if (found.has(id)) return [id, found.get(id)];
      const {etag, body: old} = kept.get(id);
      return [id, this.#take(address(id), etag, old, false)];
    });
  }

  async #write(method, {path, etag, own}, base, changes, type, signal) {
    try {
      const answer = await this.#send(method, path, {signal, body: JSON.stringify(changes), headers: {'Content-Type': type, 'If-Match': etag, Prefer: 'return=representation'}});
      return await this.#reread(path, answer, signal, own);
    } catch (error) {
      throw await this.#conflict(error, path, base, changes, signal);
    }
  }

  /* What a write gave; a PUT's answer has no tag (RFC 9110 section 9.3.4), so that what is now there is asked for. */
  async #reread(path, answer, signal, own = path === '/v1/me' || path.endsWith('/full')) {
    await this.#forget(path);
    const etag = answer.headers.get('etag');
    if (etag === null || answer.status === 204) return this.#read(path, {signal, own});
    const body = await answer.json();
    await this.#keep(path, own, etag, body);
    return this.#take(path, etag, body, own);
  }

  async #conflict(error, path, base, changes, signal) {
    if (!(error instanceof Conflict)) return error;
    await this.#forget(path);
    error.base = base;
    error.mine = changes;
    try {
      error.theirs = await this.#read(path, {signal, own: path === '/v1/me' || path.endsWith('/full')});
    } catch (why) {
      if (!(why instanceof NotFound)) return why;
    }
    return error;
  }

  async #currentToken(rejected) {
    const token = await this.#token?.(rejected === undefined ? {} : {rejected});
    const subject = token === undefined ? undefined : subjectOf(token);
    if (subject !== this.#subject) this.#own.clear();
    this.#subject = subject;
    return token;
  }

  /* Sends it, again where that helps and is safe. Gives 2xx and 304; throws all else. */
  async #send(method, path, {headers = {}, body, signal, token, repeatable = method !== 'POST' && method !== 'PATCH'} = {}) {
    token ??= await this.#currentToken();
    for (let attempt = 1, renewed = false; ; attempt++) {
      const begun = performance.now();
      let answer;
      try {
        answer = await this.#fetch(this.#base + path, {method, body, signal, headers: {...headers, ...(token === undefined ? {} : {Authorization: `Bearer ${token}`})}});
      } catch (cause) {
        if (signal?.aborted) throw signal.reason;
        if (repeatable && attempt < this.#attempts && globalThis.navigator?.onLine !== false) { await sleep(200 * 2 ** attempt * (0.5 + Math.random()), signal); continue; }
        throw new Unreachable(cause);
      }
      this.#tell(method, path, answer, performance.now() - begun);
      if (answer.ok || answer.status === 304) return answer;
      const problem = await problemOf(answer);
      if (answer.status === 401 && this.#token !== undefined && !renewed) {
        const next = await this.#currentToken(token);
        if (next !== undefined && next !== token) { token = next; renewed = true; continue; }
      }
      /* 429 and 503: nothing was done yet, so that any method may come again */
      const again = (answer.status === 429 || answer.status === 503) && attempt < this.#attempts && (problem.retryAfter ?? 1) <= this.#maxWait;
      if (!again) throw problem;
      await sleep((problem.retryAfter ?? 1) * 1000 + 50 + Math.random() * 200, signal);
    }
  }

  #tell(method, path, answer, ms) {
    const header = (name) => answer.headers.get(name) ?? undefined;
    this.#onExchange?.({method, path, url: answer.url, status: answer.status, ms, etag: header('etag'), cacheControl: header('cache-control'), cacheStatus: header('cache-status'),
      age: header('age') === undefined ? undefined : Number(header('age')), bytes: header('content-length') === undefined ? undefined : Number(header('content-length'))});
  }
}

/* An id as one segment of a path; "+", ":" and "@" stand as they are. */
function address(id) {
  return `/v1/profiles/${encodeURIComponent(id).replaceAll('%3A', ':').replaceAll('%40', '@').replaceAll('%2B', '+')}`;
}

/* The target of a Link with that relation (RFC 8288). */
function linkOf(header, relation) {
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^,;=]+(?:=(?:"[^"]*"|[^,;]*))?)*)/g))
    if (new RegExp(`;\\s*rel="?(?:[^"]* )?${relation}(?: [^"]*)?"?\\s*(?:;|$)`, 'i').test(parameters)) return target;
  return undefined;
}
