// A read that begins after a write was answered sees that write, whichever worker answers it: each worker of one pool, held by a
// connection of its own while another one writes.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {test} from 'node:test';
import {anotherPool, cgi, crewOf} from './lib/crew.mjs';
import {straight} from './lib/fastcgi.mjs';
import {binary, scenario} from './lib/site.mjs';

const ROUNDS = process.env.PROFILED_LONG ? 6000 : 1000;

/** What the server should say of one profile, kept in step with each write. */
class Model {
  constructor(id, handle) { Object.assign(this, {id, handle, exists: false, active: true, name: undefined, email: undefined, bodies: new Map()}); }
  /** Where it is read, and what comes: each [path, status, view]. */
  addresses() {
    const seen = this.exists && this.active ? 200 : 404;
    return [
      [`/v1/profiles/${this.id}`, seen, 'public'],
      [`/v1/profiles/@${this.handle}`, seen, 'public'],
      [`/v1/profiles/${this.id}/full`, this.exists ? 200 : 404, 'owner'],
      ...(this.left ? [[`/v1/profiles/@${this.left}`, 404]] : []),
    ];
  }
  check(answer, [path, status, view], who) {
    const what = `${who}: ${path}`;
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    if (status !== 200) return;
    const {name, email, handle} = answer.json;
    assert.deepEqual({name, email, handle}, {name: this.name, email: view === 'owner' ? this.email : undefined, handle: this.handle}, what);
    const before = this.bodies.get(answer.etag);
    assert(before === undefined || before === answer.text, `${what}: ${answer.etag} stands for two bodies`);
    this.bodies.set(answer.etag, answer.text);
  }
}

/** The i-th write: what is sent, and what the model is afterwards. */
function write(model, i) {
  const one = `/v1/profiles/${model.id}`, name = `n${i}`;
  const sent = (method, path, body, status, change, more = {}) => ({method, path, body, status, change, options: {as: 'admin', match: '*', ...more}});
  if (!model.exists) return sent('POST', '/v1/profiles', {id: model.id, handle: model.handle, name}, 201, {exists: true, active: true, name, email: undefined}, {match: undefined});
  if (!model.active) return sent('PATCH', one, {state: 'active'}, [200, 404], {active: true});
  switch (i % 9) {
  case 1: return sent('PATCH', `${one}/full`, {email: `${name}@example.org`}, 200, {email: `${name}@example.org`});
  case 3: return sent('PUT', one, {handle: model.handle, name}, 200, {name});
  case 4: return sent('PATCH', `${one}/full`, {handle: `h${i}`}, 200, {handle: `h${i}`, left: model.handle});
  case 5: return sent('PUT', `${one}/full`, {handle: model.handle, name}, 200, {name, email: undefined});
  case 6: return sent('PATCH', one, {state: 'suspended'}, [200, 204, 404], {active: false});
  case 8: return sent('DELETE', one, undefined, 204, {exists: false, left: undefined});
  default: return sent('PATCH', one, {name}, 200, {name});
  }
}

scenario('coherence: every worker of a pool', {front: false, settings: {server: {workers: 4}, store: {synchronous: 'normal'}, log: {level: 'warn'}}}, (at) => {
  test(`${ROUNDS} writes of every kind, each read at once by every worker`, async () => {
    const {site} = at;
    const crew = await crewOf(site.socket, () => site.workers(), 4);
    const before = (await site.status()).workers.map((worker) => worker.requests);
    const free = straight(site.socket);
    const model = new Model('ann', 'ann');
    const ask = (path, via) => site.get(path, {as: 'admin', via});
    for (let i = 0; i < ROUNDS; i++) {
      const held = await crew.hold();
      const {method, path, body, status, change, options} = write(model, i);
      const answer = await site.call(method, path, {...options, body, via: (r) => held[0].ask(r)});
      assert([status].flat().includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`);
      Object.assign(model, change);
      // the three that were held before the write was, and the one that wrote: the only one that is free
      const targets = model.addresses();
      const order = [0, 1, 2, 3].map((worker) => targets[((i >> 1) + (i & 1) * worker) % targets.length]); // the same, or each another
      const writer = await ask(order[0][0], free);
      model.check(writer, order[0], `round ${i}, the writer`);
      const others = await Promise.all(held.slice(1).map((connection, n) => ask(order[n + 1][0], (r) => connection.ask(r))));
      others.forEach((other, n) => model.check(other, order[n + 1], `round ${i}, worker ${n + 1}`));
    }
    const done = await site.status();
    // one each round, and one more for whoever wrote: nobody was left out
    assert.equal(done.deaths, 0);
    const asked = done.workers.map((worker, n) => worker.requests - before[n]);
    assert.equal(asked.reduce((a, b) => a + b), ROUNDS * 5);
    for (const count of asked) assert(count >= ROUNDS, `${asked}`);
    assert(done.counters.cache_hits > ROUNDS / 4, 'and the cache was in it');
  });
});

/** Pools and workers of every kind on one database, and all who may write to it. */
async function prepare(site, at) {
  at.other = await anotherPool(site, 'other', {'server.workers': 2});
  at.spawned = Object.assign(Object.create(site), {port: undefined, front: undefined});
  await at.spawned.startFront(`"socket" => "${site.folder}/spawned.sock", "bin-path" => "${binary}", "max-procs" => 1, "bin-environment" => ("PROFILED_CONFIG" => "${site.config}")`);
  const crews = [await crewOf(site.socket, () => site.workers(), 2), await at.other.crew()];
  /** The answers of every worker of all. */
  at.everywhere = async (path, options) =>
    (await Promise.all([...crews.map((crew) => crew.get(site, path, options)), at.spawned.get(path, options)])).flat();
  at.stop = async () => {
    await at.spawned.front.stop();
    assert.deepEqual(await at.other.stop(), {code: 0, signal: null});
  };
}

const shell = (site, sql) => {
  const how = spawnSync('flock', [`${site.database}.lock`, 'sqlite3', '-cmd', '.timeout 5000', '-cmd', 'PRAGMA wal_autocheckpoint=0', site.database, sql], {encoding: 'utf8'});
  assert.equal(how.status, 0, how.stderr);
};
const noShell = spawnSync('sqlite3', ['-version']).status !== 0 && 'there is no sqlite3 here';

scenario('coherence: whoever wrote', {settings: {server: {workers: 2}, log: {level: 'warn'}}}, (at) => {
  const all = async (path, status, check = () => {}) => {
    const answers = await at.everywhere(path, {as: 'admin'});
    assert.equal(answers.length, 5);
    answers.forEach((answer, i) => {
      assert.equal(answer.status, status, `worker ${i}: ${path}: ${answer.text}`);
      check(answer);
    });
    assert.equal(new Set(answers.map((answer) => answer.etag)).size, 1, 'one tag');
    return answers[0];
  };
  const named = (name) => (answer) => assert.equal(answer.json.name, name);

  const change = (via) => async (site, name) => {
    const answer = await site.patch('/v1/profiles/ann', {name}, {as: 'admin', match: '*', ...via(at)});
    assert.equal(answer.status, 200, answer.text);
  };
  const writers = {
    'a worker of the pool': change(() => ({})),
    'a worker of another pool': change(({other}) => ({via: other.via})),
    'a worker that lighttpd spawned': change(({spawned}) => ({target: {port: spawned.port}})),
    'a CGI process': change(({site}) => ({via: cgi(site)})),
    'profiled import': async (site, name) => {
      const how = await site.tryCli(['import', '--on-conflict', 'replace', '-'], JSON.stringify({id: 'ann', handle: 'ann', name}));
      assert.equal(how.code, 0, how.err);
    },
    ...(noShell ? {} : {'the sqlite3 shell': async (site, name) => shell(site, `UPDATE profiles SET name = '${name}' WHERE id = 'ann'`)}),
  };
  for (const [who, by] of Object.entries(writers))
    test(`${who}: the next read of every worker sees it`, async () => {
      const tags = new Set();
      for (let i = 0; i < 8; i++) {
        const name = `${who} ${i}`;
        await by(at.site, name);
        for (const path of i % 2 ? ['/v1/profiles/ann', '/v1/profiles/@ann'] : ['/v1/profiles/@ann', '/v1/profiles/ann/full']) {
          const answer = await all(path, 200, named(name));
          tags.add(`${path.slice(-5)}${answer.etag}`);
        }
      }
      assert.equal(tags.size, 16, 'each of them with a tag of its own');
    });

  test('made, renamed, suspended, deleted by the sqlite3 shell', {skip: noShell}, async () => {
    const {site} = at;
    for (let i = 0; i < 3; i++) {
      for (const path of ['/v1/profiles/eve', '/v1/profiles/@eve', '/v1/profiles/@eva', '/v1/profiles/eve/full']) await all(path, 404);
      shell(site, "INSERT INTO profiles (id, handle, name) VALUES ('eve', 'eve', 'Eve')");
      for (const path of ['/v1/profiles/eve', '/v1/profiles/@eve', '/v1/profiles/eve/full']) await all(path, 200, named('Eve'));
      shell(site, "UPDATE profiles SET handle = 'eva' WHERE id = 'eve'");
      await all('/v1/profiles/@eve', 404);
      await all('/v1/profiles/@eva', 200);
      shell(site, "UPDATE profiles SET state = 'suspended' WHERE id = 'eve'");
      for (const path of ['/v1/profiles/eve', '/v1/profiles/@eva']) await all(path, 404);
      await all('/v1/profiles/eve/full', 200);
      shell(site, "UPDATE profiles SET state = 'active' WHERE id = 'eve'");
      for (const path of ['/v1/profiles/eve', '/v1/profiles/@eva']) await all(path, 200);
      shell(site, "DELETE FROM profiles WHERE id = 'eve'");
    }
  });

  test('a handle that changes hands: at once the other one\'s', async () => {
    const {site} = at;
    await site.make({id: 'one', handle: 'taken'});
    await site.make({id: 'two', handle: 'two'});
    for (let i = 0; i < 4; i++) {
      const [from, to] = i % 2 ? ['two', 'one'] : ['one', 'two'];
      await all('/v1/profiles/@taken', 200, (answer) => assert.equal(answer.json.id, from));
      await site.patch(`/v1/profiles/${from}`, {handle: from}, {as: 'admin', match: '*'});
      await site.patch(`/v1/profiles/${to}`, {handle: 'taken'}, {as: 'admin', match: '*', via: i < 2 ? at.other.via : cgi(site)});
      await all('/v1/profiles/@taken', 200, (answer) => assert.equal(answer.json.id, to));
      await all(`/v1/profiles/@${from}`, 200, (answer) => assert.equal(answer.json.id, from));
    }
  });

  test('60,000 profiles are imported while all of them answer', async () => {
    const {site} = at;
    const lines = Array.from({length: 60000}, (_, i) => JSON.stringify({id: `i${i}`, handle: `i_${i}`, name: `Import ${i}`}));
    const wanted = Array.from({length: 40}, (_, i) => 59999 - i * 1500);
    for (const i of wanted.slice(0, 4)) await all(`/v1/profiles/i${i}`, 404);
    await all('/v1/profiles/ann', 200);
    let done = false;
    const importing = site.tryCli(['import', '-'], lines.join('\n')).then((how) => { done = true; return how; });
    for (let i = 0; !done; i++) {
      const there = await Promise.all([at.other.via, undefined].map((via) => site.get(`/v1/profiles/i${wanted[i % 40]}`, {as: 'admin', via})));
      for (const answer of there) {
        assert([200, 404].includes(answer.status), answer.text);
        if (answer.status === 200) assert.equal(answer.json.name, `Import ${wanted[i % 40]}`);
      }
      assert.equal((await site.patch('/v1/profiles/ann', {name: `during ${i}`}, {as: 'admin', match: '*'})).status, 200);
      await all('/v1/profiles/ann', 200, named(`during ${i}`));
    }
    const how = await importing;
    assert.equal(how.code, 0, how.err);
    for (const i of wanted) await all(`/v1/profiles/i${i}`, 200, named(`Import ${i}`));
    await all('/v1/profiles/i60000', 404);
  });

  test('all stop well', () => at.stop());
}, async (site, at) => {
  await site.make({id: 'ann', handle: 'ann', name: 'Ann'});
  await prepare(site, at);
});
