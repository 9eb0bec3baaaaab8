/** The directory: everybody by handle, or whom a search finds, as one scrolls. It is kept while other views are shown. */

import {announce, el, trouble} from './dom.js';
import {isQuiet, net, profiled} from './page.js';
import {Rows} from './rows.js';
import {face} from './view.js';

const PAGE = 100, PAUSE_MS = 180, SHORTEST = 2, AGE_MS = 30000;
const MEMBERS = ['handle', 'name', 'picture', 'pronouns'];

function row({handle, name, picture, pronouns}) {
  return el('li', {}, el('a', {href: `#/@${handle}`}, face({handle, name, picture}, 44),
    el('span', {class: 'names'}, el('span', {class: 'name'}, name ?? `@${handle}`),
      el('span', {class: 'handle'}, `@${handle}`, pronouns && el('span', {class: 'pronouns'}, pronouns)))));
}

/* Pages of the list one behind the other, as Rows asks for them. */
function pages(q) {
  let next = ({signal}) => profiled.list({limit: PAGE, q, fields: MEMBERS, signal});
  return async (signal) => {
    const page = await next({signal});
    next = page.next;
    return {items: page.profiles, ended: next === undefined};
  };
}

export class Directory {
  title = 'Directory';
  #scroll = 0; #left = Infinity; #timer;
  #input = el('input', {type: 'search', id: 'q', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', enterkeyhint: 'search', 'aria-describedby': 'found'});
  #found = el('p', {class: 'small', id: 'found'});
  #trouble = el('div');
  #q;

  constructor() {
    this.rows = new Rows({
      label: 'Profiles', render: row, more: pages(),
      changed: () => this.#say(),
      failed: (error) => { if (!isQuiet(error)) this.#trouble.replaceChildren(trouble(error, () => this.refresh())); },
    });
    this.#input.addEventListener('input', () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), PAUSE_MS);
    });
    this.node = el('div', {},
      el('form', {role: 'search', onsubmit: (event) => { event.preventDefault(); clearTimeout(this.#timer); this.#search(); }},
        el('h1', {}, 'Directory'), el('label', {for: 'q'}, 'Search by handle or name'), this.#input, this.#found),
      this.#trouble, this.rows.node);
  }

  #search() {
    const text = this.#input.value.trim(), q = [...text].length < SHORTEST ? undefined : text;
    if (q === this.#q) { this.#say(); return; }
    this.#q = q;
    this.#trouble.replaceChildren();
    this.rows.reset(pages(q));
    scrollTo(0, 0);
    this.#found.textContent = q === undefined ? '' : 'Searching…';
  }

  #say() {
    const {count, ended} = this.rows, n = count.toLocaleString('en');
    const short = this.#input.value.trim() !== '' && this.#q === undefined;
    const text = short ? 'Two characters or more.'
      : this.#q !== undefined ? (count === 0 ? `Nobody is found by “${this.#q}”.` : `${n}${ended ? '' : ' or more'} found.`)
        : ended ? (count === 0 ? 'There is nobody yet.' : `All ${n} profiles.`) : `${n} so far; more come as you scroll.`;
    this.#found.textContent = text;
    if (this.#q !== undefined) announce(text);
  }

  start() {
    this.rows.start();
    /* what was left a while ago is read anew */
    if (Date.now() - this.#left > AGE_MS) {
      this.#scroll = 0;
      this.rows.reset(pages(this.#q));
    }
    scrollTo(0, this.#scroll);
    this.rows.draw();
  }
  stop() {
    this.#left = Date.now();
    this.#scroll = scrollY;
    this.rows.stop();
  }
  /* After there was no connection, or another token: goes on where it was. */
  refresh() {
    if (net.lost) return;
    this.#trouble.replaceChildren();
    this.rows.retry();
  }
}
