// BLAKE2b (RFC 7693) with a key and any length, which Node lacks: an implementation that is not the server's.
const IV = [0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n, 0x510e527fade682d1n, 0x9b05688c2b3e6c1fn,
  0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n];
const SIGMA = [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4], [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13], [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11], [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5], [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0]];
const MIX = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
const low = (x) => BigInt.asUintN(64, x);
const turn = (x, n) => low((x >> n) | (x << (64n - n)));

function compress(h, block, count, last) {
  const m = Array.from({length: 16}, (_, i) => block.readBigUInt64LE(8 * i)), v = [...h, ...IV];
  v[12] ^= BigInt(count);
  if (last) v[14] ^= low(-1n);
  for (let round = 0; round < 12; round++)
    MIX.forEach(([a, b, c, d], i) => {
      const s = SIGMA[round % 10];
      v[a] = low(v[a] + v[b] + m[s[2 * i]]); v[d] = turn(v[d] ^ v[a], 32n); v[c] = low(v[c] + v[d]); v[b] = turn(v[b] ^ v[c], 24n);
      v[a] = low(v[a] + v[b] + m[s[2 * i + 1]]); v[d] = turn(v[d] ^ v[a], 16n); v[c] = low(v[c] + v[d]); v[b] = turn(v[b] ^ v[c], 63n);
    });
  return h.map((x, i) => x ^ v[i] ^ v[i + 8]);
}

export function blake2b(message, length, key = Buffer.alloc(0)) {
  const data = Buffer.concat([key.length ? Buffer.concat([key, Buffer.alloc(128 - key.length)]) : key, Buffer.from(message)]);
  let h = [...IV];
  h[0] ^= BigInt(0x01010000 ^ (key.length << 8) ^ length);
  const blocks = Math.max(1, Math.ceil(data.length / 128)), padded = Buffer.concat([data, Buffer.alloc(128 * blocks - data.length)]);
  for (let i = 0; i < blocks; i++) h = compress(h, padded.subarray(128 * i, 128 * i + 128), Math.min(128 * (i + 1), data.length), i === blocks - 1);
  const out = Buffer.alloc(64);
  h.forEach((x, i) => out.writeBigUInt64LE(x, 8 * i));
  return out.subarray(0, length);
}
