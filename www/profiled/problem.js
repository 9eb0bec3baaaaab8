/**
 * What can go wrong, as classes: an answer that is no success is a Problem (RFC 9457), none at all is Unreachable.
 */

/** An answer that is no success: the problem document, and what the headers add. */
export class Problem extends Error {
  constructor(status, document, headers) {
    super(document.detail ?? document.title ?? `the server answered ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.type = document.type ?? 'about:blank';
    /** The last part of type, as in problems.html#slug; '' where the answer was not the server's own. */
    this.slug = this.type.split('#')[1] ?? '';
    /** The whole document: some kinds have members of their own. */
    this.document = document;
    this.title = document.title;
    this.detail = document.detail;
    /** The request's id, for whoever reads the server's log. */
    this.instance = document.instance ?? headers.get('x-request-id') ?? undefined;
    /** [{pointer, detail}] where there are several. */
    this.errors = Array.isArray(document.errors) ? document.errors : [];
    /** Seconds until it may be tried again; undefined: the server did not say. */
    this.retryAfter = retryAfter(headers);
  }
}

const kind = (name) => ({[name]: class extends Problem {
  constructor(...args) { super(...args); this.name = name; }
}})[name];

/** 401: no token, or one that is not good (any more). */
export const Unauthorized = kind('Unauthorized');
/** 403: the token lacks the scope. */
export const Forbidden = kind('Forbidden');
/** 404 */
export const NotFound = kind('NotFound');
/** 410: the change log does not go on from that place; document.newest and document.epoch say where it is now. */
export const Gone = kind('Gone');
/** 409: a handle or an id that is taken. */
export const Taken = kind('Taken');
/** 409: an operation of a JSON Patch does not fit, a "test" among them. */
export const PatchFailed = kind('PatchFailed');
/**
 * 412: somebody else changed it first. base is the version that the change was made from, theirs the present one
 * (undefined: it is gone), and mine what was to be written.
 */
export const Conflict = kind('Conflict');
/** 429 */
export const RateLimited = kind('RateLimited');
/** 5xx */
export const Unavailable = kind('Unavailable');

/** 422 */
export class Invalid extends Problem {
  constructor(...args) {
    super(...args);
    this.name = 'Invalid';
    /** The name of each field that is at fault ("" for the whole) with what is wrong with it. */
    this.fields = {};
    for (const {pointer, detail} of this.errors) {
      const field = (String(pointer ?? '').split('/')[1] ?? '').replaceAll('~1', '/').replaceAll('~0', '~');
      this.fields[field] = field in this.fields ? `${this.fields[field]} ${detail}` : detail;
    }
  }
}

/** No whole answer came: offline, refused, cut off. cause has the platform's own error. */
export class Unreachable extends Error {
  constructor(cause) {
    super('the server cannot be reached', {cause});
    this.name = 'Unreachable';
  }
}

const classes = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Taken, 410: Gone, 412: Conflict, 422: Invalid, 429: RateLimited};

/** The problem that an answer is; text is its body. */
export function problemOf(status, text, headers) {
  let document;
  try { document = JSON.parse(text); } catch { /* a proxy's page, or nothing: the status says enough */ }
  if (typeof document !== 'object' || document === null) document = {};
  if (typeof document.type !== 'string') delete document.type;
  const patch = status === 409 && document.type?.endsWith('#patch-failed');
  const Kind = patch ? PatchFailed : classes[status] ?? (status >= 500 ? Unavailable : Problem);
  return new Kind(status, document, headers);
}

/** Retry-After in seconds (RFC 9110 section 10.2.3: seconds or a date). */
function retryAfter(headers) {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
