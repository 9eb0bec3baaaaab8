/**
 * What all pages share: the client with the token in hand, the bar at the top, the lens, the word that there is no connection.
 */

import {Profiled, Unreachable} from '../profiled.js';
import {announce, el} from './dom.js';
import {lens} from './lens.js';
import {net} from './net.js';
import {leftText, session} from './session.js';

/** Where the pages lie, the API lies too. */
export const base = new URL('.', location.href).pathname.replace(/\/$/, '');

export const profiled = new Profiled({
  base, token: session.provide,
  onExchange(exchange) {
    lens.saw(exchange);
    if (exchange.status === 0) net.gone();
  },
});

/** Whether an error has been told already, by the banner, or need not be: somebody went on to something else. */
export const isQuiet = (error) => error instanceof Unreachable || error?.name === 'AbortError';

/* The links to the other pages hand the token on when they are followed, and not before. */
function handOn(event) {
  const link = event.target.closest?.('a[data-hand-on]');
  if (link === null || link === undefined || session.token === undefined) return;
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  /* what may be handed on in an address is what may come by one */
  const {exp, scopes} = session.claims;
  if (scopes.includes('profile:admin') || (exp ?? Infinity) - Date.now() / 1000 > 600) return;
  event.preventDefault();
  const rest = link.hash.startsWith('#/') ? `&${link.hash.slice(1)}` : '';
  location.assign(`${link.pathname}#token=${encodeURIComponent(session.token)}${rest}`);
}

function tokenChip() {
  const who = el('span', {class: 'who'}), left = el('span', {class: 'left'});
  const out = el('button', {type: 'button', class: 'quiet', onclick() { session.signOut(); announce('Signed out'); }}, 'Sign out');
  const chip = el('div', {class: 'chip', hidden: true}, el('span', {}, who, ' ', left), out);
  const draw = () => {
    const {claims} = session;
    chip.hidden = session.token === undefined;
    who.textContent = claims?.sub ?? 'a token';
    left.textContent = leftText(claims);
    chip.classList.toggle('late', (claims?.exp ?? Infinity) - Date.now() / 1000 < 60);
  };
  session.addEventListener('change', draw);
  setInterval(draw, 1000);
  draw();
  return chip;
}

/** Puts together what is round the page's own part. */
export function furnish() {
  document.querySelector('.bar').append(tokenChip());
  document.querySelector('#lens').append(lens.node);
  net.watch(base, document.querySelector('main'));
  document.addEventListener('click', handOn);
  session.addEventListener('change', () => { if (session.token === undefined) profiled.clear(); });
}

export {lens, net, session};
