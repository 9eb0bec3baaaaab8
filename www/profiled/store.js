/**
 * Where a client keeps public views: get(key), set(key, {etag, body}), delete(key), clear(); each may give a promise.
 * What is kept here is only ever used after the server has said that it is still so; a store that fails is a store that
 * has nothing.
 */

/** In memory, the most recently used ones. */
export function memoryStore(max = 1000) {
  const entries = new Map();
  return {
    get(key) {
      const entry = entries.get(key);
      if (entry !== undefined) { entries.delete(key); entries.set(key, entry); }
      return entry;
    },
    set(key, entry) {
      entries.delete(key);
      entries.set(key, entry);
      if (entries.size > max) entries.delete(entries.keys().next().value);
    },
    delete(key) { entries.delete(key); },
    clear() { entries.clear(); },
  };
}

/**
 * In the browser's Cache Storage: survives the page, and is shared by its tabs. Public views alone come here; still, clear() it
 * when somebody signs out of a machine that others use. Memory where the browser has none (a page that did not come by https).
 */
export function cacheStorageStore(name = 'profiled') {
  if (globalThis.caches === undefined) return memoryStore();
  const open = () => caches.open(name);
  const address = (key) => new Request(new URL(`/__profiled/${encodeURIComponent(key)}`, globalThis.location?.origin ?? 'https://profiled.invalid'));
  return {
    async get(key) {
      const found = await (await open()).match(address(key));
      return found === undefined ? undefined : {etag: found.headers.get('etag'), body: await found.json()};
    },
    async set(key, {etag, body}) {
      await (await open()).put(address(key), new Response(JSON.stringify(body), {headers: {'Content-Type': 'application/json', ETag: etag}}));
    },
    async delete(key) { await (await open()).delete(address(key)); },
    async clear() { await caches.delete(name); },
  };
}
