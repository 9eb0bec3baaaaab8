// What is asked of each front server, by the column's title: {what, run(here)}, where here has .call(method, path, options) as a
// site's, to this front; .front, .target, .site, .at.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import {brotliDecompressSync, gunzipSync} from 'node:zlib';
import {startFront} from './fronts.mjs';
import {images, measure, pngOf} from './images.mjs';
import {sleep} from './process.mjs';
import {JSON_TYPE, MERGE, PATCH, READ, assertProblem, assertUnauthorized} from './site.mjs';

let people = 0;
/** A new person's profile, made through the front; gives its id. */
async function person(here, more = {}) {
  const id = `p${++people}.${process.pid}`;
  const answer = await here.call('POST', '/v1/profiles', {as: 'admin', body: {id, handle: `p${people}_${process.pid}`, name: 'One', ...more}});
  assert.equal(answer.status, 201, `${answer.status} ${answer.text}`);
  return id;
}
const patch = (here, id, body, options = {}) => here.call('PATCH', '/v1/me', {as: id, match: '*', body, ...options});

/** Bytes as they are on a connection, and all that comes back until one of the two has enough. */
function talk(port, ms = 10000) {
  const socket = net.connect(port, '127.0.0.1');
  const at = {socket, text: '', closed: false};
  socket.on('data', (bytes) => { at.text += bytes.toString('latin1'); });
  socket.on('error', (error) => { at.error = error; });
  socket.on('close', () => { at.closed = true; });
  at.send = (bytes) => socket.write(bytes);
  at.see = async (what) => {
    for (const end = Date.now() + ms; !what.test(at.text); await sleep(5))
      assert(!at.closed && Date.now() < end, `${what} did not come, but: ${at.text.slice(0, 300)} ${at.error ?? ''}`);
    return at.text;
  };
  return at;
}

/** A body sent in pieces without a length. */
function chunked(here, method, path, headers, pieces, ms = 15000) {
  return new Promise((resolve, reject) => {
    const call = http.request({host: '127.0.0.1', ...here.target, method, path, headers, agent: false}, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => resolve({status: answer.statusCode, text: Buffer.concat(parts).toString(), headers: answer.headers}));
    });
    call.setTimeout(ms, () => call.destroy(new Error('no answer')));
    call.on('error', reject);
    (async () => {
      for (const piece of pieces) {
        call.write(piece);
        await sleep(5);
      }
      call.end();
    })();
  });
}

/** Every worker of the pool, or of the front, answers: as many as there are at once, several times over. */
async function healthy(here, count = 24) {
  const begun = Date.now(), cgi = ['cgi', 'cgid'].includes(here.front.way);
  if (cgi) count = 8; // a process each: none can be held, and they are slow
  for (const answer of await Promise.all(Array.from({length: count}, () => here.call('GET', '/v1/profiles/ann', {as: 'bob'}))))
    assert.equal(answer.status, 200, answer.text);
  assert(Date.now() - begun < (cgi ? 20000 : 8000), `${Date.now() - begun} ms for ${count} requests`);
}

const bearer = async (here, sub) => `Bearer ${await here.site.token(sub)}`;

/** What each file of www/ bears: no script but the site's own, nothing sent anywhere else, framed by nobody, asked about each time. */
function assertPage(answer) {
  assert.equal(answer.header('x-content-type-options'), 'nosniff');
  assert.equal(answer.header('referrer-policy'), 'no-referrer');
  assert.equal(answer.header('cache-control'), 'no-cache');
  assert.match(answer.etag, /"/);
  const policy = Object.fromEntries(answer.header('content-security-policy').split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]));
  assert.deepEqual(policy, {'default-src': "'none'", 'script-src': "'self'", 'style-src': "'self'", 'img-src': "'self' https: data: blob:", 'connect-src': "'self'",
    'base-uri': "'none'", 'form-action': "'none'", 'frame-ancestors': "'none'"});
}

export const scenarios = {
  tokens: {
    what: 'Authorization arrives, and nothing else opens anything',
    async run(here) {
      const answer = await here.call('GET', '/v1/me', {as: 'ann'});
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.email, 'ann@example.org');
      assert.equal(answer.header('cache-control'), 'private, no-cache');
      assertUnauthorized(await here.call('GET', '/v1/me'), {error: null});
      assertUnauthorized(await here.call('GET', '/v1/me', {token: 'x.y.z'}));
      assertProblem(await here.call('GET', '/v1/me', {as: 'ann', scope: 'metrics:read'}), 403);
      for (const path of ['/healthz', '/readyz', '/.well-known/jwks.json']) assert.equal((await here.call('GET', path)).status, 200, path);
      assert.equal((await here.call('GET', '/metrics')).status, 401);
      for (const path of ['/', '/problems.html']) {
        const page = await here.call('GET', path);
        assert.equal(page.status, 200, path);
        assert.match(page.header('content-type'), /^text\/html; charset=utf-8/i);
        assertPage(page);
      }
      const script = await here.call('GET', '/app/session.js');
      assert.match(script.header('content-type'), /^text\/javascript; charset=utf-8/i);
      assertPage(script);
      assert.equal((await here.call('GET', '/app/session.js', {none: script.etag})).status, 304);
      // Names that a variable of CGI could be mistaken for.
      for (const name of ['X-Authorization', 'Http-Authorization', 'Remote-User', 'Proxy-Authorization'])
        assert.equal((await here.call('GET', '/v1/me', {headers: {[name]: await bearer(here, 'ann')}})).status, 401, name);
    },
  },
  methods: {
    what: 'all methods, with bodies as they were sent',
    async run(here) {
      const id = await person(here), text = 'ü€😀 "\\" \n' + 'x'.repeat(900);
      const path = `/v1/profiles/${id}`;
      const put = await here.call('PUT', '/v1/me', {as: id, match: '*', body: {handle: id.replace('.', '_'), name: 'Ünïcode', bio: text}});
      assert.equal(put.status, 200, put.text);
      assert.equal(put.json.bio, text);
      const merge = await patch(here, id, {attributes: {blob: 'y'.repeat(12000)}});
      assert.equal(merge.status, 200, merge.text);
      const operations = await patch(here, id, [{op: 'replace', path: '/name', value: 'Two'}], {type: PATCH});
      assert.equal(operations.json.name, 'Two');
      const minimal = await patch(here, id, {nickname: 'N'}, {headers: {Prefer: 'return=minimal'}});
      assert.equal(minimal.status, 204);
      assert.equal(minimal.body.length, 0);
      const read = await here.call('GET', path, {as: 'bob'});
      assert.equal(read.json.attributes.blob.length, 12000);
      assert.equal(read.json.nickname, 'N');
      assert.equal(Number(read.header('content-length') ?? read.body.length), read.body.length);
      const created = await here.call('PUT', `/v1/profiles/${id}.b`, {as: 'admin', none: '*', body: {handle: `${id.replace('.', '_')}b`}});
      assert.equal(created.status, 201, created.text);
      assert.equal((await here.call('DELETE', path, {as: id, match: '*'})).status, 204);
      assert.equal((await here.call('GET', path, {as: 'bob'})).status, 404);
      const wrong = await here.call('POST', '/v1/me', {as: 'ann', body: {}});
      assertProblem(wrong, 405);
      assert.match(wrong.header('allow'), /PATCH/);
      assertProblem(await here.call('PATCH', '/v1/me', {as: 'ann', match: '*', body: '{"name":', type: MERGE}), 400);
      assertProblem(await here.call('PATCH', '/v1/me', {as: 'ann', match: '*', body: '{}', type: 'text/plain'}), 415);
      assertProblem(await here.call('PATCH', '/v1/me', {as: 'ann', match: '*', body: {name: 1}}), 422);
    },
  },
  head: {
    what: 'HEAD is GET without the body',
    async run(here) {
      for (const path of ['/v1/profiles/ann', '/v1/me', '/v1/profiles/nobody', '/.well-known/jwks.json']) {
        const get = await here.call('GET', path, {as: 'ann'}), head = await here.call('HEAD', path, {as: 'ann'});
        assert.equal(head.status, get.status, path);
        assert.equal(head.body.length, 0);
        for (const name of ['etag', 'last-modified', 'cache-control', 'content-type', 'vary', 'x-content-type-options'])
          assert.equal(head.header(name), get.header(name), `${path}: ${name}`);
      }
      // On a kept connection, the next answer is the next one.
      const agent = new http.Agent({keepAlive: true, maxSockets: 1});
      for (let i = 0; i < 3; i++) {
        assert.equal((await here.call('HEAD', '/v1/me', {as: 'ann', agent})).status, 200);
        assert.equal((await here.call('GET', '/v1/me', {as: 'ann', agent})).json.id, 'ann');
      }
      agent.destroy();
    },
  },
  conditional: {
    what: '304 and 412, by lists, weakly, by date, with the headers that belong to them',
    async run(here) {
      const id = await person(here), path = `/v1/profiles/${id}`;
      const first = await here.call('GET', path, {as: 'bob'});
      assert.match(first.etag, /^"[^"]+"$/);
      assert.equal(first.header('vary'), 'Origin', 'the front adds nothing that splits a cache');
      for (const none of [first.etag, `"x", ${first.etag}`, `W/${first.etag}`, '*']) {
        const again = await here.call('GET', path, {as: 'bob', none});
        assert.equal(again.status, 304, none);
        assert.equal(again.body.length, 0);
        for (const name of ['etag', 'cache-control', 'vary']) assert.equal(again.header(name), first.header(name), name);
      }
      assert.equal((await here.call('HEAD', path, {as: 'bob', none: first.etag})).status, 304);
      assert.equal((await here.call('GET', path, {as: 'bob', none: '"x"'})).status, 200);
      assert.equal((await here.call('GET', path, {as: 'bob', headers: {'If-Modified-Since': first.header('last-modified')}})).status, 304);
      assertProblem(await here.call('GET', path, {as: 'bob', match: '"x"'}), 412);
      assertProblem(await here.call('GET', path, {none: first.etag}), 401);
      assertProblem(await patch(here, id, {name: 'X'}, {match: '"x"'}), 412);
      assertProblem(await patch(here, id, {name: 'X'}, {match: `W/${first.etag}`}), 412);
      assertProblem(await patch(here, id, {name: 'X'}, {match: undefined}), 428);
      assertProblem(await here.call('PUT', path, {as: id, none: '*', body: {handle: 'x_x'}}), 412);
      const changed = await patch(here, id, {name: 'Two'}, {match: `"x", ${first.etag}`});
      assert.equal(changed.status, 200, changed.text);
      assertProblem(await patch(here, id, {name: 'Three'}, {match: first.etag}), 412);
      assert.equal((await here.call('GET', path, {as: 'bob', none: first.etag})).status, 200);
      const range = await here.call('GET', path, {as: 'bob', headers: {Range: 'bytes=0-3'}});
      assert.equal(range.status, 200);
    },
  },
  expect: {
    what: 'Expect: 100-continue gets its 100, or the final answer',
    async run(here) {
      const id = await person(here), body = '{"name":"Expected"}';
      const head = (match) => `PATCH /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: ${token}\r\nContent-Type: ${MERGE}\r\nContent-Length: ${body.length}\r\n` +
        `If-Match: ${match}\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n`;
      const token = await bearer(here, id);
      for (const [match, status] of [['*', 200], ['"old"', 412]]) {
        const line = talk(here.target.port);
        line.send(head(match));
        await line.see(/^HTTP\/1\.1 \d+ /);
        if (/^HTTP\/1\.1 100 /.test(line.text)) {
          line.send(body);
          await line.see(/\r\n\r\nHTTP\/1\.1 \d\d\d /);
        }
        assert.match(line.text, new RegExp(`HTTP/1.1 ${status} `));
        line.socket.destroy();
      }
      assert.equal((await here.call('GET', '/v1/me', {as: id})).json.name, 'Expected');
    },
  },
  chunked: {
    what: 'bodies without a length',
    async run(here) {
      const id = await person(here), Authorization = await bearer(here, id), bio = 'z'.repeat(900);
      const headers = {Authorization, 'Content-Type': MERGE, 'If-Match': '*'};
      const one = await chunked(here, 'PATCH', '/v1/me', headers, ['{"na', 'me":"Chunked",', `"bio":"${bio}"`, '}']);
      assert.equal(one.status, 200, one.text);
      assert.equal(JSON.parse(one.text).bio, bio);
      const big = await chunked(here, 'PATCH', '/v1/me', headers, ['{"attributes":{"a":"', ...Array(5).fill('q'.repeat(3000)), '"}}']);
      assert.equal(big.status, 200, big.text);
      const empty = await chunked(here, 'PATCH', '/v1/me', headers, []);
      assert.equal(empty.status, 400, empty.text);
      const over = await chunked(here, 'PATCH', '/v1/me', headers, ['{"bio":"', ...Array(30).fill('q'.repeat(3000)), '"}']);
      assert.equal(over.status, 413, over.text);
      assert.equal(JSON.parse(over.text).status, 413);
      const me = await here.call('GET', '/v1/me', {as: id});
      assert.equal(me.json.bio, bio);
      assert.equal(me.json.attributes.a.length, 15000);
    },
  },
  plain: {
    what: 'compression off: tags are as profiled made them',
    async run(here) {
      const id = await person(here, {bio: 'word '.repeat(180)});
      const plain = await here.call('GET', `/v1/profiles/${id}`, {as: 'bob'});
      for (const coding of ['gzip', 'br', 'gzip, deflate, br, zstd']) {
        const answer = await here.call('GET', `/v1/profiles/${id}`, {as: 'bob', headers: {'Accept-Encoding': coding}});
        assert.equal(answer.header('content-encoding'), undefined);
        assert.equal(answer.etag, plain.etag);
        assert.equal(answer.text, plain.text);
      }
    },
  },
  compressed: {
    what: 'compression on: what it does to a tag still matches on the way back, in If-None-Match and in If-Match',
    async run({front, site, ...here}) {
      const id = await person({...here, site}, {bio: 'word '.repeat(180)}), path = `/v1/profiles/${id}`;
      const at = await startFront(site, front, {compress: true});
      const call = (method, where, options) => site.call(method, where, {target: {port: at.port}, ...options});
      try {
        for (const coding of front.marks) {
          const plain = await call('GET', path, {as: 'bob'});
          assert.equal(plain.header('content-encoding'), undefined);
          const headers = {'Accept-Encoding': coding};
          const answer = await call('GET', path, {as: 'bob', headers});
          assert.equal(answer.header('content-encoding'), coding);
          assert.equal((coding === 'br' ? brotliDecompressSync : gunzipSync)(answer.body).toString(), plain.text);
          assert.match(answer.header('vary') ?? '', /accept-encoding/i);
          assert.notEqual(answer.etag, plain.etag, 'another representation has another tag, or a weak one');
          assert.match(answer.etag, front.weak ? /^W\// : new RegExp(`-${coding}"$`));
          for (const none of [answer.etag, answer.etag.replace(/^(W\/)?/, 'W/')])
            for (const more of [headers, {}]) {
              const again = await call('GET', path, {as: 'bob', headers: more, none});
              assert.equal(again.status, 304, `${coding}: ${none}`);
              assert.equal(again.body.length, 0);
            }
          const mine = await call('GET', '/v1/me', {as: id, headers});
          assert.equal(mine.header('content-encoding'), coding);
          const written = await call('PATCH', '/v1/me', {as: id, match: mine.etag, headers, body: {nickname: coding}});
          assert.equal(written.status, 200, `If-Match: ${mine.etag}`);
          assert.equal((await call('PATCH', '/v1/me', {as: id, match: mine.etag, headers, body: {nickname: 'x'}})).status, 412, 'that tag is old now');
          assert.equal((await call('GET', path, {as: 'bob', headers, none: answer.etag})).status, 200, 'and so is that');
          const head = await call('HEAD', path, {as: 'bob', headers});
          assert.equal(head.status, 200);
          assert.equal(head.body.length, 0);
        }
        assert.equal((await call('GET', '/v1/me', {headers: {'Accept-Encoding': 'gzip'}})).status, 401);
      } finally {
        await at.stop();
      }
    },
  },
  batch: {
    what: 'a hundred ids, in an address as long as the front can pass on; a query by tags',
    async run(here) {
      const ids = [await person(here), 'ann', ...Array.from({length: 98}, (_, i) => `nobody+${String(i).padEnd(110, '~')}`)];
      const length = (here.front.address ?? 48000) - '/v1/profiles?'.length;
      const plain = ids.map((id) => `id=${encodeURIComponent(id)}`).join('&');
      // the rest of the room is taken by escapes that need not be there
      let more = Math.floor((length - plain.length) / 2);
      const query = ids.map((id) => `id=${[...id].map((c) => (more > 0 && c !== '+' ? (more--, `%${c.charCodeAt(0).toString(16)}`) : encodeURIComponent(c))).join('')}`).join('&');
      assert(query.length <= length && query.length > Math.min(length, 30000) - 10, `${query.length} of ${length}`);
      const first = await here.call('GET', `/v1/profiles?${query}`, {as: 'bob'});
      assert.equal(first.status, 200, first.text);
      assert.deepEqual(first.json.profiles.map((profile) => profile.id), ids.slice(0, 2));
      assert.deepEqual(first.json.missing, ids.slice(2));
      assert.equal((await here.call('GET', `/v1/profiles?${query}`, {as: 'bob', none: first.etag})).status, 304);
      const part = await here.call('GET', `/v1/profiles?${plain}&fields=name`, {as: 'bob'});
      assert.deepEqual(part.json.profiles[1], {id: 'ann', name: 'Ann'});
      const asked = await here.call('POST', '/v1/profiles/query', {as: 'bob', body: {ids: Object.fromEntries(ids.map((id) => [id, null]))}});
      assert.deepEqual(Object.keys(asked.json.etags), ids.slice(0, 2), asked.text);
      const again = await here.call('POST', '/v1/profiles/query', {as: 'bob', body: {ids: asked.json.etags}});
      assert.deepEqual(again.json, {profiles: [], etags: {}, not_modified: ids.slice(0, 2), missing: []});
    },
  },
  'large heads': {
    what: 'headers and addresses as long as the front can pass on, up to 48 KB; a token of 4 KB',
    async run(here) {
      const long = await here.site.mint('ann', READ, {padding: 'p'.repeat(2700)});
      assert(long.length > 3800 && long.length <= 4096, `${long.length}`);
      assert.equal((await here.call('GET', '/v1/me', {token: long})).status, 200);
      const me = await here.call('GET', '/v1/me', {as: 'ann'});
      const most = here.front.head ?? 48000; // the rest of it
      const listed = (size) => `${Array.from({length: Math.floor(size / 30) - 2}, (_, i) => `"${String(i).padStart(26, 'x')}"`).join(', ')}, ${me.etag}`;
      const list = listed(most);
      assert(list.length > most - 100 && list.length <= most);
      if (most < 48000) // what is too long is refused, and not left out on the way
        for (const path of ['/v1/me', '/v1/profiles/ann']) assert([400, 431].includes((await here.call('GET', path, {as: 'ann', none: listed(20000)})).status));
      const none = await here.call('GET', '/v1/me', {as: 'ann', none: list});
      assert.equal(none.status, 304, none.text);
      const match = await here.call('PATCH', '/v1/me', {as: 'ann', match: list, body: {}});
      assert.equal(match.status, 200, match.text);
      const length = here.front.address ?? 48000;
      const address = await here.call('GET', `/v1/profiles/${'a'.repeat(length)}`, {as: 'ann'});
      assertProblem(address, 404);
      assertProblem(await here.call('GET', `/v1/me?${'a'.repeat(length)}=1`, {as: 'ann'}), 400);
      const many = Object.fromEntries(Array.from({length: 60}, (_, i) => [`X-Padding-${i}`, 'h'.repeat(700)]));
      assert.equal((await here.call('GET', '/v1/me', {as: 'ann', headers: many})).status, 200);
    },
  },
  'big bodies': {
    what: '413 for what is too long, and before it was read where its length was told',
    async run(here) {
      const id = await person(here), Authorization = await bearer(here, id);
      for (const size of [70000, 200000, 1000000]) {
        const over = await patch(here, id, `{"bio":"${'b'.repeat(size)}"}`);
        assertProblem(over, 413);
      }
      // Of 100 MB the head alone is sent.
      for (const expect of ['', 'Expect: 100-continue\r\n']) {
        const line = talk(here.target.port, 5000);
        line.send(`PATCH /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: ${Authorization}\r\nContent-Type: ${MERGE}\r\nIf-Match: *\r\nContent-Length: 100000000\r\n${expect}\r\n`);
        await line.see(/^HTTP\/1\.1 /);
        assert.match(line.text, /^HTTP\/1\.1 413 /);
        line.socket.destroy();
      }
      assert.equal((await here.call('GET', '/v1/me', {as: id})).json.bio, undefined);
      await healthy(here);
    },
  },
  avatars: {
    what: 'images in and out, byte for byte, up to 1 MiB; what is over that is refused',
    async run(here) {
      const id = await person(here), put = (body, more = {}) => here.call('PUT', '/v1/me/avatar', {as: id, body, type: 'image/png', ...more});
      for (const image of [...Object.values(images), pngOf(1048576)]) {
        const answer = await put(image);
        assert([200, 201].includes(answer.status), answer.text);
        const path = new URL(answer.json.picture).pathname, got = await here.call('GET', path);
        assert.equal(got.status, 200);
        assert(got.body.equals(image), `${got.body.length} of ${image.length} bytes`);
        assert.equal(got.header('cache-control'), 'public, max-age=86400, immutable');
        assert.match(got.header('content-security-policy'), /sandbox/);
        assert.deepEqual(got.all('x-content-type-options'), ['nosniff']);
        assert.equal((await here.call('GET', path, {none: got.etag})).status, 304);
        const head = await here.call('HEAD', path);
        assert.equal(head.status, 200);
        assert.equal(head.body.length, 0);
        const small = await here.call('GET', `${path}?s=48`);
        assert.equal(small.status, 200);
        assert(measure(small.body)[1] <= 48);
        const range = await here.call('GET', path, {headers: {Range: 'bytes=2-5'}});
        assert(range.body.equals(range.status === 206 ? image.subarray(2, 6) : image));
      }
      assertProblem(await put(pngOf(1048577)), 413);
      assertProblem(await put(Buffer.from('GIF89a')), 422);
      assertProblem(await put(images.png, {type: 'text/html'}), 415);
      assertProblem(await here.call('PUT', '/v1/me/avatar', {body: pngOf(900000), type: 'image/png'}), 401);
      const headers = {Authorization: await bearer(here, id), 'Content-Type': 'image/webp'};
      const pieces = await chunked(here, 'PUT', '/v1/me/avatar', headers, [images.webp.subarray(0, 50), images.webp.subarray(50)]);
      assert.equal(pieces.status, 200, pieces.text);
      const over = await chunked(here, 'PUT', '/v1/me/avatar', headers, Array(20).fill(Buffer.alloc(65536, 0x89)));
      assert.equal(over.status, 413, over.text);
      assert.equal((await here.call('DELETE', '/v1/me/avatar', {as: id})).status, 204);
      assertProblem(await here.call('GET', new URL(JSON.parse(pieces.text).picture).pathname), 404);
    },
  },
  encoded: {
    what: 'addresses as they were sent: %2F splits nothing, + is no space, escapes are undone once',
    async run(here) {
      const n = ++people, id = `a+b.c~d:e|f@g_${n}-h`;
      assert.equal((await here.call('POST', '/v1/profiles', {as: 'admin', body: {id, handle: `odd_${n}_${process.pid}`}})).status, 201);
      for (const way of [encodeURIComponent(id), id.replace('|', '%7C'), id.replace('|', '%7c').replace('.', '%2E'), encodeURIComponent(id).replace('%2B', '+')]) {
        const answer = await here.call('GET', `/v1/profiles/${way}`, {as: 'bob'});
        assert.equal(answer.status, 200, way);
        assert.equal(answer.json.id, id);
      }
      for (const path of ['/v1/profiles/an%2Fn', '/v1/profiles/ann%2Ffull', '/v1/profiles/%2561nn', '/v1/profiles/ann%20', '/v1/profiles/a%C3%A4', '/v1/profiles/', '/v1/profiles/ann/'])
        assertProblem(await here.call('GET', path, {as: 'ann'}), 404);
      assertProblem(await here.call('GET', '/v1/me?a+b=%2F', {as: 'ann'}), 400);
      assert.equal((await here.call('GET', '/v1/profiles/%61nn', {as: 'bob'})).json.id, 'ann');
      assert.equal((await here.call('GET', '/v1/profiles/%40ANN', {as: 'bob'})).json.id, 'ann');
    },
  },
  cors: {
    what: 'OPTIONS, and what pages of another origin may read',
    async run(here) {
      const APP = 'https://app.example', words = (value) => (value ?? '').toLowerCase().split(/, */);
      const pre = await here.call('OPTIONS', '/v1/me', {headers: {Origin: APP, 'Access-Control-Request-Method': 'PATCH', 'Access-Control-Request-Headers': 'authorization,if-match'}});
      assert.equal(pre.status, 204);
      assert.equal(pre.body.length, 0);
      assert.equal(pre.header('access-control-allow-origin'), APP);
      assert(words(pre.header('access-control-allow-methods')).includes('patch'));
      assert.match(pre.header('allow'), /PATCH/);
      const read = await here.call('GET', '/v1/profiles/ann', {as: 'bob', headers: {Origin: APP}});
      const answers = [read, await here.call('GET', '/v1/profiles/ann', {as: 'bob', none: read.etag, headers: {Origin: APP}}),
        await here.call('GET', '/v1/me', {headers: {Origin: APP}}), await here.call('GET', '/v1/profiles/nobody', {as: 'bob', headers: {Origin: APP}})];
      assert.deepEqual(answers.map(({status}) => status), [200, 304, 401, 404]);
      for (const answer of answers) {
        assert.deepEqual(answer.all('access-control-allow-origin'), [APP]);
        assert(words(answer.header('vary')).includes('origin'), `${answer.status}`);
        assert(answer.status === 304 || words(answer.header('access-control-expose-headers')).includes('etag'), `${answer.status}`);
      }
      const other = await here.call('GET', '/v1/profiles/ann', {as: 'bob', headers: {Origin: 'https://evil.example'}});
      assert.equal(other.header('access-control-allow-origin'), undefined);
      assert(words(other.header('vary')).includes('origin'));
    },
  },
  aborted: {
    what: 'clients that break off, in the request or before the answer, hold nothing',
    async run(here) {
      const id = await person(here), Authorization = await bearer(here, id);
      const head = `PATCH /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: ${Authorization}\r\nContent-Type: ${MERGE}\r\nIf-Match: *\r\n`;
      const whole = '{"name":"Aborted"}';
      const cut = [`GET /v1/me HTTP/1.1\r\nHost: x\r\nAuth`, `${head}Content-Length: 500\r\n\r\n`, `${head}Content-Length: 500\r\n\r\n${whole}`,
        `${head}Transfer-Encoding: chunked\r\n\r\n12\r\n${whole}\r\n`, `${head}Content-Length: 60000\r\n\r\n${'{'.padEnd(30000)}`];
      const lines = [];
      for (let i = 0; i < 3; i++)
        for (const bytes of cut) {
          const line = talk(here.target.port);
          line.send(bytes);
          lines.push(line);
        }
      await sleep(150);
      for (const {socket} of lines) socket.resetAndDestroy ? socket.resetAndDestroy() : socket.destroy();
      // Asked, and gone without reading.
      for (let i = 0; i < 16; i++) {
        const line = talk(here.target.port);
        line.send(`GET /v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: ${Authorization}\r\n\r\n`);
        await sleep(i % 4);
        line.socket.destroy();
      }
      await healthy(here);
      assert.equal((await here.call('GET', '/v1/me', {as: id})).json.name, 'One', 'half a body is no body');
    },
  },
  kept: {
    what: 'eight clients that keep their connections leave two workers free for others',
    async run(here) {
      const agents = Array.from({length: 8}, () => new http.Agent({keepAlive: true, maxSockets: 1}));
      const all = await Promise.all(agents.map(async (agent) => {
        const statuses = [];
        for (let i = 0; i < (['cgi', 'cgid'].includes(here.front.way) ? 4 : 12); i++) {
          const {status} = i % 4 === 3 ? await here.call('PATCH', '/v1/me', {as: 'ann', match: '*', body: {}, agent}) : await here.call('GET', '/v1/profiles/ann', {as: 'bob', agent});
          statuses.push(status);
        }
        return statuses;
      }));
      assert.deepEqual(all.flat().filter((status) => status !== 200), []);
      await healthy(here, 16); // while the eight sit on their connections
      for (const answer of await Promise.all(agents.map((agent) => here.call('GET', '/v1/me', {as: 'ann', agent})))) assert.equal(answer.status, 200);
      agents.forEach((agent) => agent.destroy());
    },
  },
  waiting: {
    what: 'who waits for changes holds no worker, and hears of a write at once; where there is no process for it, the answer comes at once',
    async run(here) {
      const pooled = here.front.way === undefined;
      const {newest} = (await here.call('GET', '/v1/changes?limit=1', {as: 'admin'})).json;
      const begun = Date.now();
      const all = Array.from({length: 12}, () => here.call('GET', `/v1/changes?after=${newest}&wait=20`, {as: 'admin'}));
      if (!pooled) {
        for (const {status, json} of await Promise.all(all)) assert.deepEqual([status, json.changes], [200, []]);
        return;
      }
      await sleep(300);
      await healthy(here, 8); // two workers, and twelve who wait
      const id = await person(here);
      for (const answer of await Promise.all(all)) {
        assert.equal(answer.status, 200, answer.text);
        assert.deepEqual(answer.json.changes.map((change) => change.id), [id]);
      }
      assert(Date.now() - begun < 15000);
      const last = (await here.call('GET', '/v1/changes?limit=1', {as: 'admin'})).json.newest;
      const empty = await here.call('GET', `/v1/changes?after=${last}&wait=1`, {as: 'admin'});
      assert.deepEqual([empty.status, empty.json.changes], [200, []]);
    },
  },
};
