// The server end to end behind lighttpd, against a bare libfcgi responder behind the same lighttpd: reads of profiles by many
// tokens, cached and not, tokens remembered and not, and 304s. The systems are asked in turns, round by round, in one run; the
// table shows medians. CPU is what front server and workers took for each request, by the kernel's account.
// usage: node tests/bench/server.mjs [ROUNDS] [SECONDS] [PROFILES] [TOKENS]        needs wrk, and build/tests/bench_floor:
//        cmake --preset release -DPROFILED_BENCH=ON && cmake --build build
import {execFile} from 'node:child_process';
import {writeFileSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {children} from '../scenario/lib/process.mjs';
import {request} from '../scenario/lib/client.mjs';
import {Site, root, READ} from '../scenario/lib/site.mjs';

const [rounds = 6, seconds = 3, profiles = 5000, tokens = 1000] = process.argv.slice(2).map(Number);
const CONNECTIONS = 32, WORKERS = 4;
const wrk = promisify(execFile);

// Ids as a social site has them asked for: a few often, most seldom (Zipf's law with exponent 1).
const script = (folder, conditional) => `
local ids, tags, tokens = {}, {}, {}
for line in io.lines("${folder}/ids") do local id, tag = line:match("(%S+) (%S+)"); ids[#ids + 1] = id; tags[#tags + 1] = tag end
for line in io.lines("${folder}/tokens") do tokens[#tokens + 1] = line end
local n, harmonic = #ids, math.log(#ids) + 0.5772
function request()
  local i = math.min(n, math.floor(math.exp(math.random() * harmonic)))
  if i < 1 then i = 1 end
  return wrk.format("GET", "/v1/profiles/" .. ids[i], {Authorization = "Bearer " .. tokens[math.random(#tokens)]${conditional ? ', ["If-None-Match"] = tags[i]' : ''}})
end
function done(summary, latency) io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout)) end
`;

const ticks = (pid) => {
  try { return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 15).reduce((sum, n) => sum + Number(n), 0); } catch { return 0; }
};
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

async function profiled(name, cache) {
  const settings = {server: {workers: WORKERS}, cache, token: cache.token ?? {}};
  delete settings.cache.token;
  const site = await Site.start({settings});
  const made = Array.from({length: profiles}, (_, i) => JSON.stringify({id: `user-${i}`, handle: `u${i}`, name: `Given${i} Family`, given_name: `Given${i}`,
    family_name: 'Family', website: `https://u${i}.example/`, locale: 'de-DE', zoneinfo: 'Europe/Berlin', bio: 'x'.repeat(280),
    attributes: {level: i % 60, team: 'blue', games: ['chess', 'go'], about: 'y'.repeat(120)}}));
  writeFileSync(join(site.folder, 'profiles'), made.join('\n'));
  await site.cli('import', join(site.folder, 'profiles'));
  const list = [];
  for (let i = 0; i < tokens; i++) list.push(await site.mint(`reader-${i}`, READ));
  writeFileSync(join(site.folder, 'tokens'), list.join('\n'));
  const tags = [];
  for (let i = 0; i < profiles; i++) tags.push((await request({port: site.port}, {path: `/v1/profiles/user-${i}`, headers: {Authorization: `Bearer ${list[0]}`}})).etag);
  writeFileSync(join(site.folder, 'ids'), tags.map((tag, i) => `user-${i} ${tag}`).join('\n'));
  return {name, site, pids: () => [site.front.pid, site.pool.pid, ...site.workers()]};
}

async function floor(other) {
  const site = new Site();
  await site.prepare();
  await site.startFront(`"bin-path" => "${join(root, 'build/tests/bench_floor')}", "max-procs" => ${WORKERS}, "socket" => "${site.socket}"`);
  for (const file of ['ids', 'tokens']) writeFileSync(join(site.folder, file), readFileSync(join(other.folder, file)));
  writeFileSync(join(site.folder, 'ids'), readFileSync(join(site.folder, 'ids'), 'utf8').replace(/ \S+$/gm, ' "0123456789-1p1"'));
  return {name: 'bare responder', site, floor: true, pids: () => [site.front.pid, ...children(site.front.pid)]};
}

async function measure(system, conditional) {
  const file = join(system.site.folder, conditional ? 'again.lua' : 'read.lua');
  writeFileSync(file, script(system.site.folder, conditional));
  const go = (s) => wrk('wrk', ['-t1', `-c${CONNECTIONS}`, `-d${s}s`, '-s', file, `http://127.0.0.1:${system.site.port}`]);
  await go(1);
  const pids = system.pids(), before = pids.map(ticks);
  const {stdout} = await go(seconds);
  const used = pids.reduce((sum, pid, i) => sum + ticks(pid) - before[i], 0) / 100;
  const [requests, us, p50, p99, errors] = stdout.match(/RESULT (.*)/)[1].split(' ').map(Number);
  return {rate: requests / us * 1e6, cpu: used / requests * 1e6, p50: p50 / 1000, p99: p99 / 1000, errors};
}

const systems = [];
try {
  const full = await profiled('profiled', {size: '64M'});
  systems.push(await floor(full.site), full,
    await profiled('profiled, tokens verified each time', {size: '64M', token: {cache_size: 0}}),
    await profiled('profiled, no cache of answers', {size: 0}),
    await profiled('profiled, neither', {size: 0, token: {cache_size: 0}}));
  for (const [title, conditional] of [['reads', false], ['304s', true]]) {
    const seen = new Map(systems.map((system) => [system, []]));
    for (let round = 0; round < rounds; round++)
      for (const system of systems) seen.get(system).push(await measure(system, conditional));
    const of = (system, what) => median(seen.get(system).map((one) => one[what]));
    const base = systems[0];
    console.log(`\n${title}: ${profiles} profiles, ${tokens} tokens, ${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections, ${WORKERS} workers\n`);
    console.log('| system                              | requests/s | of bare |  p50 ms |  p99 ms | CPU us/request | of bare | errors |');
    console.log('|-------------------------------------|------------|---------|---------|---------|----------------|---------|--------|');
    for (const system of systems) {
      const cells = [system.name.padEnd(35), of(system, 'rate').toFixed(0).padStart(10), (of(system, 'rate') / of(base, 'rate')).toFixed(2).padStart(7), of(system, 'p50').toFixed(2).padStart(7),
        of(system, 'p99').toFixed(2).padStart(7), of(system, 'cpu').toFixed(1).padStart(14), (of(system, 'cpu') / of(base, 'cpu')).toFixed(2).padStart(7), String(seen.get(system).reduce((sum, one) => sum + one.errors, 0)).padStart(6)];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }
} finally {
  for (const {site} of systems) await site.stop();
}
