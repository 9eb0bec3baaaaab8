/** A public view as a person sees it: the page of a profile, and the preview beside the editor. */

import {base} from './page.js';
import {addressParts, fieldOf} from './fields.js';
import {el} from './dom.js';

/**
 * Where a picture is shown from: this server's own by way of this page's address, which need not be https as pictures' are, and as
 * small as it will be seen. undefined: from nowhere.
 */
export function pictureOf(picture, size) {
  let url;
  try { url = new URL(picture); } catch { return undefined; }
  const [, hash] = /\/v1\/avatars\/([A-Za-z0-9_-]+)$/.exec(url.pathname) ?? [];
  if (url.host === location.host && hash !== undefined) return `${base}/v1/avatars/${hash}?s=${size}`;
  return url.protocol === 'https:' ? url.href : undefined;
}

/** A face: the picture, or initials on a colour of one's own. size in CSS pixels. */
export function face({handle = '', name, picture}, size) {
  const letters = [...(name ?? handle).normalize('NFC').matchAll(/(?:^|[\s._-])([\p{L}\p{N}])/gu)].map(([, c]) => c).slice(0, 2).join('').toUpperCase() || '·';
  const node = el('span', {class: 'face', 'aria-hidden': 'true'}, letters);
  node.style.setProperty('--size', `${size}px`);
  node.style.setProperty('--hue', String([...handle].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7)));
  const src = picture === undefined ? undefined : pictureOf(picture, size > 96 ? 256 : size > 48 ? 96 : 48);
  if (src !== undefined) {
    const img = el('img', {alt: '', width: size, height: size, loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer'});
    img.addEventListener('error', () => img.remove(), {once: true});
    img.src = src;
    node.append(img);
  }
  return node;
}

function zoneText(zone) {
  try {
    return `${zone.replaceAll('_', ' ')}, ${new Intl.DateTimeFormat(undefined, {timeZone: zone, hour: '2-digit', minute: '2-digit'}).format(new Date())} there now`;
  } catch { return zone; }
}

function languageText(tag) {
  try { return `${new Intl.DisplayNames(undefined, {type: 'language'}).of(tag)} (${tag})`; } catch { return tag; }
}

/* Values of any shape, three deep as lists, beyond that as JSON. */
export function valueNode(value, depth = 0) {
  if (value === null || typeof value !== 'object') return el('span', {}, String(value));
  if (depth > 2) return el('code', {}, JSON.stringify(value));
  if (Array.isArray(value)) {
    if (value.every((v) => typeof v !== 'object' || v === null)) return el('span', {}, value.map(String).join(', '));
    return el('ul', {}, value.map((v) => el('li', {}, valueNode(v, depth + 1))));
  }
  return el('dl', {class: 'tree'}, Object.entries(value).flatMap(([name, v]) => [el('dt', {}, name), el('dd', {}, valueNode(v, depth + 1))]));
}

/** The card of a public view. heading: the level of its heading. */
export function card(profile, heading = 'h1') {
  const {handle, name, given_name: given, family_name: family, nickname, pronouns, bio} = profile;
  const facts = [];
  const fact = (field, node) => { if (profile[field] !== undefined) facts.push(el('dt', {}, fieldOf(field).label), el('dd', {}, node)); };
  const full = [given, family].filter(Boolean).join(' ');
  if (full !== '' && full !== name) facts.push(el('dt', {}, 'Full name'), el('dd', {}, full));
  fact('nickname', nickname);
  fact('website', /^https:\/\//.test(profile.website ?? '') ? el('a', {href: profile.website, rel: 'nofollow noopener noreferrer me', referrerpolicy: 'no-referrer'}, profile.website.replace(/^https:\/\/|\/$/g, '')) : profile.website);
  fact('locale', languageText(profile.locale));
  fact('zoneinfo', profile.zoneinfo && zoneText(profile.zoneinfo));
  fact('email', [profile.email, profile.email_verified === true && el('span', {class: 'tag pool'}, 'verified')].filter(Boolean));
  fact('phone_number', profile.phone_number);
  fact('birthdate', profile.birthdate);
  if (profile.address !== undefined)
    fact('address', addressParts.filter(([part]) => profile.address[part]).map(([part]) => el('div', {class: 'line'}, profile.address[part])));
  if (profile.attributes !== undefined && Object.keys(profile.attributes).length > 0) fact('attributes', valueNode(profile.attributes));
  return el('article', {class: 'card'},
    el('header', {}, face(profile, 96), el('div', {},
      el(heading, {}, name ?? `@${handle}`),
      el('p', {class: 'handle'}, `@${handle}`, pronouns && el('span', {class: 'pronouns'}, pronouns)))),
    bio && el('p', {class: 'bio'}, bio),
    facts.length > 0 && el('dl', {class: 'facts'}, facts));
}
