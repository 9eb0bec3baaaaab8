/**
 * A list of any length of which only what is on the screen is in the document. Rows are of one height; where the last known one
 * comes near, more are asked for. The page itself scrolls. A row that has the focus stays, so that the keyboard is never lost.
 */

import {el} from './dom.js';

const AHEAD = 8; /* rows above and below what is seen */

export class Rows {
  #items = []; #shown = new Map(); #render; #more; #ended = false; #loading = false; #stuck = false; #controller = new AbortController(); #height; #frame;

  /**
   * render(item) gives an element; more(signal) gives {items, ended} and is called one at a time; failed(error) when it throws,
   * and nothing is asked for again until retry(). changed() after each page.
   */
  constructor({label, render, more, failed, changed}) {
    this.node = el('ul', {class: 'rows', 'aria-label': label});
    this.#render = render;
    this.#more = more;
    this.failed = failed;
    this.changed = changed;
  }

  get count() { return this.#items.length; }
  get ended() { return this.#ended; }

  /** Begins to look at the page; ends with stop(), and may begin again. */
  start() {
    this.listening?.abort();
    this.listening = new AbortController();
    const {signal} = this.listening, soon = () => { this.#frame ??= requestAnimationFrame(() => { this.#frame = undefined; this.draw(); }); };
    addEventListener('scroll', soon, {signal, passive: true});
    addEventListener('resize', () => { this.#height = undefined; soon(); }, {signal});
    this.node.addEventListener('focusin', soon, {signal});
    this.draw();
  }
  stop() {
    this.listening?.abort();
    cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
  }

  /** Another list: what was asked for the old one is given up. */
  reset(more) {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#more = more;
    this.#items = [];
    this.#ended = this.#loading = this.#stuck = false;
    for (const row of this.#shown.values()) row.remove();
    this.#shown.clear();
    this.draw();
  }
  retry() {
    if (!this.#stuck) return;
    this.#stuck = this.#loading = false;
    this.draw();
  }

  #rowHeight() {
    if (this.#height === undefined) {
      const probe = el('li', {class: 'row-item'});
      this.node.append(probe);
      this.#height = probe.getBoundingClientRect().height || 64;
      probe.remove();
    }
    return this.#height;
  }

  draw() {
    if (!this.node.isConnected) return;
    const height = this.#rowHeight(), top = this.node.getBoundingClientRect().top;
    this.node.style.height = `${this.#items.length * height}px`;
    const first = Math.max(0, Math.floor(-top / height) - AHEAD);
    const last = Math.min(this.#items.length, Math.ceil((innerHeight - top) / height) + AHEAD);
    for (const [i, row] of this.#shown)
      if ((i < first || i >= last) && !row.contains(document.activeElement)) { row.remove(); this.#shown.delete(i); }
    for (let i = first; i < last; i++) if (!this.#shown.has(i)) this.#put(i, height);
    for (const [i, row] of this.#shown) row.style.transform = `translateY(${i * height}px)`;
    if (!this.#ended && !this.#loading && last >= this.#items.length - AHEAD * 2) this.#load();
  }

  /* in its place among the others, for the order of the Tab key is the document's */
  #put(i, height) {
    const row = this.#render(this.#items[i]);
    row.classList.add('row-item');
    row.setAttribute('aria-posinset', String(i + 1));
    row.setAttribute('aria-setsize', this.#ended ? String(this.#items.length) : '-1');
    const behind = Math.min(...[...this.#shown.keys()].filter((j) => j > i));
    this.node.insertBefore(row, this.#shown.get(behind) ?? null);
    this.#shown.set(i, row);
  }

  async #load() {
    const {signal} = this.#controller;
    this.#loading = true;
    try {
      const {items, ended} = await this.#more(signal);
      if (signal.aborted) return;
      for (const item of items) this.#items.push(item);
      this.#ended = ended;
      this.#loading = false;
      if (ended) for (const row of this.#shown.values()) row.setAttribute('aria-setsize', String(this.#items.length));
      this.changed();
      this.draw();
    } catch (error) {
      if (signal.aborted) return;
      this.#stuck = true;
      this.failed(error);
    }
  }
}
