/**
 * What can go wrong, as classes: an answer that is no success is a Problem (RFC 9457), none at all is Unreachable.
 */

/** An answer that is no success: the problem document, and what the headers add. */
export class Problem extends Error {
  constructor(status, document, headers) {
    super(document.detail ?? document.title ?? `the server answered ${status}`);
    this.name = new.target.name;
    this.status = status;
    this.type = document.type ?? 'about:blank';
    /** The last part of type, as in problems.html#slug. */
    this.slug = this.type.split('#')[1] ?? '';
    this.title = document.title;
    this.detail = document.detail;
    /** The request's id, for whoever reads the server's log. */
    this.instance = document.instance ?? headers.get('x-request-id') ?? undefined;
    /** [{pointer, detail}] where there are several. */
    this.errors = document.errors ?? [];
    /** Seconds until it may be tried again; undefined: the server did not say. */
    this.retryAfter = retryAfter(headers);
  }
}
/** 401: no token, or one that is not good (any more). */
export class Unauthorized extends Problem {}
/** 403: the token lacks the scope. */
export class Forbidden extends Problem {}
/** 404, 410 */
export class NotFound extends Problem {}
/** 422: fields maps the name of a field ("" for the whole) to what is wrong with it. */
export class Invalid extends Problem {
  get fields() {
    return Object.fromEntries(this.errors.map(({pointer = '', detail}) => [pointer.split('/')[1] ?? '', detail]));
  }
}
/** 409: a handle or an id that is taken. */
export class Taken extends Problem {}
/**
 * 412: somebody else changed it first. base is the version that the change was made from, theirs the present one
 * (undefined: it is gone), and mine what was to be written.
 */
export class Conflict extends Problem {}
/** 429 */
export class RateLimited extends Problem {}
/** 5xx */
export class Unavailable extends Problem {}
/** No answer came: offline, or refused. cause has the browser's own error. */
export class Unreachable extends Error {
  constructor(cause) {
    super('the server cannot be reached', {cause});
    this.name = 'Unreachable';
  }
}

const classes = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Taken, 410: NotFound, 412: Conflict, 422: Invalid, 429: RateLimited};

/** The problem that an answer is. */
export async function problemOf(response) {
  let document = {};
  try { document = await response.json(); } catch { /* a proxy's page, or nothing: the status says enough */ }
  const kind = classes[response.status] ?? (response.status >= 500 ? Unavailable : Problem);
  return new kind(response.status, typeof document === 'object' && document !== null ? document : {}, response.headers);
}

/** Retry-After in seconds (RFC 9110 section 10.2.3: seconds or a date). */
function retryAfter(headers) {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}
