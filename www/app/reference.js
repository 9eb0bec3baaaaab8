/** What of Swagger UI's markup is mended, as it appears. */

/* rows of [selector, what is done to each] */
const mends = [];

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
