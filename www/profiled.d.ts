/** Types of profiled.js; that file's head says what the client does. */

export type Visibility = 'public' | 'private';

/** What a person may say of themselves; names from OpenID Connect Core section 5.1 where it has one. */
export interface Fields {
  name?: string;
  given_name?: string;
  family_name?: string;
  nickname?: string;
  pronouns?: string;
  bio?: string;
  picture?: string;
  website?: string;
  locale?: string;
  zoneinfo?: string;
  email?: string;
  phone_number?: string;
  birthdate?: string;
  address?: Record<string, string>;
  attributes?: Record<string, unknown>;
}

export type FieldName = keyof Fields | 'email_verified';

/** As everybody sees it: what is private is not there. */
export interface Profile extends Fields {
  id: string;
  handle: string;
  email_verified?: boolean;
  version: number;
  created_at: string;
  updated_at: string;
}

/** As its owner, or an admin, sees it. */
export interface OwnProfile extends Profile {
  visibility: Partial<Record<FieldName, Visibility>>;
  state?: 'active' | 'suspended';
}

/** What may be written; members that are the server's are ignored when equal to what they are. */
export interface ProfileDraft extends Fields {
  id?: string;
  handle: string;
  email_verified?: boolean;
  visibility?: Partial<Record<FieldName, Visibility>>;
  state?: 'active' | 'suspended';
  version?: number;
  created_at?: string;
  updated_at?: string;
}

/** RFC 7396: null takes a member away. */
export type MergePatch<T = ProfileDraft> = {[K in keyof T]?: T[K] | null | (T[K] extends object | undefined ? MergePatch<NonNullable<T[K]>> : never)};

/** RFC 6902 */
export type JsonPatch = Array<
  | {op: 'add' | 'replace' | 'test'; path: string; value: unknown}
  | {op: 'remove'; path: string}
  | {op: 'move' | 'copy'; from: string; path: string}
>;

/** A part of a view, as `fields` asks for it: `id` is always in it. */
export type Part<T, F extends keyof T> = Pick<T, (F | 'id') & keyof T>;

export interface Page<T> {
  profiles: T[];
  /** The page behind this one; undefined at the end. */
  next: ((options?: Signal) => Promise<Page<T>>) | undefined;
}

export interface Signal { signal?: AbortSignal }
export interface ListOptions extends Signal { limit?: number; q?: string; after?: string }

export interface Change {
  seq: number;
  id: string;
  what: string;
  at: string;
  handle?: string;
  old_handle?: string;
}
export interface Changes {
  changes: Change[];
  last: number;
  newest: number;
  epoch: string;
  more: boolean;
}

/** What a request cost. status 0: no answer came. */
export interface Exchange {
  method: string;
  path: string;
  url?: string;
  status: number;
  /** performance.now() when it was sent. */
  begun: number;
  ms: number;
  bytes?: number;
  etag?: string;
  cacheControl?: string;
  /** RFC 9211 */
  cacheStatus?: string;
  age?: number;
}

export interface Entry { etag: string; body: unknown; edit?: string }
export interface Store {
  get(key: string): Entry | undefined | Promise<Entry | undefined>;
  set(key: string, entry: Entry): void | Promise<void>;
  delete(key: string): void | Promise<unknown>;
  clear?(): void | Promise<unknown>;
}
export function memoryStore(max?: number): Store;
export function cacheStorageStore(name?: string): Store;

export interface Options {
  /** Where the server is, its mount included; '' is the page's own origin. */
  base?: string;
  /** Called for each request, and with {rejected} after a 401. undefined: without a token. */
  token?: (why: {rejected?: string}) => string | undefined | Promise<string | undefined>;
  store?: Store;
  fetch?: typeof globalThis.fetch;
  /** How often a request is sent at most. */
  attempts?: number;
  /** Seconds of Retry-After that are waited for. */
  maxWait?: number;
  onExchange?: (exchange: Exchange) => void;
}

export class Profiled {
  constructor(options?: Options);
  etagOf(profile: object): string | undefined;
  clear(): Promise<void>;

  profile(id: string, options?: Signal): Promise<Profile>;
  profile<F extends keyof Profile>(id: string, options: {fields: readonly F[]} & Signal): Promise<Part<Profile, F>>;
  profiles(ids: Iterable<string>, options?: Signal): Promise<{profiles: Profile[]; missing: string[]}>;
  profiles<F extends keyof Profile>(ids: Iterable<string>, options: {fields: readonly F[]} & Signal): Promise<{profiles: Part<Profile, F>[]; missing: string[]}>;
  byHandle(handle: string, options?: Signal): Promise<Profile>;
  byHandle<F extends keyof Profile>(handle: string, options: {fields: readonly F[]} & Signal): Promise<Part<Profile, F>>;
  me(options?: Signal): Promise<OwnProfile>;
  me<F extends keyof OwnProfile>(options: {fields: readonly F[]} & Signal): Promise<Part<OwnProfile, F>>;
  full(id: string, options?: Signal): Promise<OwnProfile>;
  full<F extends keyof OwnProfile>(id: string, options: {fields: readonly F[]} & Signal): Promise<Part<OwnProfile, F>>;
  list(options?: ListOptions): Promise<Page<Profile>>;
  list<F extends keyof Profile>(options: {fields: readonly F[]} & ListOptions): Promise<Page<Part<Profile, F>>>;
  directory(options?: ListOptions): AsyncGenerator<Profile, void, undefined>;
  directory<F extends keyof Profile>(options: {fields: readonly F[]} & ListOptions): AsyncGenerator<Part<Profile, F>, void, undefined>;
  export(options?: Signal): Promise<Record<string, unknown>>;
  status(options?: Signal): Promise<Record<string, unknown>>;
  changes(options?: {after?: number; epoch?: string; wait?: number; limit?: number} & Signal): AsyncGenerator<Changes, never, undefined>;

  update<T extends Profile>(profile: T, changes: MergePatch | JsonPatch, options?: Signal): Promise<T>;
  replace<T extends Profile>(profile: T, whole: ProfileDraft, options?: Signal): Promise<T>;
  createAt(id: 'me' | (string & {}), profile: ProfileDraft, options?: Signal): Promise<OwnProfile>;
  create(profile: ProfileDraft, options?: {key?: string} & Signal): Promise<Profile>;
  remove(profile: Profile, options?: Signal): Promise<void>;
  setAvatar(image: Blob | Uint8Array<ArrayBuffer> | ArrayBuffer, options?: {id?: string} & Signal): Promise<unknown>;
  removeAvatar(options?: {id?: string} & Signal): Promise<void>;
  revokeTokens(options?: {id?: string} & Signal): Promise<void>;
  revoke(token: string, options?: Signal): Promise<void>;
}

/** An answer that is no success (RFC 9457). */
export class Problem extends Error {
  readonly status: number;
  readonly type: string;
  /** The last part of type, as in problems.html#slug; '' where the answer was not the server's own. */
  readonly slug: string;
  readonly title: string | undefined;
  readonly detail: string | undefined;
  /** The request's id, for whoever reads the server's log. */
  readonly instance: string | undefined;
  readonly errors: ReadonlyArray<{pointer: string; detail: string}>;
  /** Seconds until it may be tried again. */
  readonly retryAfter: number | undefined;
  readonly document: Record<string, unknown>;
}
/** 401 */
export class Unauthorized extends Problem {}
/** 403 */
export class Forbidden extends Problem {}
/** 404 */
export class NotFound extends Problem {}
/** 410: the change log does not go on from that place. */
export class Gone extends Problem {}
/** 409: a handle or an id that is taken. */
export class Taken extends Problem {}
/** 409: an operation of a JSON Patch does not fit. */
export class PatchFailed extends Problem {}
/** 412: somebody else changed it first. */
export class Conflict<T extends Profile = Profile> extends Problem {
  /** The version that the change was made from. */
  readonly base: T | undefined;
  /** What was to be written. */
  readonly mine: unknown;
  /** The present one; undefined: it is gone. */
  readonly theirs: T | undefined;
}
/** 422 */
export class Invalid extends Problem {
  /** What is wrong, by field; '' is the whole. */
  readonly fields: Record<string, string>;
}
/** 429 */
export class RateLimited extends Problem {}
/** 5xx */
export class Unavailable extends Problem {}
/** No whole answer came. */
export class Unreachable extends Error {}

export interface Claims { sub: string; iss: string | undefined; scopes: string[]; exp: number | undefined; iat: number | undefined }
/** What a token says of itself, unverified. */
export function claimsOf(token: string): Claims | undefined;
export function mergePatch(target: unknown, patch: unknown): unknown;
