/** A public profile by its handle. */

import {NotFound} from '../profiled.js';
import {el, trouble} from './dom.js';
import {isQuiet, profiled, session} from './page.js';
import {card} from './view.js';

export class Person {
  node = el('div', {}, el('p', {class: 'small'}, el('a', {href: '#/'}, '‹ Directory')));
  #body = el('div', {'aria-busy': 'true'}, el('h1', {class: 'unseen'}, 'Profile'));
  #controller = new AbortController();

  constructor(handle) {
    this.handle = handle;
    this.title = `@${handle}`;
    this.node.append(this.#body);
  }

  start() { this.refresh(); }
  stop() { this.#controller.abort(); }

  async refresh() {
    try {
      const profile = await profiled.byHandle(this.handle, {signal: this.#controller.signal});
      this.#show(profile);
    } catch (error) {
      if (isQuiet(error)) return;
      this.#body.removeAttribute('aria-busy');
      this.#body.replaceChildren(error instanceof NotFound
        ? el('div', {}, el('h1', {}, `@${this.handle}`), el('p', {}, 'There is no such profile, or it is not to be seen.'))
        : el('div', {}, el('h1', {}, `@${this.handle}`), trouble(error, () => this.refresh())));
    }
  }

  #show(profile) {
    document.title = `${profile.name ?? `@${profile.handle}`} · profiled`;
    const mine = session.claims?.sub === profile.id;
    const time = (at) => el('time', {datetime: at}, new Date(at).toLocaleString());
    this.#body.removeAttribute('aria-busy');
    this.#body.replaceChildren(
      card(profile),
      ...(mine ? [el('p', {}, el('a', {class: 'button', href: '#/me'}, 'Edit your profile'))] : []),
      el('details', {class: 'plain'}, el('summary', {}, 'As a program sees it'),
        el('p', {class: 'small'}, 'Entity tag ', el('code', {}, profiled.etagOf(profile) ?? 'none'), `, version ${profile.version}, last changed `, time(profile.updated_at), '.'),
        el('p', {}, el('button', {type: 'button', onclick: () => this.refresh()}, 'Ask again'), ' ', el('span', {class: 'small'}, 'and see the lens: 304, for as long as nothing has changed.')),
        el('pre', {tabindex: '0', role: 'region', 'aria-label': 'JSON'}, el('code', {}, JSON.stringify(profile, null, 2)))));
  }
}
