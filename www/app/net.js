/**
 * Whether the server can be reached. Offline is told by the browser, or by a request that nobody answered; then /healthz is asked
 * now and again, and "back" is said once it answers.
 */

import {announce, el} from './dom.js';

const FIRST_MS = 1000, MOST_MS = 15000;

class Net extends EventTarget {
  lost = false;
  #timer; #pause = FIRST_MS;
  #banner = el('div', {class: 'banner', role: 'status', hidden: true});

  /** base: of the server. Puts the banner before a node. */
  watch(base, before) {
    this.base = base;
    before.before(this.#banner);
    addEventListener('offline', () => this.gone());
    addEventListener('online', () => this.#probe());
    if (!navigator.onLine) this.gone();
  }

  /** A request found nobody. */
  gone() {
    if (!this.lost) {
      this.lost = true;
      this.#pause = FIRST_MS;
      this.#show('No connection to the server. What was read stays here; it goes on by itself as soon as there is one.');
      this.dispatchEvent(new Event('gone'));
    }
    this.#later();
  }

  #show(text) {
    this.#banner.textContent = text;
    this.#banner.hidden = text === '';
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#probe(), this.#pause);
    this.#pause = Math.min(this.#pause * 2, MOST_MS);
  }

  async #probe() {
    if (!this.lost) return;
    clearTimeout(this.#timer);
    const answer = navigator.onLine ? await fetch(`${this.base}/healthz`, {cache: 'no-store', credentials: 'omit'}).catch(() => undefined) : undefined;
    if (!this.lost) return;
    if (!answer?.ok) { this.#later(); return; }
    this.lost = false;
    this.#show('');
    announce('The server can be reached again');
    this.dispatchEvent(new Event('back'));
  }
}

export const net = new Net();
