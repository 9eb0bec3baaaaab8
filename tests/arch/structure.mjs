// The plan of the house, held against the tree: who includes whom, which library is whose, the sizes, the README's tables.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const rooms = readdirSync(join(root, 'app'), {withFileTypes: true}).filter((e) => e.isDirectory() && e.name !== 'cmake')
  .map((e) => e.name).filter((name) => readdirSync(join(root, 'app', name)).some((f) => /\.[ch]$/.test(f)));
const folders = [...rooms.map((name) => [name, join('app', name)]), ['handlers', 'handlers']];
const sources = folders.flatMap(([room, folder]) => readdirSync(join(root, folder)).filter((f) => /\.[ch]$/.test(f))
  .map((f) => ({room, path: join(folder, f), text: read(join(folder, f))})));
const main = readdirSync(join(root, 'app')).filter((f) => /\.[ch]$/.test(f)).map((f) => ({room: 'main', path: join('app', f), text: read(join('app', f))}));

const below = {base: [], json: ['base'], crypto: ['base']};
below.image = ['base'];
below.thumbnail = ['base', 'image'];
for (const room of ['http', 'token', 'cache', 'config']) below[room] = ['base', 'json', 'crypto'];
below.profile = [...below.http, 'http'];
below.store = [...below.http, 'profile'];
below.edge = [...below.http, 'http', 'token', 'cache', 'config', 'store', 'profile'];
below.route = [...below.http, 'http', 'token', 'profile', 'store', 'cache'];
below.handlers = [...below.http, 'http', 'token', 'profile', 'store', 'cache', 'config', 'edge', 'image', 'thumbnail'];
below.fcgi = [...below.route, 'route'];
below.cli = [...below.handlers, 'pool'];
below.pool = ['base', 'config'];

test('a room includes only the rooms that the plan lets it', () => {
  const wrong = [];
  for (const {room, path, text} of sources)
    for (const [, other] of text.matchAll(/^\s*#\s*include\s+"([a-z]+)\//gm))
      if (other !== room && folders.some(([name]) => name === other) && !below[room]?.includes(other)) wrong.push(`${path} includes ${other}`);
  assert.deepEqual(wrong, []);
  assert(sources.length > 80, 'the tree was read');
});

test('a library is used by one room', () => {
  // libcurl by two: the edge sends purges, the doctor asks as a client would, and they have nothing in common
  const owners = {'sodium.h': 'crypto', 'sqlite3.h': 'store', 'fcgiapp.h': 'fcgi', 'ini.h': 'config', 'utf8proc.h': 'profile', 'curl/curl.h': ['edge', 'cli'], 'gd.h': 'thumbnail'};
  for (const {room, path, text} of [...sources, ...main])
    for (const [, header] of text.matchAll(/^\s*#\s*include\s+<([a-z0-9_/]+\.h)>/gm))
      if (owners[header]) assert([owners[header]].flat().includes(room), `${path} includes ${header}`);
});

test('files are of a size to be read, and headers say what they are for', () => {
  for (const {path, text} of [...sources, ...main]) {
    assert(text.split('\n').length <= 450, `${path} is too long: is it two things?`);
    if (path.endsWith('.h')) assert.match(text, /^\/\*/, `${path} does not open with a word on what it is for`);
  }
});

test('no exit() below main', () => {
  for (const {path, text} of sources) assert.doesNotMatch(text.replace(/\/\*[\s\S]*?\*\//g, ''), /[^_a-z]exit\(/, path);
});

test('README: the map of the rooms names each of them, and nothing that is not there', () => {
  const map = read('README.md').split('## The rooms')[1].split('\n### ')[0];
  for (const [, folder] of folders) assert(map.includes(`\`${folder}`), `${folder} is not in the map`);
  for (const [, folder] of map.matchAll(/`(app\/[a-z]+|handlers|schema|www|conf|tests)\/?`/g)) assert(existsSync(join(root, folder)), `${folder} is in the map and not in the tree`);
});

test('README: a row for each route and a route for each row', () => {
  const routes = new Map();
  for (const [, pattern, methods] of read('app/service.c').matchAll(/\{"(\/[^"]+)",\s*([A-Z_| \n]+?),/g)) {
    const names = methods.replaceAll('HTTP_', '').replace('READ', 'GET | HEAD').split('|').map((m) => m.trim());
    routes.set(pattern, new Set([...(routes.get(pattern) ?? []), ...names]));
  }
  assert(routes.size > 5);
  const rows = new Map();
  for (const [, pattern, methods] of read('README.md').matchAll(/^\| `(\/[^`]+)` \| ([A-Z ]+) \|/gm))
    rows.set(pattern, new Set([...(rows.get(pattern) ?? []), ...methods.trim().split(' ')]));
  const sorted = (map) => [...map].map(([pattern, methods]) => `${pattern} ${[...methods].sort().join(' ')}`).sort();
  assert.deepEqual(sorted(rows), sorted(routes));
});

test('nothing in the tree names a registry, or a path of one machine', () => {
  const files = execFileSync('git', ['-c', 'safe.directory=*', '-C', root, 'ls-files', '-z'], {encoding: 'utf8'}).split('\0').filter(Boolean);
  for (const file of files.filter((f) => existsSync(join(root, f)) && f !== 'tests/arch/structure.mjs'))
    assert.doesNotMatch(readFileSync(join(root, file), 'latin1'), /registry\.npmjs|deb\.debian\.org|\/work\/|\/root\//, file);
});
