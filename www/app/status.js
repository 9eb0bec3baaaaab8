/** The operator's page: /v1/status once a second, as lines and tables. It rests while nobody looks. */

import {Forbidden, Unauthorized} from '../profiled.js';
import {Chart} from './charts.js';
import {bytesText, el, trouble} from './dom.js';
import {cacheRatio, counterRate, invalidationRate, memoRatio, purgeLag, quantile, requestRates} from './numbers.js';
import {furnish, isQuiet, net, profiled, session} from './page.js';
import {tokenForm} from './session.js';

const EVERY_MS = 1000, KEPT = 300, WINDOW = 10; /* samples; percentiles are of the last ten seconds */

const rate = (n) => (n >= 100 ? Math.round(n).toLocaleString('en') : n >= 10 ? n.toFixed(0) : n.toFixed(1));
const share = (n) => `${(n * 100).toFixed(n > 0.99 && n < 1 ? 1 : 0)} %`;
const time = (us) => (us >= 1e6 ? `${(us / 1e6).toFixed(1)} s` : us >= 1000 ? `${(us / 1000).toFixed(us >= 10000 ? 0 : 1)} ms` : `${Math.round(us)} µs`);
const seconds = (s) => (s < 1 ? `${Math.round(s * 1000)} ms` : `${s.toFixed(1)} s`);
const or = (value, text) => (value === null || value === undefined ? '–' : text(value));

/* Each chart: what it is, and what two samples make of it; long: of a window's ends; moment: one sample is enough. */
const charts = [
  {title: 'Requests a second', note: 'this page’s own one among them', text: rate, top: 5, lines: [
    {label: 'answered', colour: '--c1', fill: true, of: (b, n) => requestRates(b, n).good}, {label: '304', colour: '--c2', of: (b, n) => requestRates(b, n).same},
    {label: 'refused (4xx)', colour: '--c3', rare: true, of: (b, n) => requestRates(b, n).refused}, {label: 'failed (5xx)', colour: '--c4', rare: true, of: (b, n) => requestRates(b, n).failed}]},
  {title: 'Latency', note: 'in the server, of the last ten seconds', text: time, top: 100, lines: [
    {label: 'half below', colour: '--c1', long: true, of: (b, n) => quantile(b, n, 0.5)}, {label: '90 % below', colour: '--c2', long: true, of: (b, n) => quantile(b, n, 0.9)},
    {label: '99 % below', colour: '--c4', long: true, of: (b, n) => quantile(b, n, 0.99)}]},
  {title: 'Found in memory', text: share, lines: [
    {label: 'answers', colour: '--c1', fill: true, of: cacheRatio}, {label: 'tokens', colour: '--c2', of: memoRatio}]},
  {title: 'Memory of the cache', text: bytesText, top: 4096, lines: [
    {label: 'answers', colour: '--c1', fill: true, moment: true, of: (n) => n.gauges.cache_bytes_held}, {label: 'tokens', colour: '--c2', moment: true, of: (n) => n.gauges.token_memo_bytes_held}]},
  {title: 'Made room and made old, a second', text: rate, lines: [
    {label: 'evicted', colour: '--c3', of: (b, n) => counterRate(b, n, 'cache_evictions')}, {label: 'made old by writes', colour: '--c1', of: invalidationRate}]},
  {title: 'Change log', note: 'number of the newest change', text: (n) => Math.round(n).toLocaleString('en'), lines: [
    {label: 'change', colour: '--c1', moment: true, of: (n) => n.gauges.change_seq}]},
  {title: 'Lag of purges', note: 'until caches in front confirm a change', text: seconds, top: 0.1, edge: true, lines: [
    {label: 'longest', colour: '--c4', fill: true, moment: true, of: (n) => purgeLag(n)}]},
].map((spec) => ({...spec, chart: new Chart(spec), data: [[], ...spec.lines.map(() => [])]}));

const tiles = [
  ['Workers busy', ({now}) => `${now.workers_busy} of ${now.workers.length}`],
  ['Requests a second', ({before, now}) => (before ? or(Object.values(requestRates(before, now)).reduce((a, b) => (a === null || b === null ? null : a + b)), rate) : '–')],
  ['99 % below', ({long, now}) => (long ? or(quantile(long, now, 0.99), time) : '–')],
  ['Found in memory', ({now}) => or(now.cache_hit_ratio, share), 'since the start'],
  ['Memory', ({now}) => bytesText(now.gauges.cache_bytes_held), ({now}) => `of ${bytesText(now.gauges.cache_size_bytes)}`],
  ['Newest change', ({now}) => now.gauges.change_seq.toLocaleString('en')],
  ['Lag of purges', ({now}) => or(purgeLag(now), seconds), ({now}) => (now.edge ? 'the longest' : 'no cache in front is told')],
  ['Deaths', ({now}) => String(now.deaths), 'of workers, unasked'],
].map(([label, of, note]) => ({label, of, value: el('dd', {}, '–'), note: note && el('dd', {class: 'small'}, typeof note === 'string' ? note : ''), say: typeof note === 'function' ? note : undefined}));

const table = (caption, heads) => {
  const body = el('tbody');
  return {body, node: el('section', {}, el('h2', {}, caption), el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': caption}, el('table', {class: 'wide-table'},
    el('caption', {class: 'unseen'}, caption), el('thead', {}, el('tr', {}, heads.map((head) => el('th', {scope: 'col'}, head)))), body)))};
};
const workers = table('Workers', ['Worker', 'Process', 'Does', 'Requests', 'Found in memory', 'Restarts']);
const routes = table('Requests by route', ['Route', 'Methods', 'Requests', 'Of them']);
const edges = table('Caches in front', ['Address', 'State', 'Lag', 'Trouble']);

const samples = [];
const failure = el('div');
let timer, gap = false, running = false;

const row = (head, ...cells) => el('tr', {}, el('th', {scope: 'row'}, head), cells.map((cell) => el('td', {}, cell)));

function tabulate(now) {
  workers.body.replaceChildren(...now.workers.map((w) => row(String(w.place), String(w.pid), w.busy_ms > 0 ? `${w.state}, ${w.busy_ms} ms` : w.state,
    w.requests.toLocaleString('en'), or(w.cache_hit_ratio, share), String(w.restarts))));
  routes.body.replaceChildren(...now.routes.filter(({requests}) => requests > 0).sort((a, b) => b.requests - a.requests).map(({route, methods, requests, statuses}) =>
    row(route ?? 'no such route', methods.join(' '), requests.toLocaleString('en'), Object.entries(statuses).map(([code, count]) => `${code} × ${count.toLocaleString('en')}`).join(', '))));
  edges.node.hidden = !now.edge;
  edges.body.replaceChildren(...(now.edge?.addresses ?? []).map((edge) => row(edge.address, edge.state, seconds(edge.lag_seconds), edge.trouble ?? '–')));
}

function draw() {
  const now = samples.at(-1), before = samples.at(-2), long = samples.length > 1 ? samples.at(-Math.min(samples.length, WINDOW + 1)) : undefined;
  for (const {value, of, note, say} of tiles) {
    value.textContent = of({now, before, long});
    if (say !== undefined) note.textContent = say({now});
  }
  for (const {chart, data, edge, lines} of charts) {
    chart.node.hidden = edge === true && !now.edge;
    data[0].push(Date.parse(now.read_at) / 1000);
    lines.forEach((line, i) => {
      const from = line.long ? long : before;
      data[i + 1].push(line.moment ? line.of(now) : from === undefined ? null : line.of(from, now));
    });
    for (const values of data) if (values.length > KEPT) values.shift();
    if (!chart.node.hidden) chart.draw(data);
  }
  tabulate(now);
  document.querySelector('#state').textContent = `The pool is ${now.state}, generation ${now.generation}, since ${new Date(now.started_at).toLocaleString()}, on ${now.listen}.`;
}

async function look() {
  clearTimeout(timer);
  if (running || document.hidden || net.lost || session.token === undefined) return;
  running = true;
  const begun = performance.now();
  try {
    const now = await profiled.status();
    if (gap) { samples.length = 0; gap = false; }
    samples.push(now);
    if (samples.length > WINDOW + 1) samples.shift();
    failure.replaceChildren();
    draw();
  } catch (error) {
    if (error instanceof Forbidden || error instanceof Unauthorized) { show(error); return; }
    if (!isQuiet(error)) failure.replaceChildren(trouble(error));
    gap = true;
  } finally { running = false; }
  timer = setTimeout(look, Math.max(100, EVERY_MS - (performance.now() - begun)));
}

/* A token that may, or the question for one. */
function show(error) {
  const may = error === undefined && session.token !== undefined;
  document.querySelector('#gate').hidden = may;
  document.querySelector('#view').hidden = !may;
  document.querySelector('#refused').textContent = error !== undefined && session.token !== undefined ? error.detail ?? error.message : session.refused ?? '';
  if (may) look();
}

furnish();
document.querySelector('#paste').append(tokenForm('Look'));
document.querySelector('#view').append(failure,
  el('dl', {class: 'tiles'}, tiles.map(({label, value, note}) => el('div', {}, el('dt', {}, label), value, note))),
  el('div', {class: 'charts'}, charts.map(({chart}) => chart.node)), edges.node, workers.node, routes.node);
document.addEventListener('visibilitychange', () => { gap = true; look(); });
net.addEventListener('back', () => { gap = true; look(); });
session.addEventListener('change', () => show());
show();
