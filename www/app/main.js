/** The shell of index.html: which view the address names, and the welcome for whoever has no token. */

import {Directory} from './directory.js';
import {el} from './dom.js';
import {Me} from './me.js';
import {furnish, net, session} from './page.js';
import {Person} from './person.js';
import {tokenForm} from './session.js';

const place = document.querySelector('#view'), welcome = document.querySelector('#welcome');
const kept = new Map(); /* views that stay as they were left, for whom they were made */
let view, holder;

function keep(name, make) {
  if (!kept.has(name)) kept.set(name, make());
  return kept.get(name);
}

function viewOf(hash) {
  const path = hash.replace(/^#/, '') || '/';
  if (path === '/') return keep('directory', () => new Directory());
  if (path === '/me') return keep('me', () => new Me());
  const [, handle] = /^\/@([^/]+)$/.exec(path) ?? [];
  if (handle !== undefined) {
    try { return new Person(decodeURIComponent(handle)); } catch { /* below */ }
  }
  return {title: 'Nothing here', node: el('div', {}, el('h1', {}, 'There is nothing here'), el('p', {}, el('a', {href: '#/'}, 'To the directory'))), start() {}, stop() {}, refresh() {}};
}

function show(first) {
  const signedIn = session.token !== undefined;
  welcome.hidden = signedIn;
  place.hidden = !signedIn;
  document.querySelector('.bar nav').classList.toggle('out', !signedIn);
  view?.stop();
  view = undefined;
  if (!signedIn) {
    place.replaceChildren();
    document.title = 'profiled';
    sayRefused();
    return;
  }
  view = viewOf(location.hash);
  document.title = `${view.title} · profiled`;
  place.replaceChildren(view.node);
  for (const link of document.querySelectorAll('.bar nav a'))
    if (link.getAttribute('href') === (location.hash || '#/')) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  scrollTo(0, 0);
  view.start();
  if (!first) place.focus({preventScroll: true});
}

function sayRefused() {
  const note = welcome.querySelector('#refused');
  note.textContent = session.refused ?? '';
}

/* Another person's token: nothing that was shown to the one before stays. */
function changed() {
  const now = session.token === undefined ? undefined : session.claims?.sub ?? '';
  if (now !== holder) { kept.clear(); holder = now; show(false); }
  else view?.refresh();
}

furnish();
welcome.querySelector('#paste').append(tokenForm('Sign in'));
holder = session.token === undefined ? undefined : session.claims?.sub ?? '';
session.addEventListener('change', changed);
net.addEventListener('back', () => view?.refresh());
addEventListener('hashchange', () => show(false));
document.querySelector('.skip').addEventListener('click', (event) => { event.preventDefault(); document.querySelector('main').querySelector('h1')?.scrollIntoView(); place.focus(); });
show(true);
