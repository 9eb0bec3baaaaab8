// www/profiled.js as an application uses it: against the real server, with a proxy of its own between them that counts, changes
// and loses what passes.
import assert from 'node:assert/strict';
import http from 'node:http';
import {join} from 'node:path';
import {after, before, test} from 'node:test';
import {run} from './lib/process.mjs';
import {READ, root, scenario} from './lib/site.mjs';
import * as client from '../../www/profiled.js';
import {Tick} from '../../www/profiled/tick.js';
import {linkOf} from '../../www/profiled/transport.js';

const {Conflict, Forbidden, Invalid, NotFound, Problem, Profiled, RateLimited, Taken, Unauthorized, Unavailable, Unreachable, cacheStorageStore, claimsOf, memoryStore, mergePatch} = client;

/** A way to the server that notes what passes; .answer(request), when set, may give an answer, an Error or undefined in its place. */
function way(site) {
  const seen = [], it = {seen, answer: undefined, before: undefined};
  it.fetch = async (address, options) => {
    const request = {...options, path: new URL(address).pathname + new URL(address).search};
    seen.push(request);
    await it.before?.(request);
    options.signal?.throwIfAborted();
    const made = it.answer?.(request, seen.length);
    if (made instanceof Error) throw made;
    if (made !== undefined) return made;
    const answer = await fetch(address, options);
    request.status = answer.status;
    if (it.lose?.(request)) { await answer.arrayBuffer(); throw new TypeError('lost on the way'); }
    return answer;
  };
  it.base = `http://127.0.0.1:${site.port}`;
  it.last = () => seen.at(-1);
  return it;
}
const problem = (status, headers = {}, document = {type: '/problems.html#overloaded', status}) => new Response(JSON.stringify(document), {status, headers: {'Content-Type': 'application/problem+json', ...headers}});
const rejects = async (promise, kind, more = {}) => {
  const error = await promise.then(() => assert.fail('it went well'), (e) => e);
  assert(error instanceof kind, `${error?.stack}`);
  for (const [name, value] of Object.entries(more)) assert.deepEqual(error[name], value, name);
  return error;
};

scenario('the client module', {}, (at) => {
  let count = 0;
  const person = async (more = {}) => {
    const id = `p-${++count}`;
    await at.site.make({id, handle: `p_${count}`, name: `Person ${count}`, ...more});
    return id;
  };
  /** A client of somebody, and its way. */
  async function as(sub, {scope, ...options} = {}) {
    const w = way(at.site), token = await at.site.token(sub, scope);
    return {w, token, profiled: new Profiled({base: w.base, token: () => token, fetch: w.fetch, ...options})};
  }

  test('a repeat costs a 304, and what was handed out is the application’s own', async () => {
    const id = await person(), {profiled, w} = await as('reader');
    const first = await profiled.profile(id);
    assert.equal(first.name, 'Person 1');
    first.name = 'scribbled over';
    const second = await profiled.profile(id);
    assert.equal(second.name, 'Person 1');
    assert.deepEqual(w.seen.map(({status}) => status), [200, 304]);
    assert.match(profiled.etagOf(second), /^"/);
    assert.equal(profiled.etagOf({}), undefined);
    const handle = await profiled.byHandle('@P_1');
    assert.equal(handle.id, id);
    assert.equal((await profiled.byHandle('P_1')).id, id);
    assert.deepEqual(w.seen.map(({status}) => status), [200, 304, 200, 304]);
  });

  test('what is asked for in one tick comes in one request; unchanged ones are not sent again', async () => {
    const ids = [await person(), await person(), await person()], {profiled, w} = await as('reader');
    const all = await Promise.all([...ids, ids[0]].map((id) => profiled.profile(id)));
    assert.deepEqual(all.map(({id}) => id), [...ids, ids[0]]);
    assert.notEqual(all[0], all[3], 'two that asked for one do not share it');
    assert.equal(w.seen.length, 1);
    assert.equal(w.last().method, 'POST');
    assert.equal(w.last().path, '/v1/profiles/query');
    const {profiles, missing} = await profiled.profiles([ids[2], 'nobody', ids[0]]);
    assert.deepEqual(profiles.map(({id}) => id), [ids[2], ids[0]]);
    assert.deepEqual(missing, ['nobody']);
    const sent = JSON.parse(w.last().body).ids;
    assert.equal(sent[ids[0]], profiled.etagOf(all[0]));
    assert.equal(sent.nobody, null);
    await rejects(Promise.all([profiled.profile(ids[1]), profiled.profile('nobody')]), NotFound, {slug: 'no-such-profile'});
    const edited = await (await as('admin')).profiled.profile(ids[1]);
    assert.equal((await at.site.patch(`/v1/profiles/${ids[1]}/full`, {name: 'New'}, {as: 'admin', match: '*'})).status, 200);
    const again = await profiled.profiles(ids);
    assert.deepEqual(again.profiles.map(({name}) => name), [all[0].name, 'New', all[2].name]);
    assert.notEqual(profiled.etagOf(again.profiles[1]), profiled.etagOf(edited));
  });

  test('more than a request takes come in several', async () => {
    const {profiled, w} = await as('reader');
    const {profiles, missing} = await profiled.profiles(Array.from({length: 150}, (_, i) => (i === 120 ? 'p-1' : `none-${i}`)));
    assert.deepEqual([profiles.length, missing.length, w.seen.length], [1, 149, 2]);
    assert.deepEqual(await profiled.profiles([]), {profiles: [], missing: []});
    assert.equal(w.seen.length, 2);
  });

  test('an id that is none fails by itself, and takes nobody along', async () => {
    const {profiled, w} = await as('reader');
    const good = profiled.profile('p-1');
    for (const id of ['', '.', '..', 'query', '@ann', 'a b', 'a/b', 'x'.repeat(129), 'ü', undefined]) await rejects(profiled.profile(id), TypeError);
    assert.equal((await good).id, 'p-1');
    assert.equal(w.seen.length, 1);
  });

  test('fields: a part is no version to edit from', async () => {
    const {profiled, w} = await as('p-1');
    const part = await profiled.profile('p-1', {fields: ['name', 'handle', 'name']});
    assert.deepEqual(Object.keys(part).sort(), ['handle', 'id', 'name']);
    assert.equal(w.last().path, '/v1/profiles/p-1?fields=handle,name');
    await profiled.profile('p-1', {fields: ['handle', 'name']});
    assert.equal(w.last().status, 304);
    await rejects(profiled.update(part, {name: 'x'}), TypeError);
  });

  test('pages: the next one by the server’s own link', async () => {
    const {profiled, w} = await as('reader');
    const page = await profiled.list({limit: 2, fields: ['name']});
    assert.equal(page.profiles.length, 2);
    assert.deepEqual(Object.keys(page.profiles[0]).sort(), ['id', 'name']);
    const second = await page.next();
    assert.equal(second.profiles.length, 2);
    assert.notDeepEqual(second.profiles, page.profiles);
    assert.match(w.last().path, /limit=2/);
    const all = [];
    for await (const {id} of profiled.directory({limit: 2})) all.push(id);
    assert.equal(all.length, count);
    assert.equal(new Set(all).size, count);
    const found = await profiled.list({q: 'Person', limit: 50});
    assert.equal(found.profiles.length, count - 1, 'one has another name by now');
    await rejects(profiled.list({q: 'p'}), Problem, {status: 400});
  });

  test('an edit is made from a version; who was quicker is told of, with both', async () => {
    const id = await person({bio: 'old'}), mine = await as(id), theirs = await as(id);
    const a = await mine.profiled.me(), b = await theirs.profiled.me();
    const now = await theirs.profiled.update(b, {name: 'Theirs'});
    assert.equal(now.name, 'Theirs');
    const error = await rejects(mine.profiled.update(a, {name: 'Mine', bio: null}), Conflict, {status: 412, mine: {name: 'Mine', bio: null}, base: a});
    assert.equal(error.theirs.name, 'Theirs');
    const merged = await mine.profiled.update(error.theirs, {name: 'Both'});
    assert.equal(merged.name, 'Both');
    assert.equal(merged.bio, 'old');
    const patched = await mine.profiled.update(merged, [{op: 'test', path: '/name', value: 'Both'}, {op: 'remove', path: '/bio'}]);
    assert.equal('bio' in patched, false);
    await rejects(mine.profiled.update(patched, [{op: 'test', path: '/name', value: 'x'}]), client.PatchFailed, {status: 409});
    const whole = await mine.profiled.replace(patched, {handle: patched.handle, name: 'Whole'});
    assert.equal(whole.name, 'Whole');
    const after = await mine.profiled.update(whole, {nickname: 'N'});
    assert.equal(after.nickname, 'N', 'what a PUT gave has a tag to go on from');
    await rejects(mine.profiled.update({id}, {name: 'x'}), TypeError);
    await mine.profiled.remove(after);
    await rejects(mine.profiled.me(), Problem);
  });

  test('what was read by its handle is edited at its id; a public view keeps to itself', async () => {
    const id = await person({email: 'e@example.org'}), {profiled, w} = await as(id);
    const seen = await profiled.byHandle(`p_${count}`);
    assert.equal('email' in seen, false);
    const now = await profiled.update(seen, {name: 'By handle'});
    assert.equal(w.last().path, `/v1/profiles/${id}`);
    assert.equal('email' in now, false);
    assert.equal((await profiled.me()).email, 'e@example.org');
  });

  test('a write whose answer is lost is sent again, and is not taken for somebody else’s', async () => {
    const id = await person(), {profiled, w} = await as(id);
    const me = await profiled.me();
    let lost = 0;
    w.lose = ({method}) => method === 'PATCH' && lost++ === 0;
    const now = await profiled.update(me, {name: 'Once'});
    assert.equal(now.name, 'Once');
    assert.equal(now.version, me.version + 1, 'it was made once');
    assert.deepEqual(w.seen.filter(({method}) => method === 'PATCH').map(({status}) => status), [200, 412]);
    const admin = await as('admin'), full = await admin.profiled.full(id);
    lost = 0;
    admin.w.lose = ({method}) => method === 'DELETE' && lost++ === 0;
    await admin.profiled.remove(full);
    assert.deepEqual(admin.w.seen.filter(({method}) => method === 'DELETE').map(({status}) => status), [204, 404]);
  });

  test('errors by their kind', async () => {
    const id = await person(), {profiled} = await as(id);
    const me = await profiled.me();
    const invalid = await rejects(profiled.update(me, {website: 'nonsense', locale: '??', visibility: {email: 'maybe'}}), Invalid, {status: 422, slug: 'invalid-profile'});
    assert.deepEqual(Object.keys(invalid.fields).sort(), ['locale', 'visibility', 'website']);
    assert.match(invalid.instance, /[0-9a-f]{32}/);
    await rejects(profiled.update(me, {handle: 'p_1'}), Taken, {slug: 'handle-taken'});
    await rejects((await as('reader', {scope: 'metrics:read'})).profiled.profile(id), Forbidden);
    await rejects(profiled.create({handle: 'of_mine'}), Forbidden);
    await rejects(profiled.byHandle('no_such_one'), NotFound);
    await rejects(new Profiled({base: `http://127.0.0.1:${at.site.port}`}).me(), Unauthorized);
    await rejects(new Profiled({base: 'http://127.0.0.1:9', attempts: 1}).me(), Unreachable);
    await rejects(profiled.createAt('me', {handle: 'again'}), Conflict, {base: undefined});
    for (const error of [invalid, new Unavailable(503, {}, new Headers())]) assert(error instanceof Problem && error instanceof Error);
    assert.equal(new RateLimited(429, {}, new Headers({'Retry-After': new Date(Date.now() + 5000).toUTCString()})).retryAfter <= 5, true);
  });

  test('createAt and create', async () => {
    const fresh = await as('fresh');
    const made = await fresh.profiled.createAt('me', {handle: 'fresh', email: 'f@example.org'});
    assert.equal(made.email, 'f@example.org');
    assert.equal((await fresh.profiled.update(made, {name: 'Fresh'})).name, 'Fresh');
    const admin = await as('admin');
    const other = await admin.profiled.create({handle: 'made', name: 'Made'});
    assert.match(other.id, /^[0-9a-f-]{36}$/);
    assert.match(admin.w.last().headers['Idempotency-Key'], /^"[0-9a-f-]{36}"$/);
    assert.equal((await admin.profiled.update(other, {name: 'Made again'})).name, 'Made again');
  });

  test('a POST whose answer is lost makes one profile', async () => {
    const {profiled, w} = await as('admin');
    let lost = 0;
    w.lose = ({method}) => method === 'POST' && lost++ === 0;
    const made = await profiled.create({handle: 'only_once', name: 'Only once'});
    const posts = w.seen.filter(({method}) => method === 'POST');
    assert.equal(posts.length, 2);
    assert.equal(posts[0].headers['Idempotency-Key'], posts[1].headers['Idempotency-Key']);
    assert.equal((await profiled.byHandle('only_once')).id, made.id);
  });

  test('401: a new token is asked for once, and the request goes on', async () => {
    const id = await person(), good = await at.site.token(id), w = way(at.site), asked = [];
    const profiled = new Profiled({base: w.base, fetch: w.fetch, token: ({rejected}) => { asked.push(rejected); return rejected === undefined ? 'bad.bad.bad' : good; }});
    assert.equal((await profiled.me()).id, id);
    assert.deepEqual(asked, [undefined, 'bad.bad.bad']);
    const stubborn = new Profiled({base: w.base, fetch: w.fetch, token: () => 'bad.bad.bad'}), before = w.seen.length;
    await rejects(stubborn.me(), Unauthorized);
    assert.equal(w.seen.length - before, 1, 'the same one is not tried twice');
    const controller = new AbortController();
    const waiting = new Profiled({base: w.base, fetch: w.fetch, token: ({rejected}) => (rejected ? new Promise(() => {}) : 'bad.bad.bad')}).me({signal: controller.signal});
    setTimeout(() => controller.abort(), 50);
    await rejects(waiting, DOMException, {name: 'AbortError'});
  });

  test('one’s own view is for its holder alone', async () => {
    const [a, b] = [await person(), await person()], w = way(at.site);
    let token = await at.site.token(a);
    const profiled = new Profiled({base: w.base, fetch: w.fetch, token: () => token});
    await profiled.me();
    await profiled.me();
    assert.equal(w.last().status, 304);
    token = await at.site.mint(a, READ);
    await profiled.me();
    assert.equal(w.last().status, 304, 'another token of the same holder');
    token = await at.site.token(b);
    assert.equal((await profiled.me()).id, b);
    assert.equal(w.last().headers['If-None-Match'], undefined);
    token = await at.site.token(a);
    assert.equal((await profiled.me()).id, a);
    assert.equal(w.last().headers['If-None-Match'], undefined, 'and not kept for when they come back');
    await profiled.clear();
    await profiled.me();
    assert.equal(w.last().status, 200);
    /* a token that this module cannot read: nothing is kept */
    const opaque = new Profiled({base: w.base, token: () => 'opaque', fetch: async (...all) => { w.seen.push({...all[1]}); return new Response('{"id":"a"}', {headers: {ETag: '"1"', 'Content-Type': 'application/json'}}); }});
    await opaque.me();
    await opaque.me();
    assert.equal(w.last().headers['If-None-Match'], undefined);
  });

  test('Retry-After: waited for where that is safe, not for ever, and never past an abort', async () => {
    const {profiled, w} = await as('reader', {maxWait: 2});
    w.answer = (_, n) => (n === 1 ? problem(503, {'Retry-After': '1'}) : n === 2 ? problem(429, {'Retry-After': '0'}) : undefined);
    const begun = Date.now();
    assert.equal((await profiled.profile('p-1')).id, 'p-1');
    assert(Date.now() - begun >= 1000);
    assert.equal(w.seen.length, 3);
    w.answer = () => problem(429, {'Retry-After': '60'});
    await rejects(profiled.profile('p-1'), RateLimited, {retryAfter: 60});
    assert.equal(w.seen.length, 4, 'a minute is for the application to wait');
    const controller = new AbortController();
    w.answer = () => problem(503, {'Retry-After': '2'});
    setTimeout(() => controller.abort(), 50);
    const late = Date.now();
    await rejects(profiled.byHandle('p_1', {signal: controller.signal}), DOMException, {name: 'AbortError'});
    assert(Date.now() - late < 1000);
    /* a proxy's 503 says nothing of whether a POST arrived */
    w.answer = () => new Response('<h1>503</h1>', {status: 503});
    const sent = w.seen.length;
    await rejects(profiled.update(await fixed(), {name: 'x'}), Unavailable, {slug: ''});
    assert.equal(w.seen.length - sent, 3, 'If-Match lets a PATCH be repeated');
    async function fixed() { const {answer} = w; w.answer = undefined; const p = await profiled.profile('p-1'); w.answer = answer; w.seen.length = sent; return p; }
  });

  test('no answer: tried again, then Unreachable; a body that breaks off is none', async () => {
    const {profiled, w} = await as('reader');
    w.answer = (_, n) => (n === 1 ? new TypeError('fetch failed') : undefined);
    assert.equal((await profiled.profile('p-1')).id, 'p-1');
    w.answer = () => new Response(new ReadableStream({start(c) { c.enqueue(new TextEncoder().encode('{"id":')); c.error(new TypeError('terminated')); }}), {headers: {'Content-Type': 'application/json'}});
    await rejects(profiled.profile('p-1'), Unreachable);
    w.answer = () => new Response('{"id":', {headers: {'Content-Type': 'application/json'}});
    await rejects(profiled.profile('p-1'), Unreachable);
  });

  test('abort: each for itself; the request ends when nobody waits for it', async () => {
    const {profiled, w} = await as('reader');
    const one = new AbortController(), two = new AbortController();
    let ended = false;
    w.before = ({signal}) => new Promise((resolve) => { signal.addEventListener('abort', () => { ended = true; resolve(); }); setTimeout(resolve, 300); });
    const a = profiled.profile('p-1', {signal: one.signal}), b = profiled.profile('p-2', {signal: two.signal});
    setTimeout(() => one.abort(new Error('mine')), 20);
    await rejects(a, Error, {message: 'mine'});
    assert.equal((await b).id, 'p-2');
    assert.equal(ended, false);
    const c = profiled.profile('p-1', {signal: AbortSignal.timeout(30)}), d = profiled.profile('p-2', {signal: AbortSignal.timeout(40)});
    await Promise.allSettled([c, d]);
    assert.equal(ended, true);
    const sent = w.seen.length, gone = new AbortController();
    const e = profiled.profile('p-1', {signal: gone.signal});
    gone.abort();
    await rejects(e, DOMException);
    await rejects(profiled.me({signal: AbortSignal.abort()}), DOMException);
    assert.equal(w.seen.length, sent, 'nothing is sent for who has gone already');
  });

  test('what a request cost is told; a fault of who listens is not the request’s', async () => {
    const told = [], {profiled} = await as('reader', {onExchange: (exchange) => told.push(exchange)});
    await profiled.profile('p-1');
    await profiled.profile('p-1');
    assert.deepEqual(told.map(({method, path, status}) => [method, path, status]), [['GET', '/v1/profiles/p-1', 200], ['GET', '/v1/profiles/p-1', 304]]);
    assert.match(told[0].cacheStatus, /^profiled; /);
    assert(told[0].ms > 0 && told[0].bytes > 0);
  });

  test('a store that fails is one that has nothing', async () => {
    const broken = {get: async () => { throw new Error('disk'); }, set() { throw new Error('quota'); }, delete: async () => { throw new Error('disk'); }};
    const {profiled} = await as('p-1', {store: broken});
    const seen = await profiled.profile('p-1');
    assert.equal((await profiled.update(seen, {nickname: 'still'})).nickname, 'still');
  });

  test('a tag that a front server weakened is strong again in If-Match', async () => {
    const w = way(at.site), token = await at.site.token('p-1');
    const profiled = new Profiled({base: w.base, token: () => token, fetch: async (...all) => {
      const answer = await w.fetch(...all), headers = new Headers(answer.headers), tag = headers.get('etag');
      if (tag !== null) headers.set('ETag', `W/${tag}`);
      return new Response(answer.status === 304 ? null : await answer.text(), {status: answer.status, headers});
    }});
    assert.equal((await profiled.update(await profiled.me(), {nickname: 'weak'})).nickname, 'weak');
  });

  test('avatars', async () => {
    const id = await person(), {profiled} = await as(id);
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    await profiled.setAvatar(new Blob([png], {type: 'image/png'}));
    assert.match((await profiled.me()).picture, /\/v1\/avatars\//);
    await profiled.removeAvatar();
    assert.equal((await profiled.me()).picture, undefined);
  });

  test('export', async () => {
    const id = await person(), {profiled} = await as(id);
    assert.equal((await profiled.export()).profile.id, id);
  });

  test('tokens: one is ended, then all', async () => {
    const id = await person(), {profiled} = await as(id), one = await at.site.mint(id, READ, {jti: 'lost-phone'});
    const phone = new Profiled({base: `http://127.0.0.1:${at.site.port}`, token: () => one});
    await phone.me();
    await profiled.revoke(one);
    await rejects(phone.me(), Unauthorized);
    await profiled.me();
    await profiled.revokeTokens();
    await rejects(profiled.me(), Unauthorized);
  });

  test('the change feed, from a place on; Gone where it does not go on', async () => {
    const {profiled} = await as('admin'), controller = new AbortController(), seen = [];
    for await (const page of profiled.changes({limit: 10, wait: 1, signal: controller.signal})) {
      seen.push(...page.changes);
      assert.equal(typeof page.epoch, 'string');
      if (!page.more) break;
    }
    assert(seen.length > count);
    assert.deepEqual(seen.map(({seq}) => seq), [...seen.map(({seq}) => seq)].sort((a, b) => a - b));
    await rejects((async () => { for await (const page of profiled.changes({after: seen.at(-1).seq, epoch: 'another', wait: 0})) assert.fail(JSON.stringify(page)); })(), client.Gone);
  });

  test('status', async () => {
    assert.equal((await (await as('admin', {scope: 'metrics:read'})).profiled.status()).state, 'running');
  });
});

test('mergePatch is RFC 7396’s', () => {
  for (const [target, patch, result] of [
    [{a: 'b'}, {a: 'c'}, {a: 'c'}], [{a: 'b'}, {a: null}, {}], [{a: {b: 'c'}}, {a: {b: 'd', c: null}}, {a: {b: 'd'}}], [{a: ['b']}, {a: [1]}, {a: [1]}],
    [['a'], {x: 1}, {x: 1}], [{}, {a: {bb: {ccc: null}}}, {a: {bb: {}}}], [{e: null}, {a: 1}, {e: null, a: 1}], [{a: 1}, null, null], [{a: 1}, 'x', 'x'],
  ]) assert.deepEqual(mergePatch(target, patch), result);
  const patched = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}'));
  assert.equal({}.polluted, undefined);
  assert.deepEqual(Object.keys(patched), ['__proto__']);
});

test('claimsOf reads both kinds of tokens and takes nonsense for nothing', () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  assert.deepEqual(claimsOf(`${part({})}.${part({sub: 'zoë', iss: 'i', scope: 'a b', exp: 9, iat: 1})}.x`), {sub: 'zoë', iss: 'i', scopes: ['a', 'b'], exp: 9, iat: 1});
  const paseto = Buffer.concat([Buffer.from(JSON.stringify({sub: 'p', exp: '1970-01-01T00:00:09Z'})), Buffer.alloc(64)]).toString('base64url');
  assert.deepEqual(claimsOf(`v4.public.${paseto}.e30`), {sub: 'p', iss: undefined, scopes: [], exp: 9, iat: undefined});
  for (const bad of ['', 'x', 'a.b.c', `${part({})}.${part({})}.x`, `${part({})}.${part({sub: 1})}.x`, 'v4.public.AA.x', `${part({})}.${part(null)}.x`]) assert.equal(claimsOf(bad), undefined, bad);
});

test('linkOf', () => {
  assert.equal(linkOf('</a?x=1,2>; rel="next"', 'next'), '/a?x=1,2');
  assert.equal(linkOf('</p>; rel=prev, </n>; title="a, b; rel=x"; rel="last next"', 'next'), '/n');
  assert.equal(linkOf('</p>; rel="nextish"', 'next'), undefined);
  assert.equal(linkOf(null, 'next'), undefined);
});

test('stores: the least recently used one goes; Cache Storage where there is one', async () => {
  const store = memoryStore(2);
  store.set('a', {etag: '1'}); store.set('b', {etag: '2'}); store.get('a'); store.set('c', {etag: '3'});
  assert.deepEqual(['a', 'b', 'c'].map((key) => store.get(key)?.etag), ['1', undefined, '3']);
  assert.equal(typeof cacheStorageStore().get, 'function', 'memory, here');
  const entries = new Map();
  globalThis.caches = {open: async () => ({match: async ({url}) => entries.get(url)?.clone(), put: async ({url}, response) => { entries.set(url, response); }, delete: async ({url}) => entries.delete(url)}), delete: async () => entries.clear()};
  try {
    const stored = cacheStorageStore();
    await stored.set('/v1/profiles/a?fields=b', {etag: '"1"', body: {id: 'a'}});
    assert.deepEqual(await stored.get('/v1/profiles/a?fields=b'), {etag: '"1"', body: {id: 'a'}});
    await stored.delete('/v1/profiles/a?fields=b');
    assert.equal(await stored.get('/v1/profiles/a?fields=b'), undefined);
  } finally { delete globalThis.caches; }
});

test('Tick: an error of the load is everybody’s, a thing’s own its own', async () => {
  const tick = new Tick(async (ids, group) => {
    if (group === 'bad') throw new Error('all');
    return (id, n) => (id === 'no' ? new Error('none') : `${id}${n}`);
  }, 10);
  const all = await Promise.allSettled([tick.ask('a', 'g'), tick.ask('a', 'g'), tick.ask('no', 'g'), tick.ask('x', 'bad'), tick.ask('y', 'bad')]);
  assert.deepEqual(all.map(({value, reason}) => value ?? reason.message), ['a0', 'a1', 'none', 'all', 'all']);
});

// ---- the pages that Node can follow: what a mount and a server that is not ours do

const servers = [];
let port;
before(async () => {
  const server = http.createServer((request, response) => {
    const moved = request.url.endsWith('/moved');
    response.writeHead(moved ? 302 : 200, {'Content-Type': 'application/json', Location: '/elsewhere', Link: '<https://elsewhere.example/mount/v1/profiles?after=x>; rel="next"'});
    response.end(JSON.stringify({profiles: [], path: request.url}));
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await new Promise((done) => server.on('listening', done));
  ({port} = server.address());
});
after(() => servers.forEach((server) => server.close()));

test('under a mount; a link never leads a token to another server, nor does a redirect', async () => {
  const paths = [], profiled = new Profiled({base: `http://127.0.0.1:${port}/mount/`, token: () => 'secret', attempts: 1, fetch: (address, options) => (paths.push(address), fetch(address, options))});
  const page = await profiled.list();
  await page.next();
  assert.deepEqual(paths, [`http://127.0.0.1:${port}/mount/v1/profiles?limit=20`, `http://127.0.0.1:${port}/mount/v1/profiles?after=x`]);
  await rejects(profiled.profile('moved'), Unreachable);
});

test('the types fit what one writes', {timeout: 60000}, async () => {
  const how = await run(process.execPath, [join(root, 'tests/scenario/node_modules/typescript/bin/tsc'), '-p', join(root, 'tests/scenario/types')], {cwd: root});
  assert.equal(how.code, 0, how.out);
});
