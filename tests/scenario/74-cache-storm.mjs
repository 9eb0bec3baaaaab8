// A storm: reads and writes of every kind, by workers of two pools, through lighttpd, by CGI processes and by import, while workers are
// killed at any moment. Each body bears a number and a sum over itself. No byte is wrong, no read is older than a write that was
// answered before it began (or than what another read saw before), no tag stands for two bodies, nothing hangs, and all is well after.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {test} from 'node:test';
import {anotherPool, cgi, crewOf} from './lib/crew.mjs';
import {straight} from './lib/fastcgi.mjs';
import {killAll, sleep, until} from './lib/process.mjs';
import {Site} from './lib/site.mjs';

const SECONDS = process.env.PROFILED_LONG ? 60 : 8;
const PROFILES = 12, READERS = 10, WRITERS = 3, WORKERS = 4, FILLERS = 400;

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const sum = (...parts) => createHash('sha1').update(parts.join('\n')).digest('hex');

/**
 * One profile and what was done to it: states[k] is what it is after its k-th write. Writes to it come one after the other, and one
 * that got no answer is sent again until it does, so that each read shows one of the states from the last answered to the last sent.
 */
class Subject {
  constructor(n) {
    this.id = `s${n}`;
    this.states = [{exists: false}];
    this.answered = 0; // the last state that everybody must see
    this.tokens = [];  // its own, each {token, dead}: whether a revocation was answered that was sent after it was issued
  }
  get last() { return this.states.at(-1); }

  /** The next state, of a random kind, and the request that brings it about. */
  next() {
    const k = this.states.length, before = this.last;
    const pad = 'x'.repeat(Math.floor(Math.random() ** 3 * 6000));
    const shown = {name: `${k}`, attributes: {k, pad, sum: sum(this.id, k, pad)}};
    const state = {...before, exists: true, active: true};
    const kind = !before.exists || Math.random() < 0.05 ? (before.exists ? 'delete' : 'make') : pick(['public', 'public', 'private', 'private', 'rename', 'suspend']);
    if (kind === 'delete') Object.assign(state, {exists: false});
    if (kind === 'make') Object.assign(state, {handle: `${this.id}_${k}`, email: undefined, ...shown});
    if (kind === 'public') Object.assign(state, shown);
    if (kind === 'private') Object.assign(state, {email: `${k}.${sum(this.id, k)}@example.org`});
    if (kind === 'rename') Object.assign(state, {handle: `${this.id}_${k}`});
    if (kind === 'suspend') Object.assign(state, {active: false});
    this.states.push(state);
    const revokes = kind === 'delete' || (before.active && !state.active);
    const {handle, name, attributes, email, active} = state;
    const body = {handle, name, attributes, email, state: active ? 'active' : 'suspended'};
    if (kind === 'make') return {method: 'POST', path: '/v1/profiles', body: {...body, id: this.id}, done: [201, 409]};
    if (kind === 'delete') return {method: 'DELETE', path: `/v1/profiles/${this.id}`, match: '*', done: [204, 404, 412], revokes};
    return {method: 'PUT', path: `/v1/profiles/${this.id}/full`, body, match: '*', done: [200], revokes};
  }
  /** Somewhere to read it, with what a state looks like from there. */
  view() {
    const handle = pick(this.states.slice(-4)).handle ?? `${this.id}_0`;
    return pick([
      {path: `/v1/profiles/${this.id}`, shows: (s) => s.exists && s.active},
      {path: `/v1/profiles/${this.id}/full`, shows: (s) => s.exists, owner: true},
      {path: `/v1/profiles/@${handle}`, shows: (s) => s.exists && s.active && s.handle === handle},
    ]);
  }
  /** Throws unless the answer to a read that began at state `from` shows one that was possible. */
  check(answer, {path, shows, owner}, from) {
    let fits = (state) => !shows(state);
    if (answer.status === 200) {
      const {id, handle, name, attributes, email} = answer.json;
      assert.equal(id, this.id);
      assert.equal(attributes.sum, sum(this.id, attributes.k, attributes.pad), `a broken body at ${path}`);
      assert.equal(name, `${attributes.k}`);
      if (email) assert.equal(email, `${email.split('.')[0]}.${sum(this.id, email.split('.')[0])}@example.org`);
      fits = (state) => shows(state) && state.handle === handle && state.name === name && (!owner || state.email === email);
    } else {
      assert.equal(answer.status, 404, answer.text);
    }
    const found = this.states.findIndex((state, k) => k >= from && fits(state));
    assert(found >= 0, `${path}: ${answer.status} ${answer.text.slice(0, 300)} (${answer.header('cache-status')})\nin place of one of ` +
      `${JSON.stringify(this.states.slice(from).map(({attributes, ...rest}) => rest))}`);
    this.answered = Math.max(this.answered, found); // nobody may see an older one from now on
  }
}

test(`${SECONDS} s of reads and writes while workers are killed`, {timeout: (SECONDS + 60) * 1000}, async () => {
  const site = await Site.start({settings: {server: {workers: WORKERS}, store: {synchronous: 'normal'}, cache: {size: '256K'}, token: {cache_size: '64K'}, log: {level: 'error'}}});
  let other;
  try {
    other = await anotherPool(site, 'other', {'server.workers': 2});
    const lines = Array.from({length: FILLERS}, (_, i) => JSON.stringify({id: `f${i}`, handle: `f_${i}`, bio: 'f'.repeat(500)}));
    assert.equal((await site.tryCli(['import', '-'], lines.join('\n'))).code, 0);
    await site.token('admin');
    // a program with sanitizers starts slowly: workers must live long enough to answer something
    const begun = Date.now();
    await site.cli('config');
    const slow = Math.max(1, (Date.now() - begun) / 40);
    const subjects = Array.from({length: PROFILES}, (_, n) => new Subject(n));
    const ways = [undefined, straight(site.socket), straight(site.socket), other.via];
    const tags = new Map(), wrong = [], lost = {}, own = {}, end = Date.now() + SECONDS * 1000;
    let reads = 0, writes = 0, kills = 0, slowest = 0;
    const on = () => Date.now() < end && wrong.length === 0;
    /** One request; undefined when its worker was killed over it. */
    async function ask(method, path, options) {
      const begun = Date.now();
      try {
        const answer = await site.call(method, path, {as: 'admin', ...options});
        slowest = Math.max(slowest, Date.now() - begun);
        if (answer.status < 500) return answer;
        lost[answer.status] = (lost[answer.status] ?? 0) + 1;
      } catch (error) {
        if (/no answer within/.test(error.message)) wrong.push(error);
        const why = error.code ?? error.message.slice(0, 40);
        lost[why] = (lost[why] ?? 0) + 1;
      }
      return undefined;
    }
    async function reader() {
      for (let i = 0; on(); i++) {
        if (i % 4 === 3) {
          const answer = await ask('GET', `/v1/profiles/f${Math.floor(Math.random() * FILLERS)}`, {via: pick(ways)});
          if (answer && answer.json.bio?.length !== 500) wrong.push(new Error(answer.text));
          continue;
        }
        const subject = pick(subjects), view = subject.view(), from = subject.answered;
        const answer = await ask('GET', view.path, {via: pick(ways)});
        if (!answer) continue;
        reads++;
        try {
          subject.check(answer, view, from);
          if (answer.status === 200) {
            const body = sum(answer.text), tag = answer.etag;
            assert.equal(tags.get(tag) ?? body, body, `${tag} stands for two bodies`);
            tags.set(tag, body);
          }
        } catch (error) {
          wrong.push(error);
        }
      }
    }
    async function writer(mine) {
      while (on()) {
        const subject = pick(mine), {method, path, body, match, done, revokes} = subject.next();
        const issued = revokes ? [...subject.tokens] : [];
        for (;;) {
          const by = Math.random();
          const answer = await ask(method, path, {body, match, via: by < 0.02 ? cgi(site) : pick(ways)});
          if (answer && !done.includes(answer.status)) wrong.push(new Error(`${method} ${path}: ${answer.status} ${answer.text}`));
          if (answer || wrong.length) break;
        }
        writes++;
        issued.forEach((one) => { one.dead = true; });
        subject.answered = subject.states.length - 1;
        await sleep(Math.random() * 6);
      }
    }
    /** Reads with the subjects' own tokens, living and dead: what was revoked is refused, by each worker, however often it was taken before. */
    async function bearer() {
      while (on()) {
        const subject = pick(subjects);
        if (subject.tokens.length < 4 || Math.random() < 0.05) {
          const token = await site.mint(subject.id, 'profile:read', {jti: `${Math.random()}`});
          subject.tokens = [...subject.tokens.slice(-12), {token, dead: false}];
        }
        const one = pick(subject.tokens), {dead} = one;
        const answer = await ask('GET', '/v1/me', {as: undefined, token: one.token, via: pick(ways)});
        if (!answer) continue;
        own[answer.status] = (own[answer.status] ?? 0) + 1;
        if (![200, 404, 401].includes(answer.status) || (dead && answer.status !== 401))
          wrong.push(new Error(`a ${dead ? 'revoked' : 'good'} token: ${answer.status} ${answer.text}`));
      }
    }
    async function importer() {
      for (let n = 0; on(); n++) {
        const some = Array.from({length: 200}, (_, i) => JSON.stringify({id: `f${i}`, handle: `f_${i}`, name: `${n}`, bio: 'f'.repeat(500)}));
        const how = await site.tryCli(['import', '--on-conflict', 'replace', '-'], some.join('\n'));
        if (how.code !== 0) wrong.push(new Error(how.err));
        await sleep(700);
      }
    }
    async function killer() {
      while (on()) {
        await sleep((20 + Math.random() * 30) * slow);
        const victims = Math.random() < 0.85 ? site.workers() : other.workers();
        if (!victims.length) continue;
        killAll([pick(victims)]);
        kills++;
      }
    }
    const shares = Array.from({length: WRITERS}, (_, w) => subjects.filter((_, n) => n % WRITERS === w));
    await Promise.all([...Array.from({length: READERS}, reader), ...shares.map(writer), bearer(), bearer(), importer(), killer()]);
    if (wrong.length) throw wrong[0];

    // afterwards: every worker of both says the same and the last, and the cache is at work
    const losses = Object.values(lost).reduce((a, b) => a + b, 0);
    await until('all workers', () => site.workers().length === WORKERS && other.workers().length === 2, 40000);
    const crews = [await crewOf(site.socket, () => site.workers(), WORKERS), await other.crew()];
    for (const subject of subjects) {
      const from = subject.states.length - 1;
      for (const path of [`/v1/profiles/${subject.id}`, `/v1/profiles/${subject.id}/full`])
        for (const crew of crews)
          for (const answer of await crew.get(site, path, {as: 'admin'}))
            subject.check(answer, {path, owner: path.endsWith('full'), shows: (s) => s.exists && (path.endsWith('full') || s.active)}, from);
    }
    for (let i = 0; i < 20; i++) {
      await site.get(`/v1/profiles/f${i}`, {as: 'admin'});
      assert.equal((await site.get(`/v1/profiles/f${i}`, {as: 'admin'})).header('cache-status'), 'profiled; hit');
    }
    const {counters} = await site.status();
    const told = JSON.stringify({slow, own, reads, writes, kills, lost, slowest, counters});
    if (process.env.PROFILED_TELL) console.log(told);
    assert(reads > 20 * SECONDS / slow && writes > 4 * SECONDS / slow && kills > 4 * SECONDS / slow, told);
    assert((own[401] ?? 0) + (own[200] ?? 0) > 0, told);
    assert(losses <= 3 * kills, told);
    assert(counters.cache_hits > 0 && counters.cache_fills > 0, told);
    await site.cli('db', 'check');
  } finally {
    await other?.stop();
    await site.stop();
  }
});
