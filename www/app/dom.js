/** Elements without markup in strings: what comes from the server is text, and never anything else. */

/** el('a', {href, class, onclick, hidden}, 'text', node…): on… are listeners, true and false are attributes there or not. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, '');
    else if (value !== false && value !== undefined) node.setAttribute(key, value);
  node.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return node;
}

const region = el('div', {class: 'unseen', role: 'status', 'aria-live': 'polite'});
let later;

/** Says something to who listens rather than looks. */
export function announce(text) {
  if (!region.isConnected) document.body.append(region);
  clearTimeout(later);
  region.textContent = '';
  later = setTimeout(() => { region.textContent = text; }, 50);
}

/** What went wrong, for a person: what to do stands on the page of problems. again: a function for a button. */
export function trouble(error, again) {
  const slug = error.slug || undefined;
  return el('div', {class: 'trouble', role: 'alert'},
    el('p', {}, el('strong', {}, error.title ?? 'This did not work'), ' ', error.detail ?? (error.title === undefined ? error.message : '')),
    (slug || error.instance) && el('p', {class: 'small'},
      slug && el('a', {href: `problems.html#${slug}`}, 'What to do'),
      slug && error.instance && ' · ', error.instance && ['request ', el('code', {}, error.instance)]),
    again && el('button', {type: 'button', onclick: again}, 'Try again'));
}

const unit = ['B', 'kB', 'MB', 'GB', 'TB'];
export function bytesText(bytes) {
  if (bytes === undefined) return '–';
  let n = bytes, i = 0;
  while (n >= 1000 && i < unit.length - 1) { n /= 1000; i++; }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${unit[i]}`;
}

export function msText(ms) {
  if (ms === undefined) return '–';
  return ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** A modal dialog; show() gives what it was closed with. The page behind it is inert, Escape closes it. */
export function dialog(heading, body, attributes = {}) {
  const title = el('h2', {id: `d${++count}`, tabindex: '-1'}, heading);
  const node = el('dialog', {'aria-labelledby': title.id, ...attributes}, title, body);
  return {
    node,
    show() {
      document.body.append(node);
      node.showModal();
      return new Promise((resolve) => node.addEventListener('close', () => { node.remove(); resolve(node.result); }, {once: true}));
    },
    close(result) { node.result = result; node.close(); },
  };
}
let count = 0;
