// The program started in its other ways: as plain CGI, and as a FastCGI worker that a web server spawns on descriptor 0.
import assert from 'node:assert/strict';
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {freePort} from './lib/client.mjs';
import {alive, children, run, start, until} from './lib/process.mjs';
import {JSON_TYPE, MERGE, Site, binary} from './lib/site.mjs';

/** A site without a pool of its own; its configuration reaches the program by the environment. */
async function poolless(use) {
  const site = new Site();
  try {
    await site.prepare();
    await site.tryCli(['import', '-'], '{"id":"ann","handle":"ann","name":"Ann","email":"ann@example.org"}\n');
    await use(site);
  } finally {
    await site.stop();
  }
}

/** One CGI request (RFC 3875): {code, status, headers, body}. */
async function cgi(site, method, uri, {headers = {}, body = '', env = {}} = {}) {
  const [path, query = ''] = uri.split('?');
  const variables = {
    GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', SERVER_SOFTWARE: 'test', SERVER_NAME: 'localhost', SERVER_PORT: '80', REMOTE_ADDR: '127.0.0.1',
    REQUEST_METHOD: method, REQUEST_URI: uri, SCRIPT_NAME: '', PATH_INFO: path, QUERY_STRING: query, PROFILED_CONFIG: site.config, PATH: process.env.PATH,
    ...(body ? {CONTENT_LENGTH: String(Buffer.byteLength(body))} : {}),
  };
  for (const [name, value] of Object.entries(headers))
    variables[/^content-type$/i.test(name) ? 'CONTENT_TYPE' : `HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = value;
  for (const [name, value] of Object.entries(env)) if (value === undefined) delete variables[name]; else variables[name] = value;
  const how = await run(binary, [], {env: variables, input: body});
  const cut = how.out.indexOf('\r\n\r\n');
  const lines = how.out.slice(0, cut).split('\r\n');
  const fields = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  return {...how, status: Number((fields.status ?? '200').slice(0, 3)), headers: fields, body: how.out.slice(cut + 4)};
}

test('CGI: one request, and then it ends', () => poolless(async (site) => {
  const bearer = async (sub) => ({Authorization: `Bearer ${await site.token(sub)}`});
  const read = await cgi(site, 'GET', '/v1/profiles/ann', {headers: await bearer('bob')});
  assert.equal(read.code, 0, read.err);
  assert.equal(read.status, 200);
  assert.equal(read.headers['content-type'], JSON_TYPE);
  assert.equal(JSON.parse(read.body).name, 'Ann');
  const again = await cgi(site, 'GET', '/v1/profiles/ann', {headers: {...await bearer('bob'), 'If-None-Match': read.headers.etag}});
  assert.equal(again.status, 304);
  assert.equal(again.body, '');
  const write = await cgi(site, 'PATCH', '/v1/me', {headers: {...await bearer('ann'), 'If-Match': '*', 'Content-Type': MERGE}, body: '{"name":"By CGI"}'});
  assert.equal(write.status, 200, write.body);
  assert.equal(JSON.parse(write.body).name, 'By CGI');
  assert.equal((await cgi(site, 'GET', '/v1/me')).status, 401);
  assert.equal((await cgi(site, 'GET', '/v1/me?x=1', {headers: await bearer('ann')})).status, 400);
  assert.equal((await cgi(site, 'GET', '/nowhere', {headers: await bearer('ann')})).status, 404);
  assert.equal((await cgi(site, 'HEAD', '/v1/me', {headers: await bearer('ann')})).body, '');
  const long = await cgi(site, 'PUT', '/v1/me', {headers: {...await bearer('ann'), 'If-Match': '*', 'Content-Type': JSON_TYPE}, body: `{"handle":"ann","bio":"${'x'.repeat(100000)}"}`});
  assert.equal(long.status, 413);
  const cut = await cgi(site, 'PATCH', '/v1/me', {headers: {...await bearer('ann'), 'If-Match': '*', 'Content-Type': MERGE}, body: '{"name":"Cut"}', env: {CONTENT_LENGTH: '500'}});
  assert(cut.status >= 400 || cut.out === '', 'a body cut short is not taken for whole');
  assert.equal(JSON.parse((await cgi(site, 'GET', '/v1/me', {headers: await bearer('ann')})).body).name, 'By CGI');
}));

test('CGI: the path from SCRIPT_NAME and PATH_INFO where there is no REQUEST_URI; a mount is taken off', () => poolless(async (site) => {
  const headers = {Authorization: `Bearer ${await site.token('ann')}`};
  const bare = await cgi(site, 'GET', '/v1/me', {headers, env: {REQUEST_URI: undefined}});
  assert.equal(bare.status, 200, bare.out);
  const split = await cgi(site, 'GET', '/v1/me', {headers, env: {REQUEST_URI: undefined, SCRIPT_NAME: '/v1', PATH_INFO: '/me'}});
  assert.equal(split.status, 200, split.out);
  const mounted = await cgi(site, 'GET', '/people/v1/me', {headers, env: {PROFILED_SERVER_MOUNT: '/people'}});
  assert.equal(mounted.status, 200, mounted.out);
}));

test('CGI: a configuration that is wrong is a 5xx for the client and a line on stderr', () => poolless(async (site) => {
  const how = await cgi(site, 'GET', '/healthz', {env: {PROFILED_SERVER_WORKERS: 'many'}});
  assert(how.code !== 0 || how.status >= 500);
  assert.match(how.err, /PROFILED_SERVER_WORKERS/);
}));

const variables = (site) => `"PROFILED_CONFIG" => "${site.config}"`;

test('lighttpd starts the workers itself (bin-path, descriptor 0)', () => poolless(async (site) => {
  const backend = `"socket" => "${site.socket}", "bin-path" => "${binary}", "max-procs" => 2, "bin-environment" => (${variables(site)})`;
  // Each path of the configuration would be spawned workers of its own: one entry will do here.
  await site.startFront(backend);
  await until('an answer', async () => (await site.get('/v1/profiles/ann', {as: 'bob'})).status === 200);
  const workers = children(site.front.pid);
  assert(workers.length > 0);
  for (const pid of workers) assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), 'profiled');
  const tags = new Set();
  for (let i = 0; i < 20; i++) tags.add((await site.get('/v1/profiles/ann', {as: 'bob'})).etag);
  assert.equal(tags.size, 1);
  const write = await site.patch('/v1/me', {name: 'Spawned'}, {as: 'ann', match: [...tags][0]});
  assert.equal(write.status, 200, write.text);
  for (let i = 0; i < 8; i++) assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).json.name, 'Spawned');
  process.kill(workers[0], 'SIGTERM');
  await until('its end', () => !alive(workers[0]));
  await until('an answer', async () => (await site.get('/v1/profiles/ann', {as: 'bob'})).status === 200);
  await site.front.stop();
  await until('the workers to follow lighttpd', () => !workers.some(alive));
}));

test('lighttpd runs it as CGI (mod_cgi)', () => poolless(async (site) => {
  const htdocs = join(site.folder, 'www', 'v1');
  mkdirSync(htdocs, {recursive: true});
  const script = join(site.folder, 'www', 'v1', 'cgi');
  writeFileSync(script, `#!/bin/sh\nexec "${binary}"\n`);
  chmodSync(script, 0o755);
  site.port = await freePort();
  const conf = join(site.folder, 'cgi.conf');
  writeFileSync(conf, `server.modules = ("mod_cgi", "mod_setenv", "mod_alias")
server.document-root = "${join(site.folder, 'www')}"\nserver.bind = "127.0.0.1"\nserver.port = ${site.port}\nserver.errorlog = "${site.frontLog}"
server.upload-dirs = ("${site.folder}")\nsetenv.set-environment = (${variables(site)})
alias.url = ("/v1/" => "${script}/", "/healthz" => "${script}")\ncgi.assign = ("/cgi" => "")\n`);
  site.front = start(site.frontLog, 'lighttpd', ['-D', '-f', conf], {env: site.env});
  await until('lighttpd', () => site.get('/healthz').then((answer) => answer.status === 200, () => false));
  assert.equal((await site.get('/v1/me', {as: 'ann'})).json.name, 'Ann');
  const write = await site.patch('/v1/me', {name: 'Through CGI'}, {as: 'ann', match: '*'});
  assert.equal(write.status, 200, write.text);
  assert.equal((await site.get('/v1/profiles/@ann', {as: 'bob'})).json.name, 'Through CGI');
}));
