/** One's own profile: picture, editor, and what else one may do with what is held. It is kept while other views are shown. */

import {NotFound} from '../profiled.js';
import {Avatar} from './avatar.js';
import {dialog, el, trouble} from './dom.js';
import {Editor} from './editor.js';
import {isQuiet, net, profiled, session} from './page.js';

export class Me {
  title = 'Your profile';
  #editor = new Editor((profile) => this.#fresh(profile));
  #avatar = new Avatar(() => this.#reread());
  #link = el('span');
  #body = el('div', {'aria-busy': 'true'});
  #shown = false;

  constructor() {
    this.node = el('div', {}, el('div', {class: 'title'}, el('h1', {}, 'Your profile'), this.#link), this.#body);
    session.bound = () => this.#shown && this.#editor.dirty;
    addEventListener('beforeunload', (event) => { if (session.bound()) event.preventDefault(); });
  }

  start() { if (!this.#shown || !this.#editor.dirty) this.refresh(); }
  stop() {}

  async refresh() {
    if (this.#shown && this.#editor.dirty) return;
    try {
      const profile = await profiled.me();
      /* what was typed meanwhile stays */
      if (this.#shown && this.#editor.dirty) {
        this.#editor.take(profile);
        this.#fresh(profile);
        return;
      }
      if (!this.#shown) this.#lay();
      this.#editor.show(profile);
      this.#fresh(profile);
    } catch (error) {
      if (isQuiet(error) || (this.#shown && this.#editor.dirty)) return;
      this.#shown = false;
      this.#body.removeAttribute('aria-busy');
      this.#body.replaceChildren(error instanceof NotFound ? this.#none() : trouble(error, () => this.refresh()));
    }
  }

  /* The picture is a part of the profile, so that there is a new version now; what is unsaved in other fields stays. */
  async #reread() {
    const profile = await profiled.me();
    this.#editor.take(profile);
    this.#fresh(profile);
  }

  #lay() {
    this.#shown = true;
    this.#body.removeAttribute('aria-busy');
    this.#body.replaceChildren(this.#avatar.node, this.#editor.node, this.#held());
  }

  #fresh(profile) {
    this.#avatar.show(profile);
    this.#link.replaceChildren(el('a', {href: `#/@${profile.handle}`}, 'as others see it'));
  }

  #none() {
    const handle = el('input', {type: 'text', id: 'new-handle', autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'aria-describedby': 'new-fault'});
    const fault = el('p', {class: 'fault', id: 'new-fault'});
    return el('form', {
      novalidate: true,
      onsubmit: async (event) => {
        event.preventDefault();
        try {
          await profiled.createAt('me', {handle: handle.value.trim()});
          await this.refresh();
        } catch (error) {
          fault.textContent = isQuiet(error) ? 'The server cannot be reached.' : error.fields?.handle ?? error.message;
          handle.focus();
        }
      },
    }, el('p', {}, `There is no profile of ${session.claims?.sub ?? 'yours'} yet. Choose a handle, and there is one.`),
    el('label', {for: 'new-handle'}, 'Handle'), el('div', {class: 'row'}, handle, el('button', {class: 'main'}, 'Make my profile')), fault);
  }

  #held() {
    const said = el('div', {'aria-live': 'polite'});
    const attempt = (what) => async () => {
      said.replaceChildren();
      try { await what(); } catch (error) { said.replaceChildren(net.lost ? el('p', {class: 'fault'}, 'The server cannot be reached.') : trouble(error)); }
    };
    return el('section', {class: 'held'}, el('h2', {}, 'What is held on you'),
      el('p', {}, 'Everything in one file; and, should somebody else have a token of yours, an end to all of them, the one in hand too.'),
      el('div', {class: 'actions'},
        el('button', {type: 'button', onclick: attempt(async () => {
          const link = el('a', {href: URL.createObjectURL(new Blob([JSON.stringify(await profiled.export(), null, 2)], {type: 'application/json'})), download: 'profile.json'});
          link.click();
          setTimeout(() => URL.revokeObjectURL(link.href), 60000);
        })}, 'Download it'),
        el('button', {type: 'button', onclick: attempt(async () => {
          if (!await sure('End all of your tokens?', 'Every device that is signed in with a token issued up to now has to get a new one.', 'End them')) return;
          await profiled.revokeTokens();
          session.signOut();
        })}, 'Sign out everywhere')), said);
  }
}

async function sure(heading, text, yes) {
  const box = dialog(heading, el('div', {}, el('p', {}, text), el('div', {class: 'actions'},
    el('button', {type: 'button', class: 'main', onclick: () => box.close(true)}, yes), el('button', {type: 'button', onclick: () => box.close(false)}, 'Leave it'))), {class: 'narrow'});
  return box.show();
}
