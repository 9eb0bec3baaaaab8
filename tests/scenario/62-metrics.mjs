// The numbers: who may see them, that they are of Prometheus' text format 0.0.4, that they go up by exactly what was asked, and that
// no death and no reload takes any of them back.
import assert from 'node:assert/strict';
import {join} from 'node:path';
import {test} from 'node:test';
import {load} from './lib/load.mjs';
import {children, sleep, until} from './lib/process.mjs';
import {ADMIN, READ, Site, WRITE, assertProblem, assertUnauthorized, binary, scenario} from './lib/site.mjs';

const SCOPE = 'metrics:read';
const scrape = (site, options = {}) => site.get('/metrics', {as: 'monitor', scope: SCOPE, ...options});

/** Parses the text format and refuses whatever it does not allow: {families: {name: {type, help}}, values: Map of series to number}. */
function parse(text) {
  const families = {}, values = new Map();
  let family;
  assert(text.endsWith('\n'));
  for (const line of text.slice(0, -1).split('\n')) {
    let match;
    if ((match = /^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\]|\\\\|\\n)+)$/.exec(line))) {
      assert(!(match[1] in families), `${match[1]} stands in two places`);
      families[family = match[1]] = {help: match[2], samples: 0};
    } else if ((match = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line))) {
      assert.equal(match[1], family);
      assert.equal(families[family].type, undefined);
      families[family].type = match[2];
      assert.equal(match[2] === 'counter', family.endsWith('_total'), line);
    } else {
      match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\\\|\\"|\\n)*"(?:,(?=[a-zA-Z_]))?)+)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line);
      assert(match, `no sample: ${line}`);
      const tail = families[family].type === 'histogram' ? /^(_bucket|_sum|_count)$/ : /^$/;
      assert(match[1].startsWith(family) && tail.test(match[1].slice(family.length)), `${line} stands under ${family}`);
      const series = match[2] ? `${match[1]}{${match[2]}}` : match[1];
      assert(!values.has(series), `${series} twice`);
      values.set(series, Number(match[3]));
      families[family].samples++;
    }
  }
  const buckets = [...values].filter(([series]) => series.startsWith('profiled_request_duration_seconds_bucket'));
  assert(buckets.every(([, count], i) => i === 0 || count >= buckets[i - 1][1]), 'buckets add up');
  assert.equal(buckets.at(-1)[0], 'profiled_request_duration_seconds_bucket{le="+Inf"}');
  assert.equal(buckets.at(-1)[1], values.get('profiled_request_duration_seconds_count'));
  return {families, values};
}

/** A scrape, parsed; .requests is {"route method status": count}, .total their sum, .of(series) a value, 0 when it is not there. */
async function numbers(site) {
  const answer = await scrape(site);
  assert.equal(answer.status, 200, answer.text);
  const parsed = parse(answer.text);
  const requests = {};
  for (const [series, count] of parsed.values) {
    const match = /^profiled_requests_total\{route="(.*)",method="(.*)",status="(.*)"\}$/.exec(series);
    if (match) requests[`${match[1]} ${match[2]} ${match[3]}`] = count;
  }
  const total = Object.values(requests).reduce((a, b) => a + b, 0);
  assert.equal(parsed.values.get('profiled_request_duration_seconds_count'), total);
  return {...parsed, requests, total, of: (series) => parsed.values.get(series) ?? 0};
}

/** What went up from one to the other. */
function grown(before, after) {
  const delta = {};
  for (const name of new Set([...Object.keys(before.requests), ...Object.keys(after.requests)])) {
    const n = (after.requests[name] ?? 0) - (before.requests[name] ?? 0);
    assert(n >= 0, `${name} went down`);
    if (n !== 0) delta[name] = n;
  }
  return delta;
}

scenario('metrics', {settings: {server: {workers: 3}}}, (at) => {
  test('only for a token that may', async () => {
    assertUnauthorized(await at.site.get('/metrics'), {error: null});
    assertUnauthorized(await at.site.get('/metrics', {token: 'x.y.z'}));
    for (const scope of [READ, WRITE, ADMIN]) {
      const answer = await at.site.get('/metrics', {as: 'bob', scope});
      assertProblem(answer, 403);
      assert.match(answer.header('www-authenticate'), /error="insufficient_scope",.* scope="metrics:read"$/);
    }
    assert.equal((await scrape(at.site)).status, 200);
    assert.equal((await at.site.get('/metrics', {as: 'boss', scope: `${ADMIN} ${SCOPE}`})).status, 200);
  });

  test('what the answer is', async () => {
    const answer = await scrape(at.site);
    assert.equal(answer.header('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.equal(answer.header('cache-control'), 'no-store');
    assert.equal(answer.header('x-content-type-options'), 'nosniff');
    assert.equal(answer.etag, undefined);
    const head = await at.site.head('/metrics', {as: 'monitor', scope: SCOPE});
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    assert.equal(head.header('content-type'), answer.header('content-type'));
    assertProblem(await at.site.get('/metrics?name=x', {as: 'monitor', scope: SCOPE}), 400);
    const post = await at.site.post('/metrics', {}, {as: 'monitor', scope: SCOPE});
    assertProblem(post, 405);
    assert.equal(post.header('allow'), 'GET, HEAD, OPTIONS');
    assertProblem(await at.site.get('/metrics/x', {as: 'monitor', scope: SCOPE}), 404);
  });

  test('nothing of the people is in it', async () => {
    await at.site.get('/v1/profiles/ann', {as: 'bob'});
    const {text} = await scrape(at.site);
    assert.doesNotMatch(text, /\bann\b|\bbob\b|monitor|Bearer/);
  });

  test('what the pool is', async () => {
    const n = await numbers(at.site);
    assert.equal(n.of('profiled_workers_wanted'), 3);
    assert.equal(n.of('profiled_workers'), 3);
    assert(n.of('profiled_workers_busy') >= 1, 'the one that answers');
    assert(Math.abs(n.of('profiled_start_time_seconds') - Date.now() / 1000) < 300);
    assert([...n.values.keys()].some((series) => /^profiled_build_info\{version="\d+\.\d+\.\d+",compiler="[^"]+"\}$/.test(series)));
    for (const worker of [0, 1, 2]) assert(n.values.has(`profiled_worker_requests_total{worker="${worker}"}`));
    const queued = n.values.get('profiled_connections_queued');
    assert(queued === undefined || queued >= 0);
  });

  test('counts go up by exactly what was asked', async () => {
    const {site} = at;
    const before = await numbers(site);
    const tag = (await site.get('/v1/profiles/ann', {as: 'bob'})).etag;
    for (let i = 0; i < 9; i++) await site.get('/v1/profiles/ann', {as: 'bob'});
    await Promise.all(Array.from({length: 10}, () => site.get('/v1/profiles/ann', {as: 'bob'})));
    for (let i = 0; i < 4; i++) assert.equal((await site.get('/v1/profiles/ann', {as: 'bob', none: tag})).status, 304);
    await site.head('/v1/profiles/@ann', {as: 'bob'});
    await site.get('/v1/profiles/nobody', {as: 'bob'});
    await site.get('/v1/profiles/ann');
    await site.get('/v1/me', {as: 'ann', scope: 'profile:list'});
    await site.patch('/v1/me', {nickname: 'A'}, {as: 'ann', match: '*'});
    await site.patch('/v1/me', {nickname: 'A'}, {as: 'ann', match: '"x"'});
    await site.patch('/v1/me', {nickname: 'A'}, {as: 'ann'});
    await site.put('/v1/me', '{', {as: 'ann', match: '*'});
    await site.get('/v1/nowhere', {as: 'ann'});
    await site.call('OPTIONS', '/v1/me');
    await site.post('/v1/me', {}, {as: 'ann'});
    const after = await numbers(site);
    assert.deepEqual(grown(before, after), {
      '/v1/profiles/{id} GET|HEAD 200': 20,
      '/v1/profiles/{id} GET|HEAD 304': 4,
      '/v1/profiles/{id} GET|HEAD 404': 1,
      '/v1/profiles/{id} GET|HEAD 401': 1,
      '/v1/profiles/@{handle} GET|HEAD 200': 1,
      '/v1/me GET|HEAD 403': 1,
      '/v1/me PUT|PATCH|DELETE 200': 1,
      '/v1/me PUT|PATCH|DELETE 412': 1,
      '/v1/me PUT|PATCH|DELETE 428': 1,
      '/v1/me PUT|PATCH|DELETE 400': 1,
      '  404': 1, // no row answers these three
      '  204': 1,
      '  405': 1,
      '/metrics GET|HEAD 200': 1, // the one before counted itself after it was written
    });
    assert(after.of('profiled_request_duration_seconds_sum') > before.of('profiled_request_duration_seconds_sum'));
    // A worker counts its own requests a moment after the answer is gone.
    const workers = (n) => [0, 1, 2].reduce((sum, i) => sum + n.of(`profiled_worker_requests_total{worker="${i}"}`), 0);
    await until('the workers to have answered all of it, for nobody has died', async () => {
      const n = await numbers(site);
      return n.total === workers(n);
    });
  });

  test('the cache and the tokens in numbers', async () => {
    const {site} = at;
    await scrape(site);
    assert.equal((await site.patch('/v1/me', {nickname: 'Annie'}, {as: 'ann', match: '*'})).status, 200);
    const before = await numbers(site);
    assert.equal((await site.patch('/v1/me', {nickname: 'Anna'}, {as: 'ann', match: '*'})).status, 200);
    for (let i = 0; i < 10; i++) assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).json.nickname, 'Anna');
    for (let i = 0; i < 3; i++) assert.equal((await site.get('/v1/profiles/nobody-yet', {as: 'bob'})).status, 404);
    const after = await numbers(site);
    const more = (name) => after.of(`profiled_${name}`) - before.of(`profiled_${name}`);
    assert.equal(more('cache_misses_total'), 2);
    assert.equal(more('cache_fills_total'), 2);
    assert.equal(more('cache_hits_total'), 9);
    assert.equal(more('cache_negative_hits_total'), 2);
    assert.equal(more('cache_bypasses_total'), 0);
    assert.equal(more('cache_invalidations_total{cause="update"}'), 1);
    assert.equal(more('token_memo_hits_total'), 15, 'these fourteen, and one of the two scrapes');
    assert.equal(more('token_memo_misses_total'), 0);
    assert.equal(after.of('profiled_cache_size_bytes'), 64 * 1024 * 1024);
    assert(after.of('profiled_cache_entries') >= 2 && after.of('profiled_cache_held_bytes') > 0);
    assert(after.of('profiled_cache_held_bytes') <= after.of('profiled_cache_size_bytes'));
    assert.equal(more('change_seq'), 1);
  });

  test('status says the same', async () => {
    const {site} = at;
    const n = await numbers(site);
    const json = JSON.parse(await site.cli('status', '--json'));
    const requests = {};
    for (const row of json.routes) {
      assert.equal(Object.values(row.statuses).reduce((a, b) => a + b, 0), row.requests);
      for (const [status, count] of Object.entries(row.statuses)) requests[`${row.route ?? ''} ${row.methods.join('|')} ${status}`] = count;
    }
    n.requests['/metrics GET|HEAD 200']++; // itself
    assert.deepEqual(requests, n.requests);
    assert.equal(json.latency.count, n.total + 1);
    assert.equal(json.latency.buckets.reduce((sum, bucket) => sum + bucket.count, 0), n.total + 1);
    assert.equal(json.latency.buckets.at(-1).le_us, null);
    assert(json.latency.p50_us > 0 && json.latency.p50_us <= json.latency.p90_us && json.latency.p90_us <= json.latency.p99_us);
    for (const [key, name] of [['cache_hits', 'profiled_cache_hits_total'], ['cache_misses', 'profiled_cache_misses_total'], ['cache_fills', 'profiled_cache_fills_total'],
      ['token_memo_hits', 'profiled_token_memo_hits_total'], ['cache_invalidations_update', 'profiled_cache_invalidations_total{cause="update"}']]) {
      assert.equal(typeof json.counters[key], 'number', key);
      assert(json.counters[key] >= n.of(name), `${key} is ${json.counters[key]}, and ${name} was ${n.of(name)}`);
      assert.equal(json.workers.reduce((sum, worker) => sum + worker.counters[key], 0), json.counters[key], key);
    }
    assert.equal(json.gauges.cache_size_bytes, n.of('profiled_cache_size_bytes'));
    const page = await site.get('/v1/status', {as: 'monitor', scope: SCOPE});
    assert.equal(page.header('content-type'), 'application/json');
    assert.equal(page.header('cache-control'), 'no-store');
    assert.deepEqual(Object.keys(page.json), Object.keys(json), 'the page gets what the program prints');
    assert.equal(page.json.state, 'running');
    assert.equal(page.json.workers.length, json.workers.length);
    assert.equal(page.json.counters.cache_hits, json.counters.cache_hits);
    assert(Math.abs(Date.parse(page.json.read_at) - Date.now()) < 60_000);
    assertProblem(await site.get('/v1/status', {as: 'bob'}), 403);
    assertProblem(await site.get('/v1/status?x', {as: 'monitor', scope: SCOPE}), 400);
    const text = await site.cli('status');
    for (const line of text.split('\n')) assert(line.length <= 80 || line.includes(site.folder), `wider than a terminal: ${line}`);
    assert.match(text, /^latency {3}half within \S+, 90% within \S+, 99% within \S+$/m);
    assert.match(text, /^\/v1\/me PUT\|PATCH\|DELETE +6 200: 3, 400: 1, 412: 1,/m);
  });

  test('kill -9, one after the other: no number goes down', async () => {
    const {site} = at;
    const before = await numbers(site);
    let asked = 1; // that scrape
    for (let i = 0; i < 4; i++) {
      const victim = site.workers()[i % 3];
      process.kill(victim, 'SIGKILL');
      await until('a replacement', () => !site.workers().includes(victim) && site.workers().length === 3);
      for (let j = 0; j < 5; j++) assert.equal((await site.get('/v1/profiles/ann', {as: 'bob'})).status, 200);
      asked += 5;
    }
    const after = await numbers(site);
    assert.equal(after.total, before.total + asked);
    assert.equal(after.of('profiled_worker_deaths_total'), before.of('profiled_worker_deaths_total') + 4);
    const json = JSON.parse(await site.cli('status', '--json'));
    assert.equal(json.latency.count, after.total + 1);
    assert(json.requests >= after.total - 4, 'each of the killed may have died before it had put the last one down');
  });

  test('SIGHUP, with more workers and then with fewer: no number goes down', async () => {
    const {site} = at;
    for (const workers of [20, 2]) {
      const before = await numbers(site), old = site.workers();
      site.settings.server.workers = workers;
      site.writeConfig();
      site.pool.kill('SIGHUP');
      await until('new workers', () => site.workers().length === workers && site.workers().every((pid) => !old.includes(pid)));
      const after = await numbers(site);
      assert.equal(after.total, before.total + 1);
      assert.equal(after.of('profiled_generation'), before.of('profiled_generation') + 1);
      assert.equal(after.of('profiled_reloads_total'), before.of('profiled_reloads_total') + 1);
      assert.equal(after.of('profiled_workers_wanted'), workers);
      assert(after.of('profiled_reload_time_seconds') > after.of('profiled_start_time_seconds'));
    }
    assert.doesNotMatch(site.readLog(), /status-begun-anew/);
  });

  test('under load, with deaths and reloads: each scrape is at least the one before, and in the end it is all there', async () => {
    const {site} = at;
    const first = await numbers(site);
    let scrapes = 1, last = first;
    const traffic = load(site, {token: await site.token('bob'), path: '/v1/profiles/ann', connections: 3});
    for (let i = 0; i < 4; i++) {
      if (i % 2 === 0) process.kill(site.workers()[0], 'SIGKILL');
      else site.pool.kill('SIGHUP');
      for (let j = 0; j < 8; j++) {
        await sleep(25);
        const answer = await scrape(site);
        if (answer.status !== 200) continue; // this one was in a dying hand
        scrapes++;
        const n = parse(answer.text);
        for (const [series, value] of n.values)
          if (/_total|_bucket|_sum|_count/.test(series) && !series.startsWith('profiled_worker_'))
            assert(value >= (last.values.get(series) ?? 0), `${series}: ${last.values.get(series)}, and then ${value}`);
        last = n;
      }
    }
    const done = await traffic.stop();
    await until('the reloads to be over', async () => (JSON.parse(await site.cli('status', '--json'))).state === 'running');
    const end = await numbers(site);
    const answered = done.answers[200] + scrapes;
    const lost = 2; // what the killed had in hand was answered by nobody, or counted and never sent
    assert(end.total - first.total >= answered && end.total - first.total <= answered + lost, `${end.total - first.total} counted, ${answered} answered`);
  });
}, (site) => site.make({id: 'ann', handle: 'ann', name: 'Ann'}));

test('a worker that a web server started tells of itself alone', async () => {
  const site = new Site();
  try {
    await site.prepare();
    await site.tryCli(['import', '-'], '{"id":"ann","handle":"ann"}\n');
    await site.startFront(`"socket" => "${join(site.folder, 'own.sock')}", "bin-path" => "${binary}", "max-procs" => 1, "bin-environment" => ("PROFILED_CONFIG" => "${site.config}")`);
    await until('an answer', async () => (await scrape(site)).status === 200);
    assert(children(site.front.pid).length > 0);
    const before = await numbers(site);
    const after = await numbers(site);
    // each path of lighttpd's configuration has a worker of its own, and this is the one of /metrics
    assert.deepEqual(grown(before, after), {'/metrics GET|HEAD 200': 1});
    assert.equal(after.values.get('profiled_workers'), undefined);
  } finally {
    await site.stop();
  }
});
