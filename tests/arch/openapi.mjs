// schema/openapi.json held against the program's own tables: routes, scopes, problems, fields, what pages may send and read.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const text = read('schema/openapi.json');
const api = JSON.parse(text);
const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options'];
const operations = Object.entries(api.paths).flatMap(([path, item]) => METHODS.filter((m) => item[m]).map((method) => ({path, item, method, ...item[method]})));
const resolve = (node) => (node.$ref ? node.$ref.slice(2).split('/').reduce((at, name) => at[name], api) : node);

/** The rows of the route table: {pattern, methods, scope}. A row for requests with some parameter belongs to the same address. */
function routes() {
  const rows = [...read('app/service.c').matchAll(/\{"(\/[^"]+)",\s*([A-Z_| \n]+?),\s*([A-Z_]+|0),/g)].map(([, pattern, methods, scope]) => ({pattern: pattern.split('?')[0], scope,
    methods: methods.replaceAll('HTTP_', '').replace('READ', 'GET | HEAD').split('|').map((m) => m.trim().toLowerCase())}));
  assert(rows.length > 10, 'the table was read');
  return rows;
}

test('each route is described, with its methods, and nothing else is', () => {
  const there = routes().flatMap(({pattern, methods}) => methods.map((m) => `${pattern} ${m}`));
  for (const {pattern} of routes()) there.push(`${pattern} options`);
  assert.deepEqual(operations.map(({path, method}) => `${path} ${method}`).sort(), [...new Set(there)].sort());
  for (const item of Object.values(api.paths)) assert.deepEqual(Object.keys(item).filter((k) => k !== 'parameters' && !METHODS.includes(k)), []);
});

test('the scope of each operation is its route\'s', () => {
  const names = {TOKEN_SCOPE_READ: 'profile:read', TOKEN_SCOPE_LIST: 'profile:list', TOKEN_SCOPE_WRITE: 'profile:write', TOKEN_SCOPE_ADMIN: 'profile:admin', TOKEN_SCOPE_METRICS: 'metrics:read'};
  for (const {pattern, methods, scope} of routes())
    for (const method of methods) {
      const operation = api.paths[pattern][method];
      const open = scope === '0';
      assert.deepEqual(operation.security, open ? [] : [{bearer: []}], `${pattern} ${method}`);
      // a row may leave it to the handler, which has several
      if (!open) assert(operation['x-scopes'].includes(names[scope]), `${pattern} ${method}: ${operation['x-scopes']}, but ${names[scope]}`);
      assert.equal(operation.responses[401] !== undefined, !open, `${pattern} ${method}`);
      assert.equal(operation.responses[403] !== undefined, !open, `${pattern} ${method}`);
    }
  const told = api.components.securitySchemes.bearer.description;
  for (const scope of new Set(operations.flatMap((o) => o['x-scopes'] ?? []))) assert(told.includes(`\`${scope}\``), scope);
});

test('operations have ids of their own, a tag that is explained, and words', () => {
  const ids = operations.map((o) => o.operationId);
  assert.equal(new Set(ids).size, ids.length);
  const tags = api.tags.map((t) => t.name);
  for (const {path, method, item, ...o} of operations) {
    const name = `${method} ${path}`;
    assert.match(o.operationId, /^[a-z][A-Za-z]+$/, name);
    assert(o.tags.length === 1 && tags.includes(o.tags[0]), name);
    assert(o.summary && o.description, name);
    const inPath = [...(item.parameters ?? []), ...(o.parameters ?? [])].map(resolve).filter((p) => p.in === 'path').map((p) => p.name);
    assert.deepEqual(inPath, [...path.matchAll(/\{([a-z]+)\}/g)].map(([, p]) => p), name);
    assert(Object.keys(o.responses).some((s) => /^2/.test(s)) && o.responses[400], name);
  }
  for (const tag of tags) assert(operations.some((o) => o.tags.includes(tag)), tag);
});

test('each problem is described with its words, and stands on its page', () => {
  const rows = [...read('app/http/problem.h').matchAll(/X\((\w+), "([a-z0-9-]+)", (\d+), (\d+),\s*(?:\\\s*)?"([^"]+)"\)/g)]
    .map(([, , slug, status, retry, title]) => ({type: `/problems.html#${slug}`, slug, status: Number(status), retry: Number(retry), title}));
  assert(rows.length > 25, 'the table was read');
  const {enum: types} = api.components.schemas.Problem.properties.type;
  assert.deepEqual([...types].sort(), rows.map((r) => r.type).sort());
  const responses = Object.values(api.components.responses);
  const shown = [...api.components.schemas.Problem.examples.map((value) => ({value})),
    ...responses.flatMap((response) => Object.values(response.content?.['application/problem+json']?.examples ?? {}).map(({value}) => ({value, response})))];
  const page = read('www/problems.html');
  for (const row of rows) {
    const mine = shown.filter(({value}) => value.type === row.type);
    assert(mine.length > 0, `${row.slug} is nowhere`);
    for (const {value, response} of mine) {
      assert.equal(value.title, row.title);
      assert.equal(value.status, row.status);
      if (row.retry > 0) assert(response.headers['Retry-After'], row.slug);
    }
    assert(page.includes(`id="${row.slug}"`), `www/problems.html has no ${row.slug}`);
  }
  // A response that may be a problem may be just those that it shows.
  for (const response of responses.filter((r) => r.content?.['application/problem+json'])) {
    const {schema, examples} = response.content['application/problem+json'];
    assert.deepEqual(schema.allOf[1].properties.type.enum, Object.values(examples).map(({value}) => value.type));
  }
});

test('each field of a profile is described, with its length, in the order of the views', () => {
  const rows = [...read('app/profile/field.h').matchAll(/^ {4}X\((\w+), ([A-Z]+), (\d+), ([01])\)/gm)].map(([, name, kind, max, hidden]) => ({name, kind, max: Number(max), hidden: hidden === '1'}));
  assert(rows.length >= 16, 'the table was read');
  const {PublicProfile, OwnerProfile, ProfileWrite, Visibility} = api.components.schemas;
  const names = rows.map((r) => r.name), stamps = ['version', 'created_at', 'updated_at'];
  assert.deepEqual(Object.keys(PublicProfile.properties), ['id', 'handle', ...names, ...stamps]);
  assert.deepEqual(Object.keys(OwnerProfile.properties), ['id', 'handle', ...names, 'visibility', 'state', ...stamps]);
  assert.deepEqual(Object.keys(ProfileWrite.properties), ['id', 'handle', ...names, 'visibility', 'state', ...stamps]);
  assert.deepEqual(Object.keys(Visibility.properties), names);
  for (const schema of [PublicProfile, OwnerProfile, ProfileWrite, Visibility]) assert.equal(schema.additionalProperties, false);
  for (const {name, kind, max, hidden} of rows) {
    const schema = resolve(PublicProfile.properties[name]);
    if (['FLAG', 'STRINGS', 'FREE'].includes(kind)) assert.equal(schema.type, kind === 'FLAG' ? 'boolean' : 'object', name);
    else assert.deepEqual([schema.type, schema.maxLength], ['string', max], name);
    if (kind === 'STRINGS') assert.equal(schema.additionalProperties.maxLength, max, name);
    assert.equal(/Starts private/.test(schema.description), hidden, name);
  }
});

test('pages may send what is a parameter, and may read lines that there are', () => {
  const words = (name) => read('app/http/cors.c').match(new RegExp(`#define ${name}[\\s\\\\]+((?:"[^"]*"[\\s\\\\]*)+)`))[1].match(/[A-Za-z][A-Za-z-]+/g);
  const sendable = words('SENDABLE'), given = new Set(Object.values(api.components.responses).flatMap((r) => Object.keys(r.headers ?? {})));
  for (const operation of operations.filter(({method}) => method !== 'options'))
    for (const p of (operation.parameters ?? []).map(resolve).filter((each) => each.in === 'header')) assert(sendable.includes(p.name), `${operation.operationId}: ${p.name}`);
  // Age is what a cache in front adds
  for (const name of words('EXPOSED').filter((n) => n !== 'Age')) assert(given.has(name), `${name} is a line of no answer`);
});

test('the place where the program puts its mount is there, once', () => {
  const [, marker] = read('app/documents.c').match(/#define SERVER ("(?:[^"\\]|\\.)*")/);
  assert.equal(text.split(JSON.parse(marker)).length, 2);
  assert.equal(api.openapi.slice(0, 4), '3.1.');
  assert.equal(api.servers[0].url, '/');
  assert.equal(api.info.version, read('CMakeLists.txt').match(/project\(profiled VERSION ([0-9.]+)/)[1]);
});
