/** What of Swagger UI's markup is mended, as it appears. */

/* rows of [selector, what is done to each] */
const mends = [
  ['.examples-select-element', (select) => select.setAttribute('aria-label', 'Example')],
  /* what scrolls can be scrolled by keys */
  ['pre', (pre) => pre.setAttribute('tabindex', '0')],
];

export function mend(root) {
  let waiting = false;
  const all = () => {
    waiting = false;
    for (const [selector, change] of mends) for (const node of root.querySelectorAll(selector)) change(node);
  };
  new MutationObserver(() => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(all);
  }).observe(root, {subtree: true, childList: true});
}
