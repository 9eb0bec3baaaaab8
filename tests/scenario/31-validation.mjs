// What a profile may hold: every fault is listed with its pointer, nothing faulty is stored, what is good comes back as it went in.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {assertProblem, scenario} from './lib/site.mjs';

const nested = (depth) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);
const put = (site, body, options) => site.put('/v1/me', body, {as: 'val', match: '*', ...options});

scenario('validation', {}, (at) => {
  const malformed = [
    ['nothing', ''],
    ['cut short', '{"handle":"val"'],
    ['two values', '{"handle":"val"}{}'],
    ['a comma too many', '{"handle":"val",}'],
    ['a comment', '{"handle":"val"/**/}'],
    ['single quotes', "{'handle':'val'}"],
    ['a name twice', '{"handle":"val","handle":"val"}'],
    ['a name twice, once escaped', '{"handle":"val","h\\u0061ndle":"val"}'],
    ['a name twice, deep down', '{"handle":"val","attributes":{"a":[{"b":1,"b":1}]}}'],
    ['a byte order mark', Buffer.from('\ufeff{"handle":"val"}')],
    ['no UTF-8', Buffer.from('{"handle":"val","name":"\xff"}', 'latin1')],
    ['an overlong encoding', Buffer.concat([Buffer.from('{"handle":"val","name":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])],
    ['a surrogate in UTF-8', Buffer.concat([Buffer.from('{"handle":"val","name":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')])],
    ['half a surrogate pair', '{"handle":"val","name":"\\ud800"}'],
    ['a raw control character', '{"handle":"val","name":"a\u0001b"}'],
    ['a leading zero', '{"handle":"val","attributes":{"a":01}}'],
    ['NaN', '{"handle":"val","attributes":{"a":NaN}}'],
    ['deeper than 32', `{"handle":"val","attributes":${nested(32)}}`],
    ['far deeper', `{"handle":"val","attributes":${nested(9000)}}`],
    ['arrays far deeper', '['.repeat(30000)],
    ['UTF-16', Buffer.from('{"handle":"val"}', 'utf16le')],
  ];
  for (const [what, body] of malformed)
    test(`400: ${what}`, async () => assertProblem(await put(at.site, body), 400));

  for (const [what, body] of [['an array', '[]'], ['null', 'null'], ['a string', '"x"'], ['a number', '1'], ['true', 'true']])
    test(`no profile: ${what}`, async () => {
      const answer = await put(at.site, body);
      assert([400, 422].includes(answer.status), answer.text);
      assertProblem(answer, answer.status);
    });

  test('depth 32 is not too deep', async () => {
    const answer = await put(at.site, `{"handle":"val","attributes":${nested(31)}}`);
    assert.equal(answer.status, 200, answer.text);
  });

  // One fault each: the member, its value, the pointer if it is not the member's own.
  const faults = [
    ['handle', 'x'], ['handle', 'a'.repeat(31)], ['handle', 'with-dash'], ['handle', 'dot.ted'], ['handle', 'ümlaut'], ['handle', ''],
    ['handle', 7], ['handle', null], ['handle', 'spa ce'], ['handle', 'a\u0000b'],
    ['name', 7], ['name', 'a\nb'], ['name', 'a\u0000b'], ['name', 'a\u007fb'], ['name', 'a\u0085b'], ['name', '\u202etxet'],
    ['name', 'a\u2066b'], ['name', 'x'.repeat(257)], ['name', ['A']], ['name', {}],
    ['given_name', 'a\tb'], ['family_name', 'x'.repeat(129)], ['nickname', true], ['pronouns', 'x'.repeat(65)],
    ['bio', 'x'.repeat(2001)], ['bio', 'a\u0007b'], ['bio', 'a\u202db'],
    ['website', 'http://ann.example/'], ['website', 'ann.example'], ['website', '/relative'], ['website', 'https://'], ['website', 'javascript:alert(1)'],
    ['website', 'https://ann.example/ x'], ['website', 'https://ann.example/\u00e4"<>'], ['website', 'ftp://ann.example/'],
    ['picture', 'data:image/png;base64,AAAA'], ['picture', 'http://ann.example/a.png'], ['picture', `https://ann.example/${'x'.repeat(2048)}`],
    ['locale', 'german!'], ['locale', 'de_'], ['locale', '-'], ['locale', 'x'.repeat(40)],
    ['zoneinfo', 'Mars/Olympus'], ['zoneinfo', '../../etc/passwd'], ['zoneinfo', ''],
    ['email', 'ann'], ['email', 'ann@'], ['email', '@example.org'], ['email', 'ann@ex ample.org'], ['email', 'a@b@c.org'], ['email', `${'x'.repeat(250)}@e.org`],
    ['phone_number', '030123456'], ['phone_number', '+0123456'], ['phone_number', '+49 30 123'], ['phone_number', `+1${'2'.repeat(15)}`], ['phone_number', 49301234],
    ['birthdate', '1990-13-01'], ['birthdate', '1990-02-30'], ['birthdate', '1900-02-29'], ['birthdate', '90-01-01'], ['birthdate', '1990/01/01'], ['birthdate', '1990-1-1'],
    ['address', 'Berlin'], ['address', ['Berlin']], ['address', {locality: 7}, '/address/locality'], ['address', {locality: null}, '/address/locality'],
    ['address', {'a/b~c': {}}, '/address/a~1b~0c'], ['address', {locality: 'a\u0000'}, '/address/locality'],
    ['attributes', 'x'], ['attributes', []], ['attributes', 1], ['attributes', {big: 'x'.repeat(16400)}],
    ['visibility', 'public'], ['visibility', {name: 'secret'}, '/visibility/name'], ['visibility', {name: true}, '/visibility/name'],
    ['visibility', {shoe_size: 'private'}, '/visibility/shoe_size'], ['visibility', {id: 'private'}, '/visibility/id'], ['visibility', {handle: 'private'}, '/visibility/handle'],
    ['id', 'other'], ['version', 0], ['version', 'x'], ['created_at', '1970-01-01T00:00:00.000Z'], ['updated_at', null], ['state', 'suspended'], ['state', 'odd'], ['email_verified', true],
    ['shoe_size', 43], ['__proto__', {}], ['', 'x', '/'], ['a/b', 1, '/a~1b'], ['Handle', 'val'],
  ];
  for (const [member, value, pointer = `/${member}`] of faults) {
    const shown = JSON.stringify(value);
    test(`422 at ${pointer}: ${shown.length > 60 ? `${shown.slice(0, 57)}…` : shown}`, async () => {
      const before = (await at.site.get('/v1/me', {as: 'val'})).text;
      const text = member === 'handle' ? `{"handle":${shown}}` : `{"handle":"val",${JSON.stringify(member)}:${shown}}`;
      const problem = assertProblem(await put(at.site, text), 422);
      assert.deepEqual(problem.errors.map((e) => e.pointer), [pointer]);
      assert.equal(typeof problem.errors[0].detail, 'string');
      assert.equal((await at.site.get('/v1/me', {as: 'val'})).text, before);
    });
  }

  test('422 where the handle is missing', async () => {
    const problem = assertProblem(await put(at.site, {name: 'Nobody'}), 422);
    assert(problem.errors.some((e) => e.pointer === '/handle' || e.pointer === ''), JSON.stringify(problem));
    assertProblem(await at.site.patch('/v1/me', {handle: null}, {as: 'val', match: '*'}), 422);
  });

  test('every fault of a body is listed at once', async () => {
    const problem = assertProblem(await put(at.site, {
      handle: 'x', website: 'http://a.example', email: 'nope', birthdate: '2020-13-01', address: {a: 1, b: 'fine', c: []},
      visibility: {name: 'secret', id: 'private'}, zoneinfo: 'Mars/Base', locale: '_', nonsense: 1, name: 'a\u202eb', phone_number: '1',
    }), 422);
    assert.deepEqual(problem.errors.map((e) => e.pointer).sort(), ['/address/a', '/address/c', '/birthdate', '/email', '/handle', '/locale', '/name',
      '/nonsense', '/phone_number', '/visibility/id', '/visibility/name', '/website', '/zoneinfo'].sort());
  });

  test('more faults than anybody reads are cut off, not stored', async () => {
    const many = Object.fromEntries(Array.from({length: 3000}, (_, i) => [`m${i}`, i]));
    const problem = assertProblem(await put(at.site, {handle: 'val', ...many}), 422);
    assert(problem.errors.length >= 10);
  });

  const good = [
    ['handle', 'ab', 'ab'], ['handle', 'A'.repeat(30), 'a'.repeat(30)], ['handle', '__', '__'], ['handle', '007', '007'],
    ['name', 'x'.repeat(256)], ['name', '😀'.repeat(256)], ['name', 'e\u0301', '\u00e9'], ['name', '\u212b', '\u00c5'], ['name', "O'Neil \"Bob\" \\ <b>"],
    ['name', '\u05d0\u05d1 abc'], ['bio', 'one\ntwo\n'], ['bio', 'x'.repeat(2000)],
    ['website', 'https://ann.example'], ['website', 'https://ann.example:8443/a/b?c=d#e'], ['picture', 'https://[2001:db8::1]/p.png'],
    ['locale', 'de'], ['locale', 'zh-Hant-TW'], ['locale', 'en-US'],
    ['zoneinfo', 'Europe/Berlin'], ['zoneinfo', 'America/Argentina/Buenos_Aires'], ['zoneinfo', 'UTC'],
    ['email', 'ann+tag@sub.example.org'], ['phone_number', '+4930123456'], ['phone_number', '+123456789012345'],
    ['birthdate', '2000-02-29'], ['birthdate', '1990'], ['birthdate', '0000-02-28'],
    ['address', {formatted: 'Line 1\nLine 2'.replace('\n', ', '), country: 'DE'}],
    ['attributes', {}], ['attributes', {n: null, a: [1, -0.5, 1e3, true, {}], s: 'x', '': 0}],
    ['visibility', {email: 'public', bio: 'private'}, undefined],
  ];
  for (const [member, value, stored = value] of good) {
    const shown = JSON.stringify(value);
    test(`good: ${member} ${shown.length > 60 ? `${shown.slice(0, 57)}…` : shown}`, async () => {
      const answer = await put(at.site, {handle: 'val', [member]: value});
      assert.equal(answer.status, 200, answer.text);
      if (member === 'visibility') {
        assert.equal(answer.json.visibility.email, 'public');
        assert.equal(answer.json.visibility.bio, 'private');
      } else assert.deepEqual(answer.json[member], stored);
    });
  }

  test('attributes are kept as they were sent: order, numbers, escapes, nulls', async () => {
    const attributes = '{"z":1.5,"a":{"b":null,"":[]},"int":9007199254740993,"big":9223372036854775807,"neg":-9223372036854775808,"half":0.1,"tiny":1e-7,"huge":1e300,"u":"\u00e9e\u0301\u202e\u0007 \u2028"}';
    const body = `{"handle":"val","attributes":${attributes.replace('\u0007', '\\u0007')}}`;
    assert.equal((await put(at.site, body)).status, 200);
    const text = (await at.site.get('/v1/me', {as: 'val'})).text;
    const kept = /"attributes":(\{.*?\}),"(?:visibility|state|version)"/s.exec(text)[1];
    assert.deepEqual(JSON.parse(kept), JSON.parse(attributes.replace('\u0007', '\\u0007')));
    for (const number of ['9007199254740993', '9223372036854775807', '-9223372036854775808', '0.1']) assert(kept.includes(number), number);
    assert.deepEqual([...kept.matchAll(/"(z|a|int|big|neg|half|tiny|huge|u)":/g)].map((m) => m[1]), ['z', 'a', 'int', 'big', 'neg', 'half', 'tiny', 'huge', 'u']);
    assert(kept.includes('e\u0301'), 'attributes are not brought to NFC');
  });

  test('attributes of just the longest length', async () => {
    const fit = {handle: 'val', attributes: {a: 'x'.repeat(16384 - '{"a":""}'.length)}};
    assert.equal((await put(at.site, fit)).status, 200);
    assertProblem(await put(at.site, {handle: 'val', attributes: {a: `${fit.attributes.a}x`}}), 422);
  });
}, (site) => site.make({id: 'val', handle: 'val'}));
