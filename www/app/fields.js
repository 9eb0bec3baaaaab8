/**
 * The fields of a profile as the pages show and edit them, and a profile as a flat map of what can be edited: 'handle', each
 * field's name, and 'visibility/NAME'. Two flat maps make a JSON Patch (RFC 6902), and three a conflict.
 */

/* kind: text, prose, url, zone, flag, address, free. hidden: starts private. */
export const fields = [
  {name: 'name', label: 'Name', kind: 'text', most: 256, hint: 'As you want to be called.', fill: 'name'},
  {name: 'given_name', label: 'Given name', kind: 'text', most: 128, fill: 'given-name'},
  {name: 'family_name', label: 'Family name', kind: 'text', most: 128, fill: 'family-name'},
  {name: 'nickname', label: 'Nickname', kind: 'text', most: 128, fill: 'nickname'},
  {name: 'pronouns', label: 'Pronouns', kind: 'text', most: 64},
  {name: 'bio', label: 'About you', kind: 'prose', most: 2000},
  {name: 'picture', label: 'Picture', kind: 'url', most: 2048, hint: 'An https address; or upload one above.'},
  {name: 'website', label: 'Website', kind: 'url', most: 2048, hint: 'An https address.', fill: 'url'},
  {name: 'locale', label: 'Language', kind: 'text', most: 35, hint: 'A language tag, as de-CH or pt-BR.'},
  {name: 'zoneinfo', label: 'Time zone', kind: 'zone', most: 64, hint: 'As Europe/Zurich.'},
  {name: 'email', label: 'Email', kind: 'text', most: 254, hidden: true, fill: 'email', mode: 'email'},
  {name: 'email_verified', label: 'Email verified', kind: 'flag', hidden: true},
  {name: 'phone_number', label: 'Phone', kind: 'text', most: 16, hidden: true, hint: 'With the country’s code: +41441234567.', fill: 'tel', mode: 'tel'},
  {name: 'birthdate', label: 'Birthday', kind: 'text', most: 10, hidden: true, hint: '1990-05-17, or 1990 alone, or 0000-05-17 without the year.', fill: 'bday'},
  {name: 'address', label: 'Address', kind: 'address', hidden: true},
  {name: 'attributes', label: 'Attributes', kind: 'free', hint: 'A JSON object of the application’s own, up to 16 KiB.'},
];

/** The parts of an address (OpenID Connect Core section 5.1.1). */
export const addressParts = [
  ['street_address', 'Street', 'street-address'], ['postal_code', 'Postal code', 'postal-code'], ['locality', 'Town', 'address-level2'],
  ['region', 'Region', 'address-level1'], ['country', 'Country', 'country-name'], ['formatted', 'As on a label', undefined],
];

export const fieldOf = (name) => fields.find((field) => field.name === name);
export const isPublic = (profile, {name, hidden = false}) => (profile.visibility?.[name] ?? (hidden ? 'private' : 'public')) === 'public';

/** What a person would call an entry of a flat map. */
export function labelOf(key) {
  if (key === 'handle') return 'Handle';
  const [first, second] = key.split('/');
  return second === undefined ? fieldOf(first)?.label ?? first : `${fieldOf(second)?.label ?? second}: who sees it`;
}

/** The flat map of an owner's view. */
export function flatten(profile) {
  const flat = new Map([['handle', profile.handle]]);
  for (const field of fields) {
    if (profile[field.name] !== undefined) flat.set(field.name, profile[field.name]);
    flat.set(`visibility/${field.name}`, isPublic(profile, field) ? 'public' : 'private');
  }
  return flat;
}

export const same = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
function sorted(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])]));
}

/** The keys whose entries differ, in the fields' order. */
export function differing(a, b) {
  return order.filter((key) => !same(a.get(key), b.get(key)));
}
const order = ['handle', ...fields.map(({name}) => name), ...fields.map(({name}) => `visibility/${name}`)];

/** The JSON Patch from one flat map to another. A merge patch could not set a null inside of attributes. */
export function patchOf(from, to) {
  return differing(from, to).map((key) => (to.has(key) ? {op: 'add', path: `/${key}`, value: to.get(key)} : {op: 'remove', path: `/${key}`}));
}

/**
 * What two that edited one version at once have each done: rows of {key, before, mine, theirs, clash}, those left out that come
 * to the same.
 */
export function threeWay(before, mine, theirs) {
  return order.filter((key) => !same(mine.get(key), theirs.get(key))).map((key) => ({
    key, before: before.get(key), mine: mine.get(key), theirs: theirs.get(key),
    clash: !same(before.get(key), mine.get(key)) && !same(before.get(key), theirs.get(key)),
  }));
}

/** What everybody else would see of a flat map. */
export function publicOf(flat) {
  const seen = {handle: flat.get('handle') ?? ''};
  for (const {name} of fields)
    if (flat.has(name) && flat.get(`visibility/${name}`) === 'public') seen[name] = flat.get(name);
  return seen;
}
