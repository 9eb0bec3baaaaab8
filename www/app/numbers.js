/**
 * What two looks at /v1/status tell: rates, ratios and percentiles of the time between them. Pure: samples in, numbers out. A number
 * that cannot be told (nothing happened, or the pool began anew) is null.
 */

/** How many requests had each status, over all routes. */
export function statusesOf(status) {
  const sum = {};
  for (const {statuses} of status.routes)
    for (const [code, count] of Object.entries(statuses)) sum[code] = (sum[code] ?? 0) + count;
  return sum;
}

/* Between two counts; null where it went down: another pool. */
const gain = (now, before) => (now >= before ? now - before : null);

function ratio(hits, misses) {
  return hits === null || misses === null || hits + misses === 0 ? null : hits / (hits + misses);
}

/** Seconds between two samples. */
export const secondsBetween = (before, now) => (Date.parse(now.read_at) - Date.parse(before.read_at)) / 1000;

/** Requests a second by kind of answer. */
export function requestRates(before, now) {
  const seconds = secondsBetween(before, now), old = statusesOf(before), young = statusesOf(now);
  const rates = {good: 0, same: 0, refused: 0, failed: 0};
  if (!(seconds > 0)) return {good: null, same: null, refused: null, failed: null};
  for (const [code, count] of Object.entries(young)) {
    const more = gain(count, old[code] ?? 0);
    if (more === null) return {good: null, same: null, refused: null, failed: null};
    const kind = code === '304' ? 'same' : code[0] === '5' ? 'failed' : code[0] === '4' ? 'refused' : 'good';
    rates[kind] += more / seconds;
  }
  return rates;
}

/**
 * The duration in microseconds that a share of the requests between two samples stayed below, from the histogram: within a bucket
 * as if evenly spread, and above the last bound that bound.
 */
export function quantile(before, now, share) {
  const counts = now.latency.buckets.map(({count}, i) => gain(count, before.latency.buckets[i]?.count ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (counts.includes(null) || total === 0) return null;
  let left = share * total, low = 0;
  for (const [i, {le_us: high}] of now.latency.buckets.entries()) {
    if (counts[i] > 0 && left <= counts[i]) return high === null ? low : low + (high - low) * (left / counts[i]);
    left -= counts[i];
    low = high ?? low;
  }
  return low;
}

/** By how much a counter grew in a second. */
export function counterRate(before, now, name) {
  const seconds = secondsBetween(before, now), more = gain(now.counters[name] ?? 0, before.counters[name] ?? 0);
  return more === null || !(seconds > 0) ? null : more / seconds;
}

const sumRate = (before, now, test) => Object.keys(now.counters).filter(test).reduce((sum, name) => {
  const rate = counterRate(before, now, name);
  return rate === null || sum === null ? null : sum + rate;
}, 0);
export const invalidationRate = (before, now) => sumRate(before, now, (name) => name.startsWith('cache_invalidations_'));

const moreOf = (before, now, name) => gain(now.counters[name] ?? 0, before.counters[name] ?? 0);
export function cacheRatio(before, now) {
  const hits = moreOf(before, now, 'cache_hits'), negative = moreOf(before, now, 'cache_negative_hits');
  return ratio(hits === null || negative === null ? null : hits + negative, moreOf(before, now, 'cache_misses'));
}
export const memoRatio = (before, now) => ratio(moreOf(before, now, 'token_memo_hits'), moreOf(before, now, 'token_memo_misses'));

/** The longest that a cache in front has waited to confirm a change, in seconds; null: there is none. */
export function purgeLag(now) {
  const lags = now.edge?.addresses.map(({lag_seconds: lag}) => lag) ?? [];
  return lags.length === 0 ? null : Math.max(...lags);
}
