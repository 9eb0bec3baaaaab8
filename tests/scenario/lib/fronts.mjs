// The front servers, each started with the configuration that is shipped for it: the file's own first block is put away and this
// site's values stand in its place; the rest is used as it is. Servers run by themselves, on loopback, with all their files in a
// folder of the site's, and as nobody's root: where the tests run as root, all is www-data's.
import assert from 'node:assert/strict';
import {chownSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {freePort, request} from './client.mjs';
import {run, start, until} from './process.mjs';
import {Site, binary, isRoot, root} from './site.mjs';

const USER = 'www-data';
const MODULES = '/usr/lib/apache2/modules';
const BROTLI = '/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so';
const MARK = '# ---- what does not';

/** A file of conf/ behind its mark. */
export function shipped(file, {whole = false} = {}) {
  const text = readFileSync(join(root, 'conf', file), 'utf8');
  if (whole) return text;
  const cut = text.indexOf(MARK);
  assert(cut > 0, file);
  return text.slice(cut);
}
const lines = (object, form) => Object.entries(object).map(([k, v]) => form(k, v)).join('\n') + '\n';
const quoted = (value) => (typeof value === 'number' ? value : `"${value}"`);

/** A site whose files a web server that is not root can reach: program, pages and configurations are copied into its folder. */
export class FrontSite extends Site {
  async prepare(options = {}) {
    await super.prepare(isRoot ? {...options, settings: {...options.settings, server: {user: USER, ...options.settings?.server}}} : options);
    this.binary = join(this.folder, 'profiled');
    this.www = join(this.folder, 'www');
    cpSync(binary, this.binary);
    cpSync(join(root, 'www'), this.www, {recursive: true});
    cpSync(join(root, 'conf'), join(this.folder, 'conf'), {recursive: true});
    await this.give();
  }
  /** All of the folder to the one that the servers run as. */
  async give() {
    if (isRoot) assert.equal((await run('chown', ['-R', `${USER}:`, this.folder])).code, 0);
  }
}

/** Starts a program as the user that the servers run as, in a session of its own: Apache signals its whole process group. */
export function startAs(log, command, args, options) {
  const line = ['setpriv', '--pdeathsig', 'TERM', 'setsid', command, ...args];
  const who = isRoot ? ['setpriv', '--reuid', USER, '--regid', USER, '--init-groups', ...line] : line;
  return start(log, who[0], who.slice(1), options);
}

// ---- configurations

function lighttpd(at, {way, compress}) {
  const values = {bind: '127.0.0.1', port: at.port, user: '', www: at.site.www, socket: at.site.socket, log: at.log, upload: at.folder};
  const parts = [lines(values, (k, v) => `var.profiled_${k} = ${quoted(v)}`), shipped('lighttpd/profiled.conf')];
  if (way) {
    const more = {binary: at.site.binary, config: at.site.config, ...(way === 'bin-path' ? {spawn: join(at.folder, 'spawn')} : {})};
    parts.push(lines(more, (k, v) => `var.profiled_${k} = ${quoted(v)}`), shipped(`lighttpd/${way}.conf`));
  }
  if (compress) parts.push(shipped('lighttpd/compress.conf', {whole: true}));
  return {text: parts.join('\n'), command: 'lighttpd', args: (conf) => ['-D', '-f', conf]};
}

function apache(at, {way = 'profiled', reuse = 'off', compress, more = ''}) {
  const values = {bind: '127.0.0.1', port: at.port, user: isRoot ? USER : `#${process.getuid()}`, group: isRoot ? USER : `#${process.getgid()}`, www: at.site.www, log: at.log, run: at.folder,
    modules: MODULES, conf: join(at.site.folder, 'conf/apache'),
    ...(way === 'profiled' ? {socket: at.site.socket, reuse} : {binary: at.site.binary, config: at.site.config})};
  const text = lines(values, (k, v) => `Define profiled_${k} "${v}"`) + shipped(`apache/${way}.conf`) +
    (compress ? 'Include "${profiled_conf}/compress.conf"\n' : '') + more;
  return {text, command: 'apache2', args: (conf) => ['-DFOREGROUND', '-f', conf]};
}

function nginx(at, {keep = 'off', compress}) {
  const folder = at.folder;
  const top = `${compress && existsSync(BROTLI) ? `load_module ${BROTLI};` : ''}
daemon off;
pid ${folder}/nginx.pid;
error_log ${at.log} warn;
http {
upstream profiled { server unix:${at.site.socket} max_fails=0; keepalive 8; }
upstream profiled_changes { server unix:${at.site.socket}-changes max_fails=0; }
fastcgi_keep_conn ${keep};
${['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
server {
listen 127.0.0.1:${at.port} backlog=1024;
root ${at.site.www};
`;
  let rest = shipped('nginx/profiled.conf');
  if (compress) {
    let lines = shipped('nginx/compress.conf', {whole: true});
    if (existsSync(BROTLI)) lines = lines.replace(/^#(brotli)/gm, '$1');
    assert(rest.includes('gzip off;'));
    rest = rest.replace('gzip off;', () => lines);
  }
  return {text: top + rest, command: 'nginx', args: (conf) => ['-e', at.log, '-c', conf]};
}

// ---- shared caches

export function apacheCache(at, options) {
  mkdirSync(join(at.folder, 'cache'));
  return apache(at, {...options, more: 'Include "${profiled_conf}/cache.conf"\n'});
}

export function nginxCache(at, {origin}) {
  const top = `daemon off;
pid ${at.folder}/nginx.pid;
error_log ${at.log} warn;
http {
upstream origin { server 127.0.0.1:${origin}; }
proxy_cache_path ${at.folder}/cache keys_zone=profiled:1m use_temp_path=off;
${['client_body', 'fastcgi', 'proxy', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at.folder}/${name};`).join('\n')}
server {
listen 127.0.0.1:${at.port} backlog=1024;
`;
  return {text: top + shipped('nginx/cache.conf'), command: 'nginx', args: (conf) => ['-e', at.log, '-c', conf]};
}

export function squid(at, {origin}) {
  const top = `http_port 127.0.0.1:${at.port} accel defaultsite=profiles.example no-vhost
cache_peer 127.0.0.1 parent ${origin} 0 no-query no-digest originserver login=PASS name=profiled
pid_filename ${at.folder}/squid.pid
cache_log ${at.log}
coredump_dir ${at.folder}
`;
  return {text: top + shipped('squid/profiled.conf'), command: 'squid', args: (conf) => ['-N', '-n', `profiled${at.port}`, '-f', conf]};
}

/** What stands in front, by name; file: the configuration in conf/; head, address: how long a header and an address may be, if under 48 KB. */
export const fronts = [
  {name: 'lighttpd', file: 'lighttpd/profiled.conf', make: lighttpd, address: 15000, marks: ['br', 'gzip']},
  {name: 'lighttpd bin-path', file: 'lighttpd/bin-path.conf', make: lighttpd, way: 'bin-path', address: 15000, marks: ['br', 'gzip']},
  {name: 'lighttpd CGI', file: 'lighttpd/cgi.conf', make: lighttpd, way: 'cgi', marks: ['br', 'gzip']},
  {name: 'Apache proxy_fcgi', file: 'apache/profiled.conf', make: apache, head: 16000, address: 16000, marks: ['br', 'gzip']},
  {name: 'Apache reuse', file: 'apache/profiled.conf', make: apache, head: 16000, address: 16000, reuse: 'on', marks: ['br', 'gzip']},
  {name: 'Apache fcgid', file: 'apache/fcgid.conf', make: apache, way: 'fcgid', address: 27000, marks: ['br', 'gzip']},
  {name: 'Apache cgid', file: 'apache/cgid.conf', make: apache, way: 'cgid', marks: ['br', 'gzip']},
  {name: 'nginx', file: 'nginx/profiled.conf', make: nginx, marks: existsSync(BROTLI) ? ['br', 'gzip'] : ['gzip'], weak: true},
  {name: 'nginx keep-alive', file: 'nginx/profiled.conf', make: nginx, keep: 'on', marks: existsSync(BROTLI) ? ['br', 'gzip'] : ['gzip'], weak: true},
];

/** Starts one of them: {port, log, folder, process, stop()}. Options over the front's own, such as compress. */
export async function startFront(site, front, options = {}) {
  const folder = join(site.folder, `front-${(site.count = (site.count ?? 0) + 1)}`);
  mkdirSync(folder);
  const at = {site, folder, port: options.port ?? await freePort(), log: join(folder, 'error.log')};
  const {text, command, args} = (options.make ?? front.make)(at, {...front, ...options});
  const conf = join(folder, 'front.conf');
  writeFileSync(conf, text);
  await give(folder);
  at.process = startAs(join(folder, 'output'), command, args(conf), {env: {...site.env, PWD: folder}, cwd: folder});
  at.readLog = () => [at.log, join(folder, 'output')].map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : '')).join('').slice(-3000);
  try {
    await until(front.name, async () => {
      if (!at.process.running) throw new Error(`${front.name} ended at once: ${at.readLog()}`);
      return request({port: at.port}, {path: options.ready ?? '/healthz', ms: 5000}).then((answer) => answer.status === 200, () => false);
    });
  } catch (error) {
    await at.process.stop();
    throw new Error(`${error.message}\n${at.readLog()}`, {cause: error});
  }
  at.stop = async () => {
    await at.process.stop('SIGTERM', 10000);
  };
  return at;
}

async function give(folder) {
  if (isRoot) assert.equal((await run('chown', ['-R', `${USER}:`, folder])).code, 0);
}
