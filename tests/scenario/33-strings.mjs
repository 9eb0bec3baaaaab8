// Strings that break things: the big list of naughty strings, round trips byte for byte after NFC.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {test} from 'node:test';
import {assertProblem, scenario} from './lib/site.mjs';

const require = createRequire(import.meta.url);
const strings = JSON.parse(readFileSync(require.resolve('big-list-of-naughty-strings/blns.json'), 'utf8'));

// What a profile's own strings must not hold: controls (bio may hold newlines), what overrides or isolates a direction.
const forbidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;
const lone = /[\ud800-\udfff]/u;

scenario('naughty strings', {}, (at) => {
  test('the list is there', () => assert(strings.length > 400));

  test('attributes keep every string as it was sent, as value and as name', async () => {
    for (const string of strings) {
      const attributes = {value: string, [string]: [string, null]};
      if (Buffer.byteLength(JSON.stringify(attributes)) > 16384) continue;
      const answer = await at.site.put('/v1/me', {handle: 'str', attributes}, {as: 'str', match: '*'});
      assert.equal(answer.status, 200, `${JSON.stringify(string)}: ${answer.text}`);
      const got = await at.site.get('/v1/me', {as: 'str'});
      assert.deepEqual(got.json.attributes, attributes);
      assert(Buffer.from(got.json.attributes.value).equals(Buffer.from(string)));
    }
  });

  for (const member of ['bio', 'name'])
    test(`${member} brings back every string in NFC, or says what is wrong with it`, async () => {
      let kept = 0, refused = 0;
      for (const string of strings) {
        if (lone.test(string)) continue;
        const answer = await at.site.put('/v1/me', {handle: 'str', [member]: string}, {as: 'str', match: '*'});
        if (answer.status === 200) {
          kept++;
          assert(!forbidden.test(string.replaceAll('\r\n', '\n')), JSON.stringify(string));
          const got = (await at.site.get('/v1/profiles/str', {as: 'bob'})).json[member] ?? '';
          assert.equal(Buffer.from(got).toString('hex'), Buffer.from(string.normalize('NFC').replaceAll('\r\n', '\n')).toString('hex'), JSON.stringify(string));
        } else {
          refused++;
          const problem = assertProblem(answer, 422);
          assert.deepEqual(problem.errors.map((e) => e.pointer), [`/${member}`]);
          const long = [...string].length > (member === 'bio' ? 2000 : 256);
          assert(long || string === '' || forbidden.test(string) || (member === 'name' && string.includes('\n')), `refused without need: ${JSON.stringify(string)}`);
        }
      }
      assert(kept > 350, `${kept} kept, ${refused} refused`);
    });

  test('in an address, as id, handle and query: never a fault of the server\'s', async () => {
    for (const string of strings.filter((s) => s && !lone.test(s))) {
      const word = encodeURIComponent(string);
      for (const path of [`/v1/profiles/${word}`, `/v1/profiles/@${word}`, `/v1/profiles/str?${word}=1`, `/v1/${word}`]) {
        const answer = await at.site.get(path, {as: 'str'});
        assert([200, 400, 404, 414, 431].includes(answer.status), `${path}: ${answer.status}`);
      }
    }
  });

  test('in headers: never a fault of the server\'s', async () => {
    for (const string of strings.filter((s) => /^[\x20-\x7e]*$/.test(s))) {
      for (const name of ['If-None-Match', 'If-Match', 'If-Modified-Since', 'Prefer', 'Origin', 'Accept', 'X-Request-Id']) {
        const answer = await at.site.get('/v1/me', {as: 'str', headers: {[name]: string}});
        assert([200, 304, 400, 412].includes(answer.status), `${name}: ${string}: ${answer.status}`);
      }
      const answer = await at.site.get('/v1/me', {headers: {Authorization: string}});
      assert.equal(answer.status, 401);
    }
  });
}, (site) => site.make({id: 'str', handle: 'str'}));
