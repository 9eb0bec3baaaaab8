/** What became of a request, by its status, Cache-Status and Age. Pure. */

/* Cache-Status (RFC 9211): caches from the origin's on, the nearest last. */
function cachesOf(header) {
  return (header ?? '').split(',').filter((part) => part.trim() !== '').map((part) => {
    const [name, ...parameters] = part.split(';').map((p) => p.trim());
    return {name: name.replaceAll('"', ''), hit: parameters.includes('hit'), forward: parameters.find((p) => p.startsWith('fwd='))?.slice(4)};
  });
}

/** {kind, text} of {status, cacheStatus, age, stored}; stored: the browser had it. */
export function outcome({status, cacheStatus, age, stored}) {
  if (status === 0) return {kind: 'none', text: 'no answer'};
  if (stored) return {kind: 'browser', text: 'browser’s copy'};
  const caches = cachesOf(cacheStatus), edge = caches.find(({name, hit}) => hit && name !== 'profiled'), pool = caches.find(({name}) => name === 'profiled');
  const old = age > 0 ? `, ${age} s old` : '';
  if (edge !== undefined) return {kind: 'edge', text: `${status === 304 ? '304, ' : ''}edge hit${old}`};
  if (status === 304) return {kind: 'same', text: `304${pool?.hit ? ', cache hit' : ''}`};
  if (status >= 400) return {kind: 'error', text: String(status)};
  if (pool?.hit) return {kind: 'pool', text: `${status}, cache hit`};
  if (pool?.forward === 'miss') return {kind: 'miss', text: `${status}, miss`};
  return {kind: 'plain', text: String(status)};
}
