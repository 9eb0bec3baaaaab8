/*
 * The one script that runs before everything else, no module: a token that came in the address (#token=…) is taken out of it
 * before the page asks for anything. The first to call takeToken gets it; it is kept nowhere.
 */
(() => {
  let token;
  const take = () => {
    const [, found, rest] = /^#token=([^&]*)(?:&(.*))?$/.exec(location.hash) ?? [];
    if (found === undefined) return false;
    history.replaceState(null, '', location.pathname + location.search + (rest ? `#${rest}` : ''));
    try { token = decodeURIComponent(found); } catch { token = found; }
    return true;
  };
  take();
  /* such a link opened in a page that is there already */
  addEventListener('hashchange', () => { if (take()) dispatchEvent(new Event('token')); });
  globalThis.takeToken = () => {
    const taken = token;
    token = undefined;
    return taken;
  };
})();
