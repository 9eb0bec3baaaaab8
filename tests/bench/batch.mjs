// What a batch of 100 profiles costs, all of them in the cache, beside one single cached GET of the same profiles: CPU that the front server and the
// workers took for a request, by the kernel's account, asked in turns in one run. Also a batch of 100 that has not changed (304), one of which only parts are
// asked for, and a query by the tags (POST /v1/profiles/query). Through lighttpd, a token that is remembered. The bar: a batch at most 6 times a single.
// usage: node tests/bench/batch.mjs [ROUNDS] [SECONDS]        needs wrk, and build/profiled
import {execFile} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Site, READ} from '../scenario/lib/site.mjs';

const [rounds = 5, seconds = 2] = process.argv.slice(2).map(Number);
const PROFILES = 1000, MANY = 100, BAR = 6;
const wrk = promisify(execFile);

const ticks = (pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, n) => sum + Number(n), 0);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const group = (from) => Array.from({length: MANY}, (_, i) => `user-${(from + i * 7) % PROFILES}`);

const site = await Site.start({settings: {server: {workers: 2, max_requests: 0}, cache: {size: '64M'}, log: {level: 'warn'}}});
try {
  const lines = Array.from({length: PROFILES}, (_, i) => JSON.stringify({id: `user-${i}`, handle: `u${i}`, name: `Given${i} Family`, given_name: `Given${i}`,
    family_name: 'Family', website: `https://u${i}.example/`, locale: 'de-DE', zoneinfo: 'Europe/Berlin', bio: 'x'.repeat(280),
    attributes: {level: i % 60, team: 'blue', games: ['chess', 'go'], about: 'y'.repeat(120)}}));
  writeFileSync(join(site.folder, 'profiles'), lines.join('\n'));
  await site.cli('import', join(site.folder, 'profiles'));
  const token = await site.mint('reader', READ);
  // each kind as the requests that wrk goes through in turn: address, headers, body
  const single = [], batch = [], again = [], part = [], query = [];
  for (let from = 0; from < PROFILES; from += 25) {
    const ids = group(from), path = `/v1/profiles?${ids.map((id) => `id=${id}`).join('&')}`;
    const whole = await site.get(path, {token}), asked = await site.post('/v1/profiles/query', {ids: Object.fromEntries(ids.map((id) => [id, null]))}, {token});
    if (whole.status !== 200 || whole.json.profiles.length !== MANY || asked.status !== 200) throw new Error(whole.text);
    single.push({path: `/v1/profiles/user-${from}`});
    batch.push({path, bytes: whole.body.length});
    again.push({path, none: whole.etag});
    part.push({path: `${path}&fields=name,picture`});
    query.push({path: '/v1/profiles/query', body: JSON.stringify({ids: asked.json.etags})});
  }
  const quote = (text) => `[==[${text}]==]`;
  const script = (requests) => `
local all, n = {}, 0
function init(args)
  all = {${requests.map(({path, none, body}) => `wrk.format(${body ? '"POST"' : '"GET"'}, ${quote(path)}, {Authorization = "Bearer ${token}"${none ? `, ["If-None-Match"] = ${quote(none)}` : ''}${body ? ', ["Content-Type"] = "application/json"' : ''}}${body ? `, ${quote(body)}` : ''})`).join(',\n')}}
end
function request() n = n % #all + 1; return all[n] end
function done(summary) io.write(string.format("RESULT %d %d\\n", summary.requests, summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout)) end
`;
  const kinds = [['one profile', single], ['batch of 100', batch], ['batch of 100, 304', again], ['batch of 100, two fields', part], ['query of 100, none changed', query]]
    .map(([name, requests], i) => {
      const file = join(site.folder, `${i}.lua`);
      writeFileSync(file, script(requests));
      return {name, file, cpu: [], bytes: requests[0].bytes};
    });
  const pids = [site.front.pid, ...site.workers()];
  for (let round = 0; round < rounds; round++)
    for (const kind of kinds) {
      const before = pids.map(ticks);
      const {stdout} = await wrk('wrk', ['-t1', '-c4', `-d${seconds}s`, '-s', kind.file, `http://127.0.0.1:${site.port}`]);
      const used = pids.map((pid, i) => ticks(pid) - before[i]);
      const [requests, errors] = stdout.match(/RESULT (.*)/)[1].split(' ').map(Number);
      if (errors > 0) throw new Error(`${kind.name}: ${errors} errors`);
      kind.cpu.push({all: used.reduce((a, b) => a + b) / requests * 1e4, front: used[0] / requests * 1e4});
    }
  const of = (kind, what) => median(kind.cpu.map((one) => one[what]));
  console.log(`${rounds} rounds of ${seconds} s, ${kinds[1].bytes} bytes in a batch\n\n| request                    | CPU us | of one | front | pool |\n|----------------------------|--------|--------|-------|------|`);
  for (const kind of kinds)
    console.log(`| ${kind.name.padEnd(26)} | ${of(kind, 'all').toFixed(1).padStart(6)} | ${(of(kind, 'all') / of(kinds[0], 'all')).toFixed(2).padStart(6)} | ${of(kind, 'front').toFixed(0).padStart(5)} | ${(of(kind, 'all') - of(kind, 'front')).toFixed(0).padStart(4)} |`);
  const ratio = of(kinds[1], 'all') / of(kinds[0], 'all');
  console.log(`\na batch of ${MANY} costs ${ratio.toFixed(2)} times one profile; at most ${BAR}: ${ratio <= BAR ? 'held' : 'NOT HELD'}`);
  if (ratio > BAR) process.exitCode = 1;
} finally {
  await site.stop();
}
