/**
 * The cache lens: what the last requests to the API cost, and in one line the page's own files. Status, Cache-Status and Age come from the client; bytes and time from the browser's
 * own resource timing, which also knows of what it asked for by itself: images, and what it had at hand.
 */

import {bytesText, el, msText} from './dom.js';
import {outcome} from './outcome.js';

const SHOWN = 20, SETTLE_MS = 250;
const FILE = /(\/|\.(html|css|js|svg))$/; /* of www/ */

const KINDS = {same: '304', edge: 'edge hit', pool: 'cache hit', browser: 'browser’s copy', miss: 'miss', plain: 'other', error: 'error', none: 'no answer'};

class Lens {
  #rows = []; #heads = new Map(); /* address to the bytes that it cost in full */
  #summary = el('span', {class: 'count'}, 'nothing yet');
  #body = el('tbody');
  #saved = el('p', {class: 'small'});
  #files = new Map(); /* address to the bytes that it cost */
  #wanted = false;

  /** The panel. */
  node = el('details', {class: 'lens'},
    el('summary', {}, el('strong', {}, 'Cache lens'), ' ', this.#summary),
    el('div', {class: 'lens-body'},
      el('p', {class: 'small'}, 'What the last requests of this page cost. Each is asked with a token, and yet most need no body.'),
      this.#saved,
      el('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'The last requests'},
        el('table', {}, el('thead', {}, el('tr', {}, ['Request', 'Outcome', 'Bytes', 'Time'].map((head) => el('th', {scope: 'col'}, head)))), this.#body))));

  constructor() {
    this.node.open = matchMedia('(min-width: 68rem)').matches && document.querySelector('main.wide') === null;
    this.node.addEventListener('toggle', () => this.#draw());
    if (globalThis.PerformanceObserver === undefined) return;
    addEventListener('resourcetimingbufferfull', () => performance.clearResourceTimings());
    performance.onresourcetimingbufferfull = () => performance.clearResourceTimings();
    new PerformanceObserver((list) => { const entries = list.getEntries(); setTimeout(() => entries.forEach((e) => this.#timed(e)), SETTLE_MS); })
      .observe({type: 'resource', buffered: true});
  }

  /** For the client's onExchange. */
  saw = (exchange) => this.#add({...exchange, url: exchange.url || undefined});

  #add(row) {
    this.#rows.unshift(row);
    this.#rows.length = Math.min(this.#rows.length, SHOWN);
    this.#later();
  }

  /* fetch's own entry fits the exchange that began just before it */
  #timed(entry) {
    const bytes = entry.transferSize || undefined, status = entry.responseStatus || undefined;
    const row = this.#rows.find((r) => !r.timed && r.url === entry.name && Math.abs(r.begun - entry.startTime) < 100);
    if (row !== undefined) {
      Object.assign(row, {timed: true, bytes: bytes ?? row.bytes, ms: entry.duration});
      if (row.status === 200) this.#heads.set(entry.name, row.bytes);
      if (row.status === 304 && this.#heads.has(entry.name)) row.spared = Math.max(0, this.#heads.get(entry.name) - (row.bytes ?? 0));
      this.#later();
      return;
    }
    const {origin, pathname} = new URL(entry.name);
    if (pathname.endsWith('/healthz')) return;
    if (origin === location.origin && FILE.test(pathname)) {
      this.#files.set(pathname, entry.transferSize);
      this.#later();
      return;
    }
    const stored = entry.transferSize === 0 && entry.decodedBodySize > 0;
    this.#add({method: 'GET', path: pathOf(entry.name), url: entry.name, status: status ?? (entry.decodedBodySize > 0 ? 200 : undefined), stored, bytes: stored ? 0 : bytes, ms: entry.duration, timed: true, begun: entry.startTime});
  }

  #later() {
    if (this.#wanted) return;
    this.#wanted = true;
    setTimeout(() => { this.#wanted = false; this.#draw(); }, 120);
  }

  #draw() {
    const counts = new Map();
    for (const row of this.#rows) {
      const {kind} = outcome(row);
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    const told = Object.keys(KINDS).filter((kind) => counts.has(kind)).map((kind) => `${counts.get(kind)} × ${KINDS[kind]}`);
    const bytes = this.#rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
    this.#summary.textContent = this.#rows.length === 0 ? 'nothing yet' : `${told.join(', ')} · ${bytesText(bytes)}`;
    if (!this.node.open) return;
    const spared = this.#rows.reduce((sum, row) => sum + (row.spared ?? 0), 0);
    const files = [...this.#files.values()].reduce((sum, size) => sum + size, 0);
    this.#saved.textContent = `${spared > 0 ? `The 304s among them spared ${bytesText(spared)}. ` : ''}${files === 0 ? '' : `The page itself: ${this.#files.size} files, ${bytesText(files)}.`}`;
    this.#body.replaceChildren(...this.#rows.map((row) => {
      const {kind, text} = outcome(row);
      return el('tr', {}, el('th', {scope: 'row'}, `${row.method === 'GET' ? '' : `${row.method} `}${row.path}`),
        el('td', {}, el('span', {class: `tag ${kind}`}, text)), el('td', {class: 'number'}, bytesText(row.bytes)), el('td', {class: 'number'}, msText(row.ms)));
    }));
  }
}

function pathOf(address) {
  const url = new URL(address);
  return url.origin === location.origin ? url.pathname + url.search : url.host + url.pathname;
}

export const lens = new Lens();
