// A whole site for a scenario: keys, database, the pool, lighttpd in front with conf/lighttpd/profiled.conf, in a folder of its own
// under the system's temporary one; and ways to talk to it.
import assert from 'node:assert/strict';
import {existsSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {after, before, describe} from 'node:test';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {freePort, request} from './client.mjs';
import {alive, children, run, start, temporaryFolder, until} from './process.mjs';
import {jwt, now, readKeys} from './token.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const binary = process.env.PROFILED_BINARY || join(root, 'build/profiled');
export const isRoot = process.getuid() === 0;
export const READ = 'profile:read', LIST = 'profile:list', WRITE = 'profile:write', ADMIN = 'profile:admin';
export const MERGE = 'application/merge-patch+json', PATCH = 'application/json-patch+json', JSON_TYPE = 'application/json';

export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'https://profiles.example';

/** The environment without what would change the server's configuration. */
export function cleanEnvironment(more = {}) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PROFILED_')));
  return {...env, PATH: `${env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`, ...more};
}

export class Site {
  /**
   * settings: {section: {key: value}} over the defaults below; issuers: {name: {…}}; front: whether lighttpd is started.
   */
  static async start(options = {}) {
    const site = new this();
    try {
      await site.prepare(options);
      await site.startPool();
      if (options.front !== false) await site.startFront();
    } catch (error) {
      const log = site.readLog();
      await site.stop().catch(() => {});
      throw new Error(`${error.message}\nthe pool's log:\n${log}`, {cause: error});
    }
    return site;
  }

  /** Folder, configuration, key, database; nothing is started. */
  async prepare({settings = {}, issuers = {}} = {}) {
    this.folder = temporaryFolder();
    this.config = join(this.folder, 'profiled.conf');
    this.socket = join(this.folder, 'pool.sock');
    this.database = join(this.folder, 'data', 'profiled.db');
    this.keys = join(this.folder, 'keys');
    this.poolLog = join(this.folder, 'pool.log');
    this.frontLog = join(this.folder, 'front.log');
    this.env = cleanEnvironment();
    mkdirSync(dirname(this.database));
    mkdirSync(this.keys, {mode: 0o700});
    this.issuers = issuers;
    this.settings = {
      server: {listen: `unix:${this.socket}`, workers: 2, ...(isRoot ? {user: 'root'} : {}), ...settings.server},
      store: {url: `sqlite:${this.database}`, ...settings.store},
      token: {keys: this.keys, issuer: ISSUER, audience: AUDIENCE, ...settings.token},
    };
    for (const [section, keys] of Object.entries(settings))
      if (!['server', 'store', 'token'].includes(section)) this.settings[section] = keys;
    this.writeConfig();
    await this.cli('key', 'new');
    await this.cli('db', 'migrate');
    this.tokens = new Map();
  }

  writeConfig() {
    const section = (name, keys) => `[${name}]\n${Object.entries(keys).map(([k, v]) => `${k} = ${v}\n`).join('')}`;
    writeFileSync(this.config, [
      ...Object.entries(this.settings).map(([name, keys]) => section(name, keys)),
      ...Object.entries(this.issuers).map(([name, keys]) => section(`issuer ${name}`, keys)),
    ].join('\n'));
  }

  /** Runs a subcommand with this site's configuration and expects it to work; gives what it printed. */
  async cli(...args) {
    const how = await this.tryCli(args);
    assert.equal(how.code, 0, `profiled ${args.join(' ')}: ${how.err}`);
    return how.out;
  }
  /** The same without expecting anything; input goes to its standard input. */
  tryCli(args, input) {
    return run(binary, [...args, '-c', this.config], {env: this.env, input});
  }

  async startPool() {
    this.pool = start(this.poolLog, binary, ['serve', '-c', this.config], {env: this.env});
    await until('the pool', () => {
      if (!this.pool.running) throw new Error('the pool ended at once');
      return this.workers().length > 0 && existsSync(this.socket);
    });
  }

  /** backend: what stands in place of the pool's socket in lighttpd's configuration. */
  async startFront(backend) {
    const shipped = readFileSync(join(root, 'conf/lighttpd/profiled.conf'), 'utf8');
    const cut = shipped.indexOf('# ---- what does not');
    assert(cut > 0);
    const rest = backend ? shipped.slice(cut).replace('"socket"       => var.profiled_socket', backend) : shipped.slice(cut);
    this.port ??= await freePort();
    const values = {bind: '"127.0.0.1"', port: this.port, user: '""', www: `"${join(root, 'www')}"`, socket: `"${this.socket}"`,
      log: `"${this.frontLog}"`, upload: `"${this.folder}"`};
    const conf = join(this.folder, 'lighttpd.conf');
    writeFileSync(conf, `${Object.entries(values).map(([k, v]) => `var.profiled_${k} = ${v}\n`).join('')}${rest}`);
    this.front = start(this.frontLog, 'lighttpd', ['-D', '-f', conf], {env: this.env});
    await until('lighttpd', async () => {
      if (!this.front.running) throw new Error(`lighttpd ended at once: ${readFileSync(this.frontLog, 'utf8')}`);
      return request({port: this.port}, {path: '/healthz'}).then((answer) => answer.status === 200, () => false);
    });
  }

  /** Stops all, removes the folder, and gives how the pool ended. */
  async stop() {
    const family = this.pool ? [this.pool.pid, ...this.workers()] : [];
    const how = this.pool ? await this.pool.stop() : {code: 0};
    if (this.front) await this.front.stop(); // lighttpd ends at once on SIGTERM, by and by on SIGINT
    const log = this.readLog();
    this.agent?.destroy();
    if (this.folder && !process.env.PROFILED_KEEP) rmSync(this.folder, {recursive: true, force: true});
    assert.deepEqual(family.filter(alive), [], 'processes of the pool that outlived it');
    assert.doesNotMatch(log, /AddressSanitizer|LeakSanitizer|runtime error:/, log);
    return how;
  }

  /** The pids of the workers that live now. */
  workers() { return children(this.pool.pid).filter(alive); }
  /** SIGHUP, and waits until every worker is a new one. */
  async reload() {
    const old = this.workers();
    this.pool.kill('SIGHUP');
    await until('new workers', () => {
      const workers = this.workers();
      return workers.length >= old.length && workers.every((pid) => !old.includes(pid));
    });
  }
  /** What `profiled status` tells, and one of its counters. */
  async status() { return JSON.parse(await this.cli('status', '--json')); }
  async counters() { return (await this.status()).counters; }
  readLog() { return this.poolLog && existsSync(this.poolLog) ? readFileSync(this.poolLog, 'utf8') : ''; }
  /** The log's lines as objects. */
  logLines() { return this.readLog().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line)); }

  key() { return readKeys(this.keys)[0]; }

  /** The claims of a good token. */
  claims(sub, scope = `${READ} ${LIST} ${WRITE}`, more = {}) {
    return {iss: ISSUER, aud: AUDIENCE, sub, scope, iat: now(), exp: now() + 3600, ...more};
  }
  async mint(sub, scope, more) { return jwt(this.key(), this.claims(sub, scope, more)); }
  /** A token that is minted once and kept: "admin" is the administrator. */
  async token(sub, scope = sub === 'admin' ? ADMIN : undefined) {
    const name = `${sub} ${scope}`;
    if (!this.tokens.has(name)) this.tokens.set(name, await this.mint(sub, scope));
    return this.tokens.get(name);
  }

  /**
   * A request. options: as (subject whose token is sent), scope, token (sent as it is), headers, type, match (If-Match),
   * none (If-None-Match), body (an object becomes JSON), agent, target, described (false: the answer need not be as the API's
   * description says); via: another way than HTTP, a function of the request.
   */
  async call(method, path, {as, scope, token, headers = {}, type, match, none, body, agent, target, described, via} = {}) {
    const lines = {...headers};
    if (as !== undefined) token = await this.token(as, scope);
    if (token !== undefined) lines.Authorization = `Bearer ${token}`;
    if (match !== undefined) lines['If-Match'] = match;
    if (none !== undefined) lines['If-None-Match'] = none;
    if (body !== undefined) {
      if (!Buffer.isBuffer(body) && typeof body !== 'string') body = JSON.stringify(body);
      if (type !== null) lines['Content-Type'] = type ?? (method === 'PATCH' ? MERGE : JSON_TYPE);
      lines['Content-Length'] = Buffer.byteLength(body);
    }
    return via ? via({method, path, headers: lines, body}) : request(target ?? {port: this.port}, {method, path, headers: lines, body, agent, described});
  }
  get(path, options) { return this.call('GET', path, options); }
  head(path, options) { return this.call('HEAD', path, options); }
  put(path, body, options) { return this.call('PUT', path, {...options, body}); }
  post(path, body, options) { return this.call('POST', path, {...options, body}); }
  patch(path, body, options) { return this.call('PATCH', path, {...options, body}); }
  delete(path, options) { return this.call('DELETE', path, options); }

  /** Makes a profile by the administrator; gives its owner's view. */
  async make(profile) {
    const answer = await this.post('/v1/profiles', profile, {as: 'admin'});
    assert.equal(answer.status, 201, answer.text);
    return (await this.get(`/v1/profiles/${profile.id}/full`, {as: 'admin'})).json;
  }
}

/**
 * Tests on one site, which is started before and stopped after them: define gets an object whose .site it is by the time
 * the tests run. prepare, when given, makes what all of them need.
 */
export function scenario(name, options, define, prepare = async () => {}) {
  describe(name, () => {
    const at = {};
    before(async () => {
      at.site = await Site.start(options);
      await prepare(at.site, at);
    });
    after(async () => {
      if (at.site) assert.deepEqual(await at.site.stop(), {code: 0, signal: null}, 'SIGTERM: the pool drains and exits 0');
    });
    define(at);
  });
}

/** An answer that is a problem document (RFC 9457) as the contract has them. */
export function assertProblem(answer, status) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.header('content-type'), 'application/problem+json');
  assert.match(answer.header('cache-control'), /no-store/);
  assert.equal(answer.header('x-content-type-options'), 'nosniff');
  const problem = answer.json;
  assert.match(problem.type, /^\/problems\.html#[a-z0-9-]+$/);
  assert.equal(typeof problem.title, 'string');
  assert.equal(problem.status, status);
  assert.equal(problem.instance, answer.header('x-request-id'));
  assert.match(problem.instance, /[0-9a-f]{32}/);
  return problem;
}

/** A 401 with its challenge (RFC 6750): with an error where a token was sent, without where none was. */
export function assertUnauthorized(answer, {error = 'invalid_token'} = {}) {
  assertProblem(answer, 401);
  const challenge = answer.all('www-authenticate');
  assert.equal(challenge.length, 1);
  assert.match(challenge[0], /^Bearer realm="profiled"/);
  if (error === null) assert.equal(challenge[0], 'Bearer realm="profiled"');
  else assert.match(challenge[0], new RegExp(`, error="${error}", error_description="[^"\\\\]+"`));
}
