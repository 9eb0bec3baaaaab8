// The list and the search at a million profiles: what a page costs a worker, wherever it lies, and what the pool holds in memory after
// it. All times are CPU of the one worker that answers (/proc/PID/schedstat), so that a busy machine does not matter much.
// usage: node tests/bench/list.mjs [PROFILES [DATABASE]]: a database with just these people, imported before, spares the import.
import {copyFileSync, createWriteStream, readFileSync, statSync} from 'node:fs';
import {once} from 'node:events';
import {join} from 'node:path';
import {straight} from '../scenario/lib/fastcgi.mjs';
import {people, person, random} from '../scenario/lib/people.mjs';
import {children} from '../scenario/lib/process.mjs';
import {LIST, Site} from '../scenario/lib/site.mjs';

const count = Number(process.argv[2] ?? 1000000);
const ROUNDS = Number(process.env.ROUNDS ?? 400), PAGES = Number(process.env.PAGES ?? Infinity); // fewer, for a quick look
const PREFIX = 'prefix lengths 2 to 8 of names';
const sorted = (list) => [...list].sort((a, b) => a - b);
const at = (list, part) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * part))];
const query = (parameters) => `/v1/profiles?${new URLSearchParams(parameters)}`;
const cpuMs = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
const pss = (pid) => Number(/^Pss: +(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]);

const site = await Site.start({front: false, settings: {server: {workers: 1, max_requests: 0}, cache: {size: '64M'}}});
const via = straight(site.socket), lister = {as: 'lister', scope: LIST, via};
const timed = async (path) => {
  const [pid] = site.workers(), before = cpuMs(pid);
  const answer = await site.get(path, lister);
  if (answer.status !== 200) throw new Error(`${path}: ${answer.text}`);
  await new Promise((done) => setImmediate(done));
  return {ms: cpuMs(pid) - before, page: answer.json};
};
const print = (name, times) => console.log(`${name.padEnd(44)} p50 ${at(times, 0.5).toFixed(2)}  p99 ${at(times, 0.99).toFixed(2)}  max ${at(times, 1).toFixed(2)} ms`);

async function fill() {
  if (process.argv[3]) {
    await site.pool.stop();
    for (const end of ['', '-wal']) copyFileSync(`${process.argv[3]}${end}`, `${site.database}${end}`);
    await site.startPool();
    return;
  }
  const file = join(site.folder, 'people.jsonl'), out = createWriteStream(file);
  for (const piece of people(count, {bio: 'Likes long walks and short queries.', email: 'someone@mail.example'})) if (!out.write(piece)) await once(out, 'drain');
  await new Promise((done) => out.end(done));
  const begun = Date.now();
  console.log((await site.cli('import', file)).trim());
  console.log(`import: ${Math.round(count / (Date.now() - begun) * 1000)} a second (by the clock); database ${Math.round(statSync(site.database).size / 2 ** 20)} MiB`);
}

try {
  await fill();
  await site.get('/healthz', {via}); // answered by a worker: what the pool tried at its start is over
  // the list: the first page, then on and on to the last one
  const cursors = [undefined];
  for (let after; ;) {
    const {page} = await timed(query({limit: 100, ...(after && {after})}));
    if (!(after = page.next) || cursors.length === PAGES) break;
    cursors.push(after);
  }
  const times = new Map();
  for (let round = 0; round < ROUNDS / 2; round++)
    for (const [name, i] of [['first', 0], ['at a fifth', Math.min(cursors.length, 10000) / 5], ['last', cursors.length - 2]]) {
      const after = cursors[Math.max(0, Math.floor(i))];
      times.set(name, [...(times.get(name) ?? []), (await timed(query({limit: 20, ...(after && {after})}))).ms]);
    }
  for (const [name, list] of times) print(`list, ${name} page of 20`, list);
  const first = at(times.get('first'), 0.5);
  console.log(`deep against first: ${(at(times.get('at a fifth'), 0.5) / first).toFixed(2)}, last against first: ${(at(times.get('last'), 0.5) / first).toFixed(2)} (at most 1.20)`);

  const r = random(4711), words = [];
  while (words.length < 3000) words.push(...person(Math.floor(r() * count)).name.toLowerCase().split(' ').filter((word) => /^\p{L}{2,}$/u.test(word)));
  const common = [...words.reduce((m, word) => m.set(word, (m.get(word) ?? 0) + 1), new Map())].sort((a, b) => b[1] - a[1]).slice(0, 30).map(([word]) => word);
  const draw = (list) => list[Math.floor(r() * list.length)], cut = (word, n) => [...word].slice(0, n).join('');
  const kinds = {
    [`search, ${PREFIX}`]: () => cut(draw(words), 2 + Math.floor(r() * 7)),
    'search, two characters of common names': () => cut(draw(common), 2),
    'search, whole words': () => draw(words),
    'search, whole common words': () => draw(common),
    'search, two words of two characters': () => `${cut(draw(words), 2)} ${cut(draw(words), 2)}`,
    'search, two common words': () => `${draw(common)} ${draw(common)}`,
    'search, a name': () => person(Math.floor(r() * count)).name,
    'search, a beginning of a handle': () => cut(person(Math.floor(r() * count)).handle, 2 + Math.floor(r() * 12)).replace(/_.?$/, ''),
  };
  for (const [name, make] of Object.entries(kinds)) {
    const all = [], deep = [];
    for (let i = 0; i < ROUNDS; i++) {
      const q = make();
      if (!q.split(' ').some((word) => [...word].length > 1) || [...q].length > 200) continue;
      let {ms, page} = await timed(query({q}));
      all.push(ms);
      for (let pages = 0; page.next && pages < 5; pages++) {
        ({ms, page} = await timed(query({q, after: page.next})));
        deep.push(ms);
      }
    }
    print(name, all);
    if (deep.length) print(`${' '.repeat(8)}further pages`, deep);
  }

  // what stays in memory, with four workers that have all read much
  site.settings.server.workers = 4;
  site.writeConfig();
  await site.reload();
  for (let i = 0; i < ROUNDS; i++) await Promise.all(Array.from({length: 4}, () => site.get(i % 2 ? query({q: cut(draw(words), 3)}) : query({limit: 100, after: draw(cursors.slice(1))}), lister)));
  const pids = [site.pool.pid, ...children(site.pool.pid)];
  console.log(`memory of the pool: ${Math.round(pids.reduce((sum, pid) => sum + pss(pid), 0) / 1024)} MiB PSS of ${pids.length} processes (at most 64 + 40)`);

  // erasure: one profile's words out of the whole index
  const {id} = person(count >> 1);
  const before = site.workers().reduce((sum, pid) => sum + cpuMs(pid), 0), from = Date.now();
  await site.delete(`/v1/profiles/${id}`, {as: 'admin', match: '*', via});
  const {execFileSync} = await import('node:child_process');
  const open = () => execFileSync('sqlite3', [site.database, '.timeout 5000', 'SELECT wanted, segment FROM search_erasure'], {encoding: 'utf8'}).trim() !== '0|0';
  while (open()) await new Promise((done) => setTimeout(done, 200));
  console.log(`erasure: ${((Date.now() - from) / 1000).toFixed(1)} s, ${Math.round(site.workers().reduce((sum, pid) => sum + cpuMs(pid), 0) - before)} ms of CPU`);
} catch (error) {
  console.error(site.readLog().split('\n').slice(-6).join('\n'));
  throw error;
} finally {
  await site.stop();
}
