// A hit in Varnish with the module's check of each token, against a hit of the same object in a bare Varnish that checks nothing, and
// with the origin's sub-request: the same requests, bearing one of so many tokens each, in turns, in one run; the origin is lighttpd and
// the pool, as anywhere. The bar: the module's hits come to 0.90 of the bare ones' requests/s, and ask the origin nothing. CPU, by the
// kernel's account, holds on a machine that is not alone as well: of Varnish, and of lighttpd with the workers.
// usage: node tests/bench/varnish.mjs [ROUNDS] [SECONDS] [TOKENS] [CONNECTIONS]        needs wrk, varnish, and the module (build/)
import {execFile} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {request} from '../scenario/lib/client.mjs';
import {children} from '../scenario/lib/process.mjs';
import {READ, Site} from '../scenario/lib/site.mjs';
import {Edge} from '../scenario/lib/varnish.mjs';

const [rounds = 7, seconds = 3, tokens = 1000, connections = 16] = process.argv.slice(2).map(Number);
const wrk = promisify(execFile);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const ticks = (pid) => {
  try { return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13).reduce((sum, n) => sum + Number(n), 0); } catch { return 0; }
};
// As little as can be: the key is the address, whatever is fetched is kept for an hour.
const bare = () => `vcl 4.1;
include "./site.vcl";
sub vcl_recv {
    if (local.socket == "purge") {
        if (client.ip ~ profiled_purgers) { call profiled_key; }
        return (synth(403));
    }
    return (hash);
}
sub vcl_hash { hash_data(req.url); return (lookup); }
sub vcl_backend_response { set beresp.ttl = 1h; return (deliver); }
`;

const site = await Site.start({settings: {http: {shared_cache: 'edge', s_maxage: '3600s', stale_while_revalidate: '1s', stale_if_error: '600s'}}});
const systems = [];
let heart;
try {
  await site.make({id: 'ann', handle: 'ann', name: 'Ann Ample', bio: 'x'.repeat(280), attributes: {level: 7, team: 'blue', games: ['chess', 'go']}});
  const list = [];
  for (let i = 0; i < tokens; i++) list.push(await site.mint(`reader-${i}`, READ));
  writeFileSync(join(site.folder, 'tokens'), list.join('\n'));
  const script = (path) => {
    const file = join(site.folder, `${path.replaceAll('/', '-')}.lua`);
    writeFileSync(file, `
local tokens, n = {}, 0
for line in io.lines("${site.folder}/tokens") do tokens[#tokens + 1] = wrk.format("GET", "${path}", {Host = "edge", Authorization = "Bearer " .. line}) end
function request() n = n + 1; return tokens[n % #tokens + 1] end
function done(summary, latency) io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout)) end
`);
    return file;
  };
  const quiet = ['-p', 'thread_pool_min=50'];
  for (const [name, options] of [['bare, no check', {way: 'authorise', edit: bare}], ['vmod', {way: 'vmod'}], ['authorise', {way: 'authorise'}]])
    systems.push({name, edge: await Edge.start(site, {more: quiet, ...options}), path: '/v1/profiles/ann', asked: 0, seen: []});
  // what the origin's word alone costs, without a hit behind it
  systems.push({...systems[2], name: 'the word alone', path: '/v1/authorize', asked: 0, seen: []});
  heart = setInterval(() => systems.slice(1).forEach((system) => system.edge.purge().catch(() => {})), 2000);
  for (const system of systems.slice(1)) await system.edge.purge();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const answered = async () => (await site.status()).requests;
  const go = (system, s) => wrk('wrk', ['-t1', `-c${connections}`, `-d${s}s`, '-s', script(system.path), `http://127.0.0.1:${system.edge.port}`]);
  for (const system of systems) {
    const answer = await request({port: system.edge.port}, {path: system.path, headers: {Authorization: `Bearer ${list[0]}`}});
    if (answer.status >= 300) throw new Error(`${system.name}: ${answer.status} ${answer.text}`);
    await go(system, 1);
  }
  for (let round = 0; round < rounds; round++)
    // each goes first in turn
    for (let i = 0; i < systems.length; i++) {
      const system = systems[(round + i) % systems.length];
      const account = [[system.edge.varnish.pid, ...children(system.edge.varnish.pid)], [site.front.pid, ...site.workers()]].map((pids) => ({pids, before: pids.map(ticks)}));
      const before = await answered();
      const {stdout} = await go(system, seconds);
      const [cpu, behind] = account.map((one) => one.pids.reduce((sum, pid, k) => sum + ticks(pid) - one.before[k], 0) / 100);
      const [requests, us, p50, p99, errors] = stdout.match(/RESULT (.*)/)[1].split(' ').map(Number);
      system.asked += await answered() - before;
      system.seen.push({rate: requests / us * 1e6, p50: p50 / 1000, p99: p99 / 1000, errors, cpu: cpu / requests * 1e6, behind: behind / requests * 1e6});
    }
  const of = (system, what) => median(system.seen.map((one) => one[what]));
  console.log(`\nhits of one object: ${tokens} tokens, ${rounds} rounds of ${seconds} s, ${connections} connections\n`);
  console.log('| Varnish        | requests/s | of bare |  p50 ms |  p99 ms | CPU us/request | CPU of origin | origin requests | errors |');
  console.log('|----------------|------------|---------|---------|---------|----------------|---------------|-----------------|--------|');
  for (const system of systems)
    console.log(`| ${[system.name.padEnd(14), of(system, 'rate').toFixed(0).padStart(10), (of(system, 'rate') / of(systems[0], 'rate')).toFixed(2).padStart(7), of(system, 'p50').toFixed(2).padStart(7),
      of(system, 'p99').toFixed(2).padStart(7), of(system, 'cpu').toFixed(1).padStart(14), of(system, 'behind').toFixed(1).padStart(13), String(system.asked).padStart(15), String(system.seen.reduce((sum, one) => sum + one.errors, 0)).padStart(6)].join(' | ')} |`);
  const paired = median(systems[1].seen.map((one, i) => one.rate / systems[0].seen[i].rate));
  const good = paired >= 0.9 && systems[1].asked === 0;
  console.log(`\nvmod of bare, round by round: ${paired.toFixed(3)} (the bar: 0.90; by CPU ${(of(systems[0], 'cpu') / of(systems[1], 'cpu')).toFixed(3)}), ${systems[1].asked} requests to the origin: ${good ? 'met' : 'missed'}`);
  process.exitCode = good ? 0 : 1;
} finally {
  clearInterval(heart);
  for (const edge of new Set(systems.map((system) => system.edge))) await edge.stop();
  await site.stop();
}
