// The API's description: how it is served, what the usual linters say of it, the types that clients get out of it; and that what
// judges every other scenario's answers by it does find what is wrong.
import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {test} from 'node:test';
import {pathToFileURL} from 'node:url';
import {Answer} from './lib/client.mjs';
import {METHODS, description, faultsOf, file, template} from './lib/openapi.mjs';
import {run} from './lib/process.mjs';
import {Site, assertProblem, binary, root, scenario} from './lib/site.mjs';

const lint = join(root, 'tests/scenario/lint/');
const require = createRequire(pathToFileURL(lint));
const text = readFileSync(file, 'utf8');

scenario('the description is served', {settings: {server: {workers: 3}, http: {cors_origins: 'https://app.example'}}}, (at) => {
  test('byte for byte, to anybody, to be kept for five minutes', async () => {
    const answer = await at.site.get('/openapi.json', {headers: {Origin: 'https://app.example'}});
    assert.equal(answer.status, 200);
    assert.equal(answer.text, text);
    assert.equal(answer.header('content-type'), 'application/json');
    assert.equal(answer.header('cache-control'), 'public, max-age=300');
    assert.equal(answer.header('x-content-type-options'), 'nosniff');
    assert.equal(answer.header('access-control-allow-origin'), 'https://app.example');
    assert.match(answer.etag, /^"[0-9a-f]{32}"$/);
    assert(Date.parse(answer.header('last-modified')) <= Date.now());
    assert.equal(answer.header('x-request-id'), undefined);
    const head = await at.site.head('/openapi.json');
    assert.equal(head.body.length, 0);
    assert.equal(head.etag, answer.etag);
  });

  test('conditions', async () => {
    const first = await at.site.get('/openapi.json');
    for (const options of [{none: first.etag}, {none: `"x", W/${first.etag}`}, {none: '*'}, {none: first.etag.replace(/"$/, '-gzip"')}, {headers: {'If-Modified-Since': first.header('last-modified')}}]) {
      const again = await at.site.get('/openapi.json', options);
      assert.equal(again.status, 304, JSON.stringify(options));
      assert.equal(again.body.length, 0);
      for (const name of ['etag', 'last-modified', 'cache-control']) assert.equal(again.header(name), first.header(name), name);
    }
    assert.equal((await at.site.get('/openapi.json', {none: '"x"'})).status, 200);
    assertProblem(await at.site.get('/openapi.json', {match: '"x"'}), 412);
    assertProblem(await at.site.get('/openapi.json?v=1'), 400);
    assertProblem(await at.site.put('/openapi.json', {}, {as: 'admin'}), 405);
    assert.equal((await at.site.call('OPTIONS', '/openapi.json')).header('allow'), 'GET, HEAD, OPTIONS');
  });

  test('every process gives the same tag and date, after a reload too', async () => {
    const ask = async () => {
      const {etag, rawHeaders} = await at.site.get('/openapi.json');
      return `${etag} ${rawHeaders[rawHeaders.indexOf('Last-Modified') + 1]}`;
    };
    const all = await Promise.all(Array.from({length: 24}, ask));
    await at.site.reload();
    all.push(await ask());
    const variables = {GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_METHOD: 'GET', REQUEST_URI: '/openapi.json', SCRIPT_NAME: '',
      PATH_INFO: '/openapi.json', QUERY_STRING: '', PROFILED_CONFIG: at.site.config, PATH: process.env.PATH};
    const cgi = await run(binary, [], {env: variables});
    all.push(`${cgi.out.match(/^ETag: (.*?)\r?$/m)[1]} ${cgi.out.match(/^Last-Modified: (.*?)\r?$/m)[1]}`);
    assert.deepEqual([...new Set(all)].length, 1, all.join('\n'));
  });
});

test('under a mount the description names it as its server, and has another tag', async () => {
  const tags = [];
  for (const mount of ['', '/people', '/a/b']) {
    const site = await Site.start({settings: {server: {mount}}, front: false});
    try {
      // lighttpd sends but its own addresses to the pool: a CGI process stands for any front
      const variables = {GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1', REQUEST_METHOD: 'GET', REQUEST_URI: `${mount}/openapi.json`, SCRIPT_NAME: '',
        PATH_INFO: `${mount}/openapi.json`, QUERY_STRING: '', PROFILED_CONFIG: site.config, PATH: process.env.PATH};
      const {out} = await run(binary, [], {env: variables});
      const [head, ...rest] = out.split('\r\n\r\n');
      const got = JSON.parse(rest.join('\r\n\r\n'));
      assert.equal(got.servers[0].url, mount || '/');
      assert.deepEqual({...got, servers: []}, {...description(), servers: []});
      tags.push(head.match(/^ETag: (.*)$/m)[1]);
    } finally {
      await site.stop();
    }
  }
  assert.equal(new Set(tags).size, 3);
});

test('Spectral has nothing to say against it, by its recommended rules', async () => {
  const {Spectral} = require('@stoplight/spectral-core'), {oas} = require('@stoplight/spectral-rulesets');
  const judge = async (document) => {
    const spectral = new Spectral();
    spectral.setRuleset({extends: [[oas, 'recommended']]});
    return (await spectral.run(document)).map(({severity, code, path, message}) => `${severity} ${code} ${path.join('.')}: ${message}`);
  };
  assert.deepEqual(await judge(text), []);
  const spoilt = {openapi: '3.1.0', info: {title: 'x', version: '1'}, paths: {'/x': {get: {responses: {}}}}};
  assert((await judge(JSON.stringify(spoilt))).length >= 5, 'it would say so');
});

test('nor has Redocly', async () => {
  const {createConfig, lintFromString} = require('@redocly/openapi-core');
  const config = await createConfig({extends: ['recommended']});
  const judge = async (source) => (await lintFromString({source, absoluteRef: file, config})).map(({severity, ruleId, location, message}) => `${severity} ${ruleId} ${location[0]?.pointer}: ${message}`);
  assert.deepEqual(await judge(text), []);
  assert((await judge(text.replace('"operationId": "getMe"', '"operationId": "getProfile"'))).length >= 1, 'it would say so');
});

test('openapi-typescript makes types of it, and a program that uses them compiles', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'profiled-types-'));
  const node = (script, ...args) => run(process.execPath, [join(lint, 'node_modules', script), ...args], {env: process.env});
  const tsc = (...files) => node('typescript/bin/tsc', '--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--lib', 'es2022', ...files);
  try {
    const made = await node('openapi-typescript/bin/cli.js', file, '-o', join(folder, 'api.d.ts'));
    assert.equal(made.code, 0, made.out + made.err);
    const program = `import type {components, operations, paths} from './api';
type Answer = paths['/v1/profiles/{id}']['get']['responses'][200]['content']['application/json'];
type Problem = operations['putMe']['responses'][422]['content']['application/problem+json'];
const ada: Answer = {id: 'ada', handle: 'ada', version: 1, created_at: '2026-11-26T02:10:57.210Z', updated_at: '2026-11-26T02:10:57.210Z', locale: 'en-GB'};
export function name(p: Answer): string { return p.name ?? p.id; }
export function faults(p: Problem): string[] { return (p.errors ?? []).map(({pointer, detail}) => pointer + ': ' + detail); }
export const put: operations['putMe']['requestBody']['content']['application/json'] = {handle: 'ada', visibility: {bio: 'private'}};
export const who = name(ada);
`;
    writeFileSync(join(folder, 'good.ts'), program);
    const good = await tsc(join(folder, 'good.ts'));
    assert.equal(good.code, 0, good.out);
    writeFileSync(join(folder, 'bad.ts'), program.replace("bio: 'private'", "bio: 'secret'").replace('version: 1', "version: '1'"));
    const bad = await tsc(join(folder, 'bad.ts'));
    assert.equal(bad.out.match(/error TS2322/g)?.length, 2, bad.out);
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
});

test('an address is found in it as the router finds it', () => {
  for (const [address, path] of [['/v1/me', '/v1/me'], ['/v1/me?x=1', '/v1/me'], ['/v1/profiles/a', '/v1/profiles/{id}'], ['/v1/profiles/%40Ada', '/v1/profiles/@{handle}'], ['/v1/profiles/a%2Fb', '/v1/profiles/{id}'],
    ['/v1/profiles/a/full', '/v1/profiles/{id}/full'], ['/v1/profiles/', undefined], ['/v1/profiles/a/', undefined], ['/v1', undefined], ['/v1/%ZZ', undefined], ['/', undefined]])
    assert.equal(template(address), path, address);
  assert(Object.values(description().paths).every((item) => METHODS.some((m) => item[m])));
});

test('what is not as it says is found', () => {
  const lines = {'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff'};
  const view = {id: 'ada', handle: 'ada', version: 1, created_at: '2026-11-26T02:10:57.210Z', updated_at: '2026-11-26T02:10:57.210Z'};
  const viewLines = {...lines, 'Cache-Control': 'public, no-cache, must-revalidate', ETag: '"a"', 'Last-Modified': 'Thu, 26 Nov 2026 02:10:57 GMT', 'Cache-Status': 'profiled; hit'};
  const faults = (path, status, more, body, method = 'GET') => faultsOf({method, path}, new Answer(status, Object.entries(more).flat(), Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))));
  assert.deepEqual(faults('/healthz', 200, lines, {status: 'alive'}), []);
  assert.deepEqual(faults('/v1/profiles/ada', 200, viewLines, view), []);
  for (const [what, list] of Object.entries({
    'a status that is not described': faults('/healthz', 201, lines, {status: 'alive'}),
    'a body that is another': faults('/healthz', 200, lines, {status: 'dead'}),
    'a member too many': faults('/v1/profiles/ada', 200, viewLines, {...view, visibility: {}}),
    'a member too few': faults('/v1/profiles/ada', 200, viewLines, {...view, handle: undefined}),
    'a private member\'s shape': faults('/v1/profiles/ada', 200, viewLines, {...view, email: 'nobody'}),
    'a time without milliseconds': faults('/v1/profiles/ada', 200, viewLines, {...view, created_at: '2026-11-26T02:10:57Z'}),
    'a line that is missing': faults('/v1/profiles/ada', 200, Object.fromEntries(Object.entries(viewLines).filter(([n]) => n !== 'ETag')), view),
    'a line that is not described': faults('/healthz', 200, {...lines, 'X-Powered-By': 'y'}, {status: 'alive'}),
    'a line of another form': faults('/v1/profiles/ada', 200, {...viewLines, ETag: 'a'}, view),
    'another media type': faults('/healthz', 200, {...lines, 'Content-Type': 'text/html'}, {status: 'alive'}),
    'no JSON': faults('/healthz', 200, lines, '{"status":"alive"'),
    'a body of a HEAD': faults('/healthz', 200, lines, {status: 'alive'}, 'HEAD'),
    'a body of a 304': faults('/v1/profiles/ada', 304, viewLines, view),
    'a problem of another status': faults('/v1/me', 401, {...lines, 'Content-Type': 'application/problem+json', 'X-Request-Id': '0'.repeat(32), 'WWW-Authenticate': 'Bearer realm="profiled"'}, {type: '/problems.html#no-such-profile', title: 'x', status: 401}),
    'methods that are not described': faults('/v1/me', 405, {...lines, 'Content-Type': 'application/problem+json', Allow: 'GET, HEAD'}, {type: '/problems.html#method-not-allowed', title: 'x', status: 405}, 'POST'),
  })) assert.equal(list.length, 1, `${what}: ${list.join(' | ')}`);
});
