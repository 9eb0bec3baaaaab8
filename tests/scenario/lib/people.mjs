// Made-up people, as many as are wanted and always the same ones: names of syllables whose frequencies fall as those of real names do
// (Zipf-Mandelbrot: the commonest given name is borne by one in a hundred), some with accents, some in other scripts, and handles made of them.

/** Numbers in [0, 1), the same for the same seed. */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const ONSETS = ['', 'b', 'br', 'c', 'ch', 'cl', 'd', 'f', 'g', 'gr', 'h', 'j', 'k', 'l', 'm', 'm', 'm', 'n', 'p', 'r', 's', 's', 'sh', 'st', 't', 'th', 'v', 'w', 'y', 'z'];
const VOWELS = ['a', 'a', 'a', 'e', 'e', 'i', 'i', 'o', 'u', 'ai', 'ea'];
const CODAS = ['', '', '', '', 'n', 'n', 'r', 's', 'l', 'm', 'd', 'ck', 'rt'];
const ACCENTS = {a: 'áàâäãå', e: 'éèêë', i: 'íîï', o: 'óôöõ', u: 'úûü', n: 'ñ', c: 'ç', s: 'š', z: 'ž'};
const HAN = '王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严覃武';
const CYRILLIC = ['Иван', 'Анна', 'Мария', 'Сергей', 'Ольга', 'Дмитрий', 'Елена', 'Никита', 'Юлия', 'Фёдор'];

const pick = (list, r) => list[Math.floor(r() * list.length)];
const capital = (word) => word[0].toUpperCase() + word.slice(1);

function words(count, syllables, seed) {
  const r = random(seed), seen = new Set();
  while (seen.size < count) {
    let word = '';
    for (let left = syllables[Math.floor(r() * syllables.length)]; left > 0; left--) word += pick(ONSETS, r) + pick(VOWELS, r) + pick(CODAS, r);
    if (word.length > 2) seen.add(word.slice(0, 12));
  }
  return [...seen];
}

/** A function that gives words of a list, the k-th with a weight of 1/(k+shift). */
function zipf(list, shift) {
  const sums = [];
  let sum = 0;
  for (let k = 0; k < list.length; k++) sums.push((sum += 1 / (k + 1 + shift)));
  return (r) => {
    const at = r() * sum;
    let low = 0, high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] > at) high = middle;
      else low = middle + 1;
    }
    return list[low];
  };
}

const given = zipf(words(6000, [1, 2, 2, 2, 3], 1), 15), family = zipf(words(60000, [1, 2, 2, 3], 2), 30);

function accented(word, r) {
  const at = Math.floor(r() * word.length), choice = ACCENTS[word[at]];
  return choice ? word.slice(0, at) + pick([...choice], r) + word.slice(at + 1) : word;
}

/** The n-th of them: {id, handle, name}. */
export function person(n) {
  const r = random(n * 2654435761 + 17);
  const first = given(r), last = family(r), kind = r();
  let name = `${capital(r() < 0.2 ? accented(first, r) : first)} ${capital(r() < 0.2 ? accented(last, r) : last)}`;
  if (kind < 0.05) name = pick([...HAN], r) + pick([...HAN], r) + (r() < 0.6 ? pick([...HAN], r) : '');
  else if (kind < 0.08) name = `${pick(CYRILLIC, r)} ${capital(last)}`;
  else if (kind < 0.1) name += ' 🌻';
  else if (kind < 0.2) name = `${capital(given(r))} ${name}`;
  const ways = [`${first}${last}`, `${first}_${last}`, `${first[0]}${last}`, `${last}_${first}`, first];
  return {id: `p${n}`, handle: `${pick(ways, r).slice(0, 23)}${n.toString(36)}`, name};
}

/** Their lines for `profiled import`, in pieces. */
export function* people(count, more = {}) {
  let piece = '';
  for (let n = 0; n < count; n++) {
    piece += `${JSON.stringify({...person(n), ...more})}\n`;
    if (piece.length > 1 << 18) {
      yield piece;
      piece = '';
    }
  }
  yield piece;
}
