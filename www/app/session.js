/**
 * The token in hand: in the memory of this page and nowhere else. It comes by the address's fragment (app/fragment.js) or is
 * pasted; when the server takes it no more, a dialog asks for another, and whatever was being edited stays.
 */

import {claimsOf} from '../profiled/token.js';
import {announce, dialog, el} from './dom.js';

const SOON_S = 11 * 60; /* addresses are remembered by browsers: what comes in one must be of no use soon */

class Session extends EventTarget {
  #token; #asking;
  /** Why the token in the address was not taken. */
  refused;
  /** Set where something is unsaved: a token of somebody else's is not taken then. */
  bound = () => false;

  constructor() {
    super();
    this.#fromAddress();
    addEventListener('token', () => { this.#fromAddress(); this.#changed(); });
  }

  get token() { return this.#token; }
  get claims() { return this.#token === undefined ? undefined : claimsOf(this.#token); }

  #fromAddress() {
    const token = globalThis.takeToken?.();
    if (token === undefined) return;
    this.refused = this.#whyNot(token);
    if (this.refused === undefined) this.#token = token;
    else if (this.#token !== undefined) announce(this.refused);
  }

  /* Anybody can make a link: nobody is signed in by one as somebody else than they are. */
  #whyNot(token) {
    const claims = claimsOf(token), left = (claims?.exp ?? Infinity) - Date.now() / 1000;
    if (claims === undefined) return 'What stood in the address is no token.';
    if (claims.scopes.includes('profile:admin')) return 'A token for administration does not belong into an address. Paste it here, if you must.';
    if (left > SOON_S) return 'A token in an address may be good for ten minutes at most, for browsers keep addresses. Paste it here instead.';
    if (this.#token !== undefined && this.claims?.sub !== claims.sub) return `The link is ${claims.sub}’s, and you are signed in as ${this.claims?.sub}: sign out first.`;
    return undefined;
  }

  #changed() { this.dispatchEvent(new Event('change')); }

  /** Takes a pasted one; gives why not, or undefined. */
  take(text) {
    const token = text.trim().replace(/^Bearer\s+/i, '').replace(/^['"]|['"]$/g, '');
    const claims = claimsOf(token);
    if (claims === undefined) return 'This is no token: a JWT has three parts with dots between them, a PASETO begins with v4.public.';
    if (claims.exp !== undefined && claims.exp < Date.now() / 1000 - 60) return 'This token has expired.';
    if (this.bound() && claims.sub !== this.claims?.sub) return `This token speaks for ${claims.sub}; what is unsaved here is ${this.claims?.sub}’s.`;
    this.#token = token;
    this.refused = undefined;
    this.#changed();
    return undefined;
  }

  signOut() {
    this.#token = undefined;
    this.bound = () => false; /* what is unsaved goes with it */
    this.#changed();
  }

  /** For the client: the token, or after a 401 a new one, which a person is asked for. */
  provide = async ({rejected} = {}) => {
    if (rejected === undefined || rejected !== this.#token) return this.#token;
    this.#asking ??= this.#ask().finally(() => { this.#asking = undefined; });
    return this.#asking;
  };

  async #ask() {
    const form = tokenForm('Go on', () => box.close(true));
    const box = dialog('A new token is needed', [
      el('p', {}, 'The server does not take the present one any more: it has expired or was revoked. Nothing that you have written is lost.'), form,
    ], {class: 'narrow'});
    announce('A new token is needed');
    await box.show();
    return this.#token;
  }
}

export const session = new Session();

/** A form for pasting a token. */
export function tokenForm(label, done = () => {}) {
  const why = el('p', {class: 'fault', id: `token-fault-${++forms}`});
  const input = el('input', {type: 'text', id: `token-${forms}`, class: 'mono', required: true, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false', 'aria-describedby': why.id});
  return el('form', {
    class: 'token', novalidate: true,
    onsubmit(event) {
      event.preventDefault();
      const wrong = session.take(input.value);
      why.textContent = wrong ?? '';
      input.setAttribute('aria-invalid', String(wrong !== undefined));
      if (wrong === undefined) { input.value = ''; done(); } else input.focus();
    },
  }, el('label', {for: input.id}, 'Token'), el('div', {class: 'row'}, input, el('button', {class: 'main'}, label)), why);
}
let forms = 0;

/** "expires in 4 min" */
export function leftText(claims) {
  if (claims?.exp === undefined) return '';
  const s = Math.round(claims.exp - Date.now() / 1000);
  if (s <= 0) return 'expired';
  return s < 90 ? `${s} s left` : s < 5400 ? `${Math.round(s / 60)} min left` : `${Math.round(s / 3600)} h left`;
}
