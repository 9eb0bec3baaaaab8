// Avatars: what is taken for an image and what is not, that each is kept once and for as long as it is held, thumbnails, and that
// neither a slow client nor a malicious image costs others anything.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {FakeEdge, KEY} from './lib/edge.mjs';
import {Held, straight} from './lib/fastcgi.mjs';
import {TYPES, animatedWebp, avif, greyPng, images, jpeg, manyScans, measure, png, pngOf, turned, webp} from './lib/images.mjs';
import {children, run, sleep, start, until} from './lib/process.mjs';
import {Site, assertProblem, assertUnauthorized, scenario} from './lib/site.mjs';

const MIB = 1048576, HASH = /\/v1\/avatars\/([0-9a-f]{64})$/;
let serial = 0;
async function person(site, profile = {}) {
  const id = `p${++serial}`;
  await site.make({id, handle: `person_${serial}`, ...profile});
  return id;
}
const upload = (site, id, image, {path = '/v1/me/avatar', type = 'image/png', as = id, ...more} = {}) => site.put(path, image, {as, type, ...more});
const pathOf = (picture) => new URL(picture).pathname;
const count = async (site, table = 'images') => Number((await run('sqlite3', [`file:${site.database}?mode=ro`, `SELECT count(*) FROM ${table}`])).out);
const sql = async (site, text) => {
  const how = await run('flock', [`${site.database}.lock`, 'sqlite3', site.database, `PRAGMA wal_autocheckpoint=0; PRAGMA busy_timeout=5000; ${text}`]);
  assert.equal(how.code, 0, how.err);
};
/** Puts one and gives its path. */
async function given(site, id, image) {
  const answer = await upload(site, id, image);
  assert([200, 201].includes(answer.status), answer.text);
  return pathOf(answer.json.picture);
}
let shade = 0;
/** An image that nobody else has. */
const unique = () => greyPng(8 + (++shade % 50), 8 + Math.floor(shade / 50), undefined, 20 + shade);

scenario('avatars', {}, (at) => {
  for (const [name, image] of Object.entries(images)) {
    test(`${name}: what was sent comes back, and so do its thumbnails`, async () => {
      const {site} = at, id = await person(site);
      const before = (await site.get(`/v1/profiles/${id}`, {as: id})).etag;
      const put = await upload(site, id, image, {type: 'application/octet-stream'});
      assert.equal(put.status, 201, put.text);
      assert.equal(put.header('location'), put.json.picture);
      assert.equal(put.header('cache-control'), 'private, no-cache');
      assert.equal(put.etag, undefined);
      assert.match(put.json.picture, HASH);
      assert(put.json.picture.startsWith(`https://127.0.0.1:${site.port}/v1/avatars/`) || put.json.picture.startsWith('https://127.0.0.1/'), put.json.picture);
      const shown = await site.get(`/v1/profiles/${id}`, {as: 'bob'});
      assert.equal(shown.json.picture, put.json.picture);
      assert.notEqual(shown.etag, before, 'the profile changed');

      const path = pathOf(put.json.picture), hash = HASH.exec(path)[1];
      const got = await site.get(path);
      assert.equal(got.status, 200, got.text);
      assert(got.body.equals(image));
      assert.equal(got.header('content-type'), TYPES[name]);
      assert.equal(got.header('content-length'), String(image.length));
      assert.equal(got.header('cache-control'), 'public, max-age=86400, immutable');
      assert.match(got.header('content-security-policy'), /(^|; )sandbox($|;)/);
      assert.equal(got.header('x-content-type-options'), 'nosniff');
      assert.equal(got.header('content-disposition'), 'inline');
      assert.equal(got.etag, `"${hash}"`);
      for (const absent of ['x-request-id', 'vary', 'surrogate-key', 'cdn-cache-control', 'cache-status']) assert.equal(got.header(absent), undefined, absent);
      const head = await site.head(path);
      assert.equal(head.status, 200);
      assert.equal(head.body.length, 0);
      for (const same of ['etag', 'content-type', 'cache-control', 'content-length']) assert.equal(head.header(same), got.header(same), same);

      for (const [size, side] of [[48, 48], [96, 48], [256, 48]]) { // never larger than the original's square
        const small = await site.get(`${path}?s=${size}`);
        assert.equal(small.status, 200, small.text);
        assert.deepEqual(measure(small.body), [name, side, side]);
        assert.equal(small.header('content-type'), TYPES[name]);
        assert.equal(small.header('cache-control'), got.header('cache-control'));
        assert.equal(small.etag, `"${hash}-${size}"`);
        assert.equal((await site.get(`${path}?s=${size}`, {none: small.etag})).status, 304);
        assert.equal((await site.get(`${path}?s=${size}`, {none: got.etag})).status, 200, 'another representation');
      }
      for (const none of [got.etag, `"x", W/${got.etag}`, '*', got.etag.replace(/"$/, '-gzip"')]) {
        const same = await site.get(path, {none});
        assert.equal(same.status, 304, none);
        assert.equal(same.body.length, 0);
        assert.equal(same.etag, got.etag);
        assert.equal(same.header('cache-control'), got.header('cache-control'));
      }
      const range = await site.get(path, {headers: {Range: 'bytes=0-3'}});
      assert([200, 206].includes(range.status));
      assert(range.body.equals(range.status === 206 ? image.subarray(0, 4) : image));
    });
  }

  test('the type is what the bytes say; a Content-Type that is no image\'s is not taken', async () => {
    const {site} = at, id = await person(site);
    assert.equal((await upload(site, id, webp, {type: 'image/png; charset=x'})).status, 201);
    assert.equal((await site.get(pathOf((await site.get('/v1/me', {as: id})).json.picture))).header('content-type'), 'image/webp');
    assert.equal((await upload(site, id, webp, {type: null})).status, 200);
    assert.equal((await upload(site, id, webp, {type: 'IMAGE/GIF'})).status, 200);
    for (const type of ['application/json', 'text/html', 'multipart/form-data; boundary=x', 'image', 'image/', 'x-image/png']) {
      const answer = await upload(site, id, webp, {type});
      assertProblem(answer, 415);
      assert.equal(answer.header('accept'), 'image/png, image/jpeg, image/webp, image/avif');
    }
  });

  test('what is no image, or too large a one, changes nothing', async () => {
    const {site} = at, id = await person(site, {picture: 'https://example.org/me.png'});
    const held = await count(site), etag = (await site.get('/v1/me', {as: id})).etag;
    const zeros = Buffer.alloc(40);
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), gif = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAA=', 'base64');
    const bad = {nothing: Buffer.alloc(0), zeros, svg, gif, html: Buffer.from('<html><script>alert(1)</script></html>'), 'a signature': png.subarray(0, 8),
      'a shifted one': Buffer.concat([Buffer.from(' '), png]), 'a wide header': greyPng(8, 8, [4097, 8]), 'a high header': greyPng(8, 8, [8, 60000]),
      'one that overflows': greyPng(8, 8, [0x7fffffff, 0x7fffffff]), 'no pixels': greyPng(8, 8, [0, 8]), 'a header that promises more': greyPng(8, 8, [4096, 4096]),
      'cut PNG': png.subarray(0, png.length - 20), 'cut JPEG': jpeg.subarray(0, jpeg.length - 30), 'cut WebP': webp.subarray(0, webp.length - 10), 'cut AVIF': avif.subarray(0, avif.length - 40)};
    const random = Buffer.from(jpeg);
    random.fill(0xaa, 20, 160);
    bad['a broken JPEG'] = random;
    for (const [what, image] of Object.entries(bad)) {
      const answer = await upload(site, id, image);
      assert.equal(answer.status, 422, `${what}: ${answer.text}`);
      const problem = assertProblem(answer, 422);
      assert.match(problem.type, /#invalid-image$/, what);
      assert(problem.detail.length > 10, what);
    }
    assertProblem(await upload(site, id, pngOf(MIB + 1)), 413);
    assertProblem(await upload(site, id, Buffer.alloc(3 * MIB)), 413);
    assert.equal(await count(site), held);
    assert.equal((await site.get('/v1/me', {as: id})).etag, etag);
    assert.equal((await upload(site, id, pngOf(MIB))).status, 201, '1 MiB is not over 1 MiB');
    const {picture} = (await site.get('/v1/me', {as: id})).json;
    const got = await site.get(pathOf(picture));
    assert(got.body.equals(pngOf(MIB)), 'in pieces, and whole');
    assert.equal((await site.delete('/v1/me/avatar', {as: id})).status, 204);
  });

  test('16 million pixels in a small file are decoded; a JPEG of 24,000 scans is not, and holds nobody up', async () => {
    const {site} = at, id = await person(site);
    assert.equal((await upload(site, id, greyPng(4096, 4096))).status, 201);
    const begun = Date.now(), bomb = upload(site, id, manyScans());
    await sleep(300);
    const quick = Date.now();
    assert.equal((await site.get('/v1/me', {as: id})).status, 200);
    assert(Date.now() - quick < 3000);
    const status = (pid) => { try { return readFileSync(`/proc/${pid}/status`, 'utf8'); } catch { return ''; } };
    await until('a child in its sandbox', () => site.workers().flatMap(children).some((pid) => /^Name:\s+profiled\n[^]*NoNewPrivs:\s+1\n[^]*Seccomp:\s+2\n/.test(status(pid))));
    const answer = await bomb;
    assert([422, 503].includes(answer.status), answer.text);
    assert(Date.now() - begun < 15000);
    await until('the child is gone', () => site.workers().flatMap(children).length === 0);
  });

  test('more images at once than may be decoded are told to come back', async () => {
    const {site} = at, ids = await Promise.all(Array.from({length: 4}, () => person(site)));
    // Somebody else has both of the slots.
    const script = `import fcntl,struct,sys,time
f=open(sys.argv[1],'r+b')
for i in (64,65): fcntl.fcntl(f,37,struct.pack('hhqqi4x',fcntl.F_WRLCK,0,i,1,0))
print('held', flush=True); time.sleep(60)`;
    const log = join(site.folder, 'holder.log'), holder = start(log, 'python3', ['-c', script, `${site.database}.lock`]);
    await until('the slots are taken', () => readFileSync(log, 'utf8').includes('held'));
    const answers = await Promise.all(ids.map((id) => upload(site, id, unique())));
    await holder.stop();
    for (const answer of answers) {
      assertProblem(answer, 503);
      assert.equal(answer.header('retry-after'), '1');
    }
    assert.equal((await upload(site, ids[0], unique())).status, 201);
  });

  test('workers never map the decoders', () => {
    for (const pid of at.site.workers()) assert.doesNotMatch(readFileSync(`/proc/${pid}/maps`, 'utf8'), /libgd|libavif|libaom|libjpeg/);
  });

  test('one\'s own; an administrator all; nobody else\'s, and no image for nobody', async () => {
    const {site} = at, id = await person(site), other = await person(site);
    const path = `/v1/profiles/${id}/avatar`;
    assertUnauthorized(await site.put(path, png, {type: 'image/png'}), {error: null});
    assertProblem(await upload(site, other, png, {path}), 403);
    assertProblem(await upload(site, id, png, {path, scope: 'profile:read'}), 403);
    assertProblem(await site.delete(path, {as: other}), 403);
    assert.equal((await upload(site, id, png, {path})).status, 201);
    assert.equal((await upload(site, id, webp, {path, as: 'admin'})).status, 200);
    assertProblem(await upload(site, 'nobody', png), 404);
    assertProblem(await upload(site, id, png, {path: '/v1/profiles/nobody/avatar', as: 'admin'}), 404);
    assertProblem(await upload(site, id, png, {path: '/v1/profiles/@x/avatar', as: 'admin'}), 404);
    assertProblem(await upload(site, id, png, {path: '/v1/me/avatar?s=48'}), 400);
    assertProblem(await site.get('/v1/me/avatar', {as: id}), 405);
    assert.equal((await site.delete(path, {as: 'admin'})).status, 204);
    assertProblem(await site.delete(path, {as: 'admin'}), 404);
    assert.equal((await site.get('/v1/me', {as: id})).json.picture, undefined);
    const minimal = await upload(site, id, png, {headers: {Prefer: 'return=minimal'}});
    assert.equal(minimal.status, 201);
    assert.equal(minimal.body.length, 0);
    assert.equal((await upload(site, id, png, {headers: {Prefer: 'return=minimal'}})).status, 204);
  });

  test('conditions that are sent count, though none is needed', async () => {
    const {site} = at, id = await person(site);
    assertProblem(await upload(site, id, png, {match: '*'}), 412);
    const first = await upload(site, id, png, {none: '*'});
    assert.equal(first.status, 201);
    assertProblem(await upload(site, id, webp, {none: '*'}), 412);
    const etag = `"${HASH.exec(first.json.picture)[1]}"`;
    assertProblem(await upload(site, id, webp, {match: '"x"'}), 412);
    assert.equal((await upload(site, id, webp, {match: etag})).status, 200);
    assertProblem(await site.delete('/v1/me/avatar', {as: id, match: etag}), 412);
    assert.equal((await site.delete('/v1/me/avatar', {as: id, match: '*'})).status, 204);
  });

  test('addresses that are none', async () => {
    const {site} = at, path = await given(site, await person(site), unique());
    for (const wrong of ['/v1/avatars/x', `${path}0`, path.slice(0, -1), `/v1/avatars/${'0'.repeat(64)}`, path.replace(/.$/, 'G')]) {
      const answer = await site.get(wrong);
      assertProblem(answer, 404);
      assert.equal(answer.header('cache-control'), 'no-store');
    }
    for (const query of ['s=', 's=0', 's=47', 's=048', 's=48&s=48', 's=48.0', 's=-48', 's=99999999999999999999', 'S=48', 'size=48', 's=48&x=1'])
      assertProblem(await site.get(`${path}?${query}`), 400);
    assertProblem(await site.put(path, png, {type: 'image/png'}), 405);
  });

  test('kept once, and dropped with the last that holds it, however that one goes', async () => {
    const {site} = at, image = unique(), before = await count(site), thumbs = await count(site, 'thumbnails');
    const a = await person(site), b = await person(site);
    const path = await given(site, a, image);
    assert.equal(await given(site, b, image), path, 'the address is of the content');
    assert.equal(await given(site, b, image), path, 'and again');
    assert.deepEqual([await count(site), await count(site, 'thumbnails')], [before + 1, thumbs + 3]);
    await given(site, a, unique());
    assert.equal((await site.get(path)).status, 200, 'one still holds it');
    await given(site, a, image);
    assert.equal(await count(site), before + 1, 'what was replaced is gone');

    const ways = {
      'DELETE of it': (id) => site.delete('/v1/me/avatar', {as: id}),
      'DELETE of the profile': (id) => site.delete('/v1/me', {as: id, match: '*'}),
      'another avatar': (id) => upload(site, id, png),
      'PATCH of picture': (id) => site.patch('/v1/me', {picture: 'https://example.org/x.png'}, {as: id, match: '*'}),
      'no picture': (id) => site.patch('/v1/me', {picture: null}, {as: id, match: '*'}),
      'PUT without it': (id) => site.put('/v1/me', {handle: `person_${id.slice(1)}`}, {as: id, match: '*'}),
      'an import': async (id) => site.tryCli(['import', '--on-conflict', 'replace', '-'], JSON.stringify({id, handle: `person_${id.slice(1)}`})),
      'a hand at the shell': (id) => sql(site, `UPDATE profiles SET picture = 'https://example.org/y' WHERE id = '${id}'`),
      'a deletion there': (id) => sql(site, `DELETE FROM profiles WHERE id = '${id}'`),
      'another id': (id) => sql(site, `UPDATE profiles SET id = '${id}x' WHERE id = '${id}'`),
      'REPLACE': (id) => sql(site, `REPLACE INTO profiles (id, handle) VALUES ('${id}', 'person_${id.slice(1)}')`),
      'REPLACE by its handle': (id) => sql(site, `REPLACE INTO profiles (id, handle) VALUES ('${id}z', 'person_${id.slice(1)}')`),
    };
    for (const [what, way] of Object.entries(ways)) {
      const id = await person(site), own = unique(), now = await given(site, id, own);
      assert.equal((await site.get(now)).status, 200);
      assert.equal((await site.get(`${now}?s=96`)).status, 200);
      await way(id);
      assertProblem(await site.get(now), 404);
      assertProblem(await site.get(`${now}?s=96`), 404);
    }
    const orphans = await run('sqlite3', [`file:${site.database}?mode=ro`,
      'SELECT (SELECT count(*) FROM images WHERE n NOT IN (SELECT image FROM avatars)), (SELECT count(*) FROM thumbnails WHERE image NOT IN (SELECT n FROM images)), (SELECT count(*) FROM avatars WHERE profile_id NOT IN (SELECT id FROM profiles))']);
    assert.equal(orphans.out.trim(), '0|0|0');
    const check = JSON.parse(await site.cli('db', 'check', '--json'));
    assert.equal(check.images.well, true);
    assert.match(check.images.value, new RegExp(`^${await count(site)}, 0 of them`));
  });

  test('a picture that is sent back as it is keeps the image', async () => {
    const {site} = at, id = await person(site), path = await given(site, id, unique());
    const me = (await site.get('/v1/me', {as: id})).json;
    assert.equal((await site.put('/v1/me', {...me, name: 'Again'}, {as: id, match: '*'})).status, 200);
    assert.equal((await site.patch('/v1/me', {nickname: 'N'}, {as: id, match: '*'})).status, 200);
    assert.equal((await site.get(path)).status, 200);
  });

  test('a suspended profile shows no image, unless another shows the same', async () => {
    const {site} = at, a = await person(site), b = await person(site), image = unique(), path = await given(site, a, image);
    const state = (id, now) => site.patch(`/v1/profiles/${id}/full`, {state: now}, {as: 'admin', match: '*'});
    await state(a, 'suspended');
    assertProblem(await site.get(path), 404);
    assertProblem(await site.get(`${path}?s=48`), 404);
    await given(site, b, image);
    assert.equal((await site.get(path)).status, 200);
    assert.equal((await site.delete('/v1/me/avatar', {as: b})).status, 204);
    assertProblem(await site.get(path), 404);
    await state(a, 'active');
    assert.equal((await site.get(path)).status, 200, 'it was kept meanwhile');
  });

  test('animations, and photographs that were taken with the camera held upright', async () => {
    const {site} = at, id = await person(site);
    const moving = await given(site, id, animatedWebp());
    assert((await site.get(moving)).body.equals(animatedWebp()));
    assert.deepEqual(measure((await site.get(`${moving}?s=96`)).body), ['webp', 48, 48]);
    const photo = await given(site, id, turned(6));
    assert((await site.get(photo)).body.includes('GPS'), 'the original is as it was sent');
    const small = (await site.get(`${photo}?s=48`)).body;
    assert(!small.includes('GPS') && !small.includes('Exif'));
    const straightUp = await given(site, id, jpeg);
    assert(!small.equals((await site.get(`${straightUp}?s=48`)).body), 'turned');
  });

  test('a slow upload holds no lock, and one that breaks off leaves nothing', async () => {
    const {site} = at, id = await person(site), image = unique(), held = await count(site);
    const headers = {Authorization: `Bearer ${await site.token(id)}`, Host: 'example.org', 'Content-Type': 'image/png', 'Content-Length': image.length};
    const request = {method: 'PUT', path: '/v1/me/avatar', headers};
    const cut = new Held(site.socket);
    cut.begin(request, image.subarray(0, 40));
    await sleep(200);
    const begun = Date.now();
    assert.equal((await site.patch('/v1/me', {name: 'Meanwhile'}, {as: id, match: '*'})).status, 200);
    assert(Date.now() - begun < 2000, 'the other worker wrote meanwhile');
    cut.close();
    // A body that ends before its length, and one that is whole but for the length that was told.
    for (const length of [image.length + 1, image.length - 1]) {
      const answer = await new Held(site.socket).ask({...request, headers: {...headers, 'Content-Length': length}, body: image});
      assert([400, 422].includes(answer.status), `${answer.status}`);
    }
    assert.equal((await site.get('/v1/me', {as: id})).json.picture, undefined);
    assert.equal(await count(site), held);
    const late = await new Held(site.socket).ask({...request, body: image, late: 300});
    assert.equal(late.status, 201);
    assert.match(late.json.picture, /^https:\/\/example\.org\/v1\/avatars\//);
    const {'Content-Length': length, ...without} = headers;
    assert(length > 0);
    assert.equal((await new Held(site.socket).ask({...request, headers: without, body: webp})).status, 200, 'a body without a length');
    for (const host of ['a b', 'x/y', '', 'é', '"', undefined]) {
      const answer = await site.call('PUT', '/v1/me/avatar', {as: id, body: png, type: 'image/png', headers: host === undefined ? {} : {Host: host}, via: straight(site.socket)});
      assertProblem(answer, 400);
    }
  });

  test('an image that goes while it is on its way ends the answer, and not as if it were whole', async () => {
    const {site} = at, id = await person(site), path = await given(site, id, pngOf(MIB - ++serial));
    const held = new Held(site.socket);
    held.socket.pause();
    const answer = held.ask({path, headers: {}});
    answer.catch(() => {});
    await sleep(500);
    assert.equal((await site.delete('/v1/me/avatar', {as: id})).status, 204);
    held.socket.resume();
    await assert.rejects(answer, /cut short|ECONNRESET|EPIPE/);
    const bytes = held.parts.reduce((sum, part) => sum + part.length, 0);
    assert(bytes > 10000 && bytes < MIB, `${bytes} bytes came`);
  });

  test('eight people at once', async () => {
    const {site} = at, ids = await Promise.all(Array.from({length: 8}, () => person(site)));
    const image = unique();
    const answers = await Promise.all(ids.map(async (id) => {
      for (;;) {
        const answer = await upload(site, id, image);
        if (answer.status !== 503) return answer.status;
        await sleep(200);
      }
    }));
    assert.deepEqual(answers, Array(8).fill(201));
  });
});

test('the edge is told of an image that goes, and may keep what it is shown', async () => {
  const edge = await FakeEdge.start();
  const site = await Site.start({settings: {edge: {purge: edge.address, key: KEY}, http: {shared_cache: 'edge', base_url: 'https://example.org/profiles'}}});
  try {
    await until('the purge of everything', () => edge.alls > 0);
    const id = await person(site), image = unique(), put = await upload(site, id, image);
    assert.equal(put.status, 201, put.text);
    assert.match(put.json.picture, /^https:\/\/example\.org\/profiles\/v1\/avatars\/[0-9a-f]{64}$/);
    const path = pathOf(put.json.picture).replace('/profiles', ''), key = `avatar/${HASH.exec(path)[1]}`;
    for (const where of [path, `${path}?s=48`]) {
      const got = await site.get(where);
      assert.equal(got.header('surrogate-key'), key);
      assert.match(got.header('cdn-cache-control'), /^max-age=300, stale-while-revalidate=\d+, stale-if-error=\d+$/);
      assert.equal(got.header('cache-control'), 'public, max-age=86400, immutable');
      const same = await site.get(where, {none: got.etag});
      assert.equal(same.status, 304);
      assert.equal(same.header('surrogate-key'), key);
    }
    const missing = await site.get(`/v1/avatars/${'a'.repeat(64)}`);
    assertProblem(missing, 404);
    assert.equal(missing.header('cdn-cache-control'), undefined, 'an image may come back at any time');
    const state = (now) => site.patch(`/v1/profiles/${id}/full`, {state: now}, {as: 'admin', match: '*'});
    for (const [what, way] of Object.entries({suspend: () => state('suspended'), resume: () => state('active'), replace: () => site.put(`/v1/profiles/${id}/avatar`, unique(), {as: 'admin', type: 'image/png'})})) {
      edge.forget();
      const answer = await way();
      assert.equal(answer.status, 200, `${what}: ${answer.text}`);
      await until(what, () => edge.keys.includes(key) && edge.keys.includes(`profile/${id}`), 3000);
      assert.deepEqual(edge.keys, [key, `profile/${id}`].sort());
    }
    assertProblem(await site.get(path), 404);
  } finally {
    await site.stop();
    await edge.down();
  }
});

test('an http base, as on one\'s own machine, is taken back as it stands; no other is', async () => {
  const base = 'http://127.0.0.1:8080';
  const site = await Site.start({settings: {http: {base_url: base}}});
  try {
    const id = await person(site), put = await upload(site, id, unique());
    assert.equal(put.status, 201, put.text);
    const {picture} = put.json;
    assert(picture.startsWith(`${base}/v1/avatars/`));
    const me = (await site.get('/v1/me', {as: id})).json;
    assert.equal((await site.put('/v1/me', me, {as: id, match: '*'})).status, 200);
    assert.equal((await site.patch('/v1/me', {name: 'N'}, {as: id, match: '*'})).status, 200);
    assert.equal((await site.get(pathOf(picture))).status, 200);
    const other = await person(site);
    assert.equal((await site.patch('/v1/me', {picture}, {as: other, match: '*'})).status, 200);
    for (const wrong of [`${base}/x.png`, `${picture}0`, picture.replace('8080', '8081'), 'http://example.org/x.png', `${base}/v1/avatars/${'G'.repeat(64)}`])
      assertProblem(await site.patch('/v1/me', {picture: wrong}, {as: other, match: '*'}), 422);
    const lines = await site.cli('export', '-');
    const again = await site.tryCli(['import', '--on-conflict', 'replace', '-'], lines);
    assert.equal(again.code, 0, again.err);
    assert.equal((await site.get(pathOf(picture))).status, 200, 'an import of the same drops nothing');
    site.settings.http = {base_url: 'https://elsewhere.example'};
    site.writeConfig();
    await site.reload();
    assert.equal((await site.patch('/v1/me', {name: 'M'}, {as: id, match: '*'})).status, 200, 'one that a profile has stays valid');
  } finally {
    await site.stop();
  }
});

test('a base that is none is refused by name', async () => {
  const site = new Site();
  await site.prepare();
  for (const base_url of ['example.org', 'ftp://example.org', 'https://', 'https://Example.org', 'https://example.org/', 'https://example.org/a/', 'https://example.org?x', 'https://u@example.org', 'https://example.org:443', '//example.org']) {
    site.settings.http = {base_url};
    site.writeConfig();
    const how = await site.tryCli(['config']);
    assert.equal(how.code, 1, base_url);
    assert.match(how.err, /http\.base_url/);
  }
  await site.stop();
});
