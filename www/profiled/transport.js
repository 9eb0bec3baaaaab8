/**
 * One request and its answer: the token put in, sent again where that helps and is safe, errors as classes. Knows nothing of
 * profiles.
 */

import {Unreachable, problemOf} from './problem.js';
import {holderOf} from './token.js';

/** Waits; throws the signal's reason as soon as it is aborted. */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) { reject(signal.reason); return; }
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener('abort', stop); resolve(); }, ms);
    signal?.addEventListener('abort', stop, {once: true});
  });
}

/* What a callback gives, or the signal's reason if that is first: it may be asking a person. */
function unlessAborted(promise, signal) {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, {once: true});
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/** Of a random name it is asked only that no other request of this subject has it. */
export function randomKey() {
  if (globalThis.crypto?.randomUUID !== undefined) return crypto.randomUUID();
  const four = () => Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, '0');
  return `${Date.now().toString(16)}-${four()}${four()}${four()}`;
}

export class Transport {
  #base; #token; #fetch; #attempts; #maxWait; #onExchange;

  constructor({base, token, fetch, attempts, maxWait, onExchange}) {
    this.#base = base.replace(/\/$/, '');
    this.#token = token;
    this.#fetch = fetch;
    this.#attempts = attempts;
    this.#maxWait = maxWait;
    this.#onExchange = onExchange;
  }

  /** The path of an address that the server gave, without origin and mount: a token goes nowhere but to the base. */
  pathOf(link) {
    const base = new URL(`${this.#base}/`, globalThis.location?.href ?? 'http://profiled.invalid/');
    const url = new URL(link, base);
    const mount = base.pathname.replace(/\/$/, '');
    return (url.pathname.startsWith(`${mount}/`) ? url.pathname.slice(mount.length) : url.pathname) + url.search;
  }

  /** The token to go on with: {token, holder}. rejected: one that the server did not take. */
  async current(signal, rejected) {
    signal?.throwIfAborted();
    const asked = Promise.resolve(this.#token?.(rejected === undefined ? {} : {rejected}));
    const token = await unlessAborted(asked, signal);
    return {token, holder: holderOf(token)};
  }

  /**
   * Gives {status, headers, body, holder, unsure} of a 2xx or a 304, body out of JSON or undefined; throws all else. holder:
   * whose token it was in the end. unsure: an attempt before this one may have arrived too.
   * repeatable: may it be sent again when nobody knows whether it arrived? bearer: what current() gave.
   */
  async send(method, path, {headers = {}, body, signal, bearer, repeatable = method !== 'POST' && method !== 'PATCH'} = {}) {
    bearer ??= await this.current(signal);
    let unsure = false;
    for (let attempt = 1, renewed = false; ; attempt++) {
      const {status, headers: answered, text, cause} = await this.#once(method, path, {headers, body, signal, token: bearer.token});
      if (cause !== undefined) {
        signal?.throwIfAborted();
        unsure = true;
        if (!repeatable || attempt >= this.#attempts || globalThis.navigator?.onLine === false) throw new Unreachable(cause);
        await sleep(200 * 2 ** attempt * (0.5 + Math.random()), signal);
        continue;
      }
      if (status === 304 || (status >= 200 && status < 300)) return {status, headers: answered, body: parse(text, answered), holder: bearer.holder, unsure};
      const problem = problemOf(status, text, answered);
      problem.unsure = unsure;
      if (status === 401 && this.#token !== undefined && !renewed) {
        renewed = true;
        const next = await this.current(signal, bearer.token);
        /* what one person asked to be written is not written as another */
        const same = method === 'GET' || next.holder === bearer.holder;
        if (next.token !== undefined && next.token !== bearer.token && same) { bearer = next; attempt--; continue; }
      }
      if (attempt >= this.#attempts || !this.#again(problem, repeatable)) throw problem;
      if (status !== 429) unsure = true;
      await sleep((problem.retryAfter ?? 1) * 1000 + Math.random() * 250, signal);
    }
  }

  /* Whether an answer asks to be tried again. The server's own 429 and 503 come before anything was done; a proxy's may not. */
  #again({status, slug, retryAfter = 1}, repeatable) {
    if (retryAfter > this.#maxWait) return false;
    if (status === 429 || (status === 503 && slug !== '')) return true;
    return repeatable && (status === 502 || status === 503 || status === 504);
  }

  /* One attempt, its body read to the end: one that breaks off there is no answer. */
  async #once(method, path, {headers, body, signal, token}) {
    const begun = performance.now();
    const authorised = token === undefined ? headers : {...headers, Authorization: `Bearer ${token}`};
    try {
      /* the server redirects nobody, and a token is not to be led anywhere */
      const answer = await this.#fetch(this.#base + path, {method, body, signal, headers: authorised, redirect: 'error'});
      const text = await answer.text();
      this.#tell(method, path, begun, answer);
      return {status: answer.status, headers: answer.headers, text};
    } catch (cause) {
      if (!signal?.aborted) this.#tell(method, path, begun);
      return {cause};
    }
  }

  #tell(method, path, begun, answer) {
    const header = (name) => answer?.headers.get(name) ?? undefined;
    const number = (name) => (header(name) === undefined ? undefined : Number(header(name)));
    try {
      this.#onExchange?.({
        method, path, url: answer?.url, status: answer?.status ?? 0, begun, ms: performance.now() - begun,
        etag: header('etag'), cacheControl: header('cache-control'), cacheStatus: header('cache-status'), age: number('age'), bytes: number('content-length'),
      });
    } catch (error) { reportError(error); }
  }
}

/* An onlooker's fault is not the request's. */
function reportError(error) {
  if (globalThis.reportError !== undefined) globalThis.reportError(error);
  else setTimeout(() => { throw error; });
}

function parse(text, headers) {
  if (text === '') return undefined;
  if (!/[/+]json\s*(?:;|$)/i.test(headers.get('content-type') ?? '')) return text;
  try { return JSON.parse(text); } catch (cause) { throw new Unreachable(cause); }
}

/** The target of a Link with that relation (RFC 8288); undefined: there is none. */
export function linkOf(header, relation) {
  const parameter = /;\s*([^\s,;=]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g;
  for (const [, target, parameters] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^\s,;=]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?)*)/g)) {
    const [, , quoted, bare] = [...parameters.matchAll(parameter)].find(([, name]) => name.toLowerCase() === 'rel') ?? [];
    if ((quoted ?? bare ?? '').toLowerCase().split(/\s+/).includes(relation)) return target;
  }
  return undefined;
}
