// A storm at the edge: reads by all sorts of tokens through a real Varnish, in front of a real lighttpd and a real pool whose own edge
// process tells of each write, while Varnish (child and manager), workers, the edge process, the supervisor and the whole pool are killed
// and come back. Both ways of authorising.
//
// What is confirmed: a write is confirmed once Varnish has answered 2xx to a purge that brings it to the write's place in the change log
// or beyond (lib/relay.mjs sees that pass). The place stands in the ETag that answers the write (a deletion, which has none, counts by the
// next write of the same hand). Of every answer, whoever was killed meanwhile:
//   - it is no older than the last version that was confirmed when its request began;
//   - no public view holds a private field's value, of anybody; an owner's view holds its own alone. Each such value can be told, and guessed by nobody;
//   - nothing of any profile, and no 304, goes to a token that is forged, expired, for another audience, without the scope, or whose subject's
//     revocation was confirmed when the request began.
// Nothing is demanded of who gets no answer, or one that says that nobody is there.
import assert from 'node:assert/strict';
import {createHash, randomBytes} from 'node:crypto';
import http from 'node:http';
import {test} from 'node:test';
import {withEdge} from './lib/edge-site.mjs';
import {alive, children, killAll, sleep, until} from './lib/process.mjs';
import {AUDIENCE, READ, WRITE} from './lib/site.mjs';
import {jwt, makeKey, now} from './lib/token.mjs';
import {haveModule, haveVarnish} from './lib/varnish.mjs';

const SECONDS = process.env.PROFILED_LONG ? 60 : 12;
// lives so short that what is stale plays its part
const settings = {server: {workers: 3}, store: {synchronous: 'normal'}, log: {level: 'warn'}, cache: {negative_ttl: '2s'},
  http: {shared_cache: 'edge', s_maxage: '2s', stale_while_revalidate: '2s', stale_if_error: '30s'}};
const PROFILES = 10, READERS = 10, WRITERS = 2, TOKENS = 30;

const pick = (list) => list[Math.floor(Math.random() * list.length)];
const sum = (...parts) => createHash('sha1').update(parts.join('\n')).digest('hex');
const marker = (id) => `priv.${id}.${randomBytes(12).toString('hex')}`;
const place = (tag) => parseInt(/^"[0-9a-f]+-\d+[a-z]([0-9a-f]+)"$/.exec(tag)[1], 16);

/** One profile: states[k] is what it is after its k-th write, .seq that write's place in the log, once it is known. */
class Subject {
  constructor(n) {
    this.id = `s${n}`;
    this.states = [{exists: false, seq: 0}];
  }
  get last() { return this.states.at(-1); }
  /** The last state that whoever begins now must see. */
  from(confirmed) { return this.states.findLastIndex((state) => state.seq <= confirmed); }
  next() {
    const k = this.states.length, before = this.last;
    const state = {...before, exists: true, seq: Infinity};
    const kind = !before.exists ? 'make' : Math.random() < 0.04 ? 'delete' : pick(['public', 'public', 'public', 'private', 'rename']);
    if (kind === 'delete') state.exists = false;
    if (kind === 'make') state.handle = `${this.id}_${k}`;
    if (kind === 'make' || kind === 'public') Object.assign(state, {name: `${k}`, attributes: {sum: sum(this.id, k), pad: 'x'.repeat(Math.random() ** 3 * 4000)}});
    if (kind === 'make' || kind === 'private') state.marker = marker(this.id);
    if (kind === 'rename') state.handle = `${this.id}_${k}`;
    this.states.push(state);
    const {handle, name, attributes} = state, at = `/v1/profiles/${this.id}`;
    const body = {handle, name, attributes, email: `${state.marker}@example.org`, address: {street_address: state.marker}};
    if (kind === 'make') return {method: 'POST', path: '/v1/profiles', body: {...body, id: this.id}, done: [201, 409]};
    if (kind === 'delete') return {method: 'DELETE', path: at, match: '*', done: [204, 404, 412]};
    return {method: 'PATCH', path: `${at}/full`, body, match: '*', done: [200]};
  }
  view() {
    const handle = pick(this.states.slice(-4)).handle ?? `${this.id}_0`;
    return pick([
      {path: `/v1/profiles/${this.id}`, shows: (s) => s.exists},
      {path: `/v1/profiles/${this.id}`, shows: (s) => s.exists},
      {path: `/v1/profiles/@${handle}`, shows: (s) => s.exists && s.handle === handle},
    ]);
  }
  /** Throws unless a body (undefined: there is none) of the public view is one that who began at state `from` may get. */
  check(body, {path, shows}, from) {
    let fits = (state) => !shows(state);
    if (body) {
      assert.equal(body.id, this.id);
      assert.equal(body.attributes.sum, sum(this.id, body.name), `a broken body at ${path}`);
      fits = (state) => shows(state) && state.handle === body.handle && state.name === body.name;
    }
    assert(this.states.some((state, k) => k >= from && fits(state)), `too old at ${path}: ${JSON.stringify(body)?.slice(0, 300) ?? 404}\nin place of one of ` +
      JSON.stringify(this.states.slice(from).map(({attributes, ...rest}) => rest)));
  }
}

/** What is spoken to, and what is remembered of it. */
class Storm {
  constructor(site, edge, relay, way) {
    Object.assign(this, {site, edge, relay, way, wrong: [], lost: 0, writes: 0, told: {}, tags: new Map(), subjects: Array.from({length: PROFILES}, (_, n) => new Subject(n))});
    this.agent = new http.Agent({keepAlive: true, maxSockets: 32});
    this.end = Date.now() + SECONDS * 1000;
  }
  get on() { return Date.now() < this.end && this.wrong.length === 0; }
  count(name) { this.told[name] = (this.told[name] ?? 0) + 1; }
  fault(error) { this.wrong.push(error); }

  /** Through the edge, or to the origin itself. Undefined: nobody answered. */
  async ask(method, path, {direct, ...options}) {
    try {
      const answer = await this.site.call(method, path, {agent: this.agent, target: {port: direct ? this.site.port : this.edge.port}, ...options});
      // lighttpd says 500 where a worker dies over a request; ours would be a fault
      if (answer.status < 500 || /#internal/.test(answer.text)) return answer;
      this.count(`lost ${answer.status}`);
      if (method !== 'GET') this.why = `${direct ? 'direct' : 'edge'} ${answer.status} ${answer.text.slice(0, 300)}`;
    } catch (error) {
      if (/no answer within/.test(error.message)) this.fault(error);
      this.count(`lost ${error.code ?? error.message.slice(0, 40)}`);
      if (method !== 'GET') this.why = `${direct ? 'direct' : 'edge'} ${error.message}`;
    }
    this.lost++;
    await sleep(10);
    return undefined;
  }

  async prepare() {
    const {site} = this, stranger = makeKey(site.key().kid);
    this.good = await Promise.all(Array.from({length: TOKENS}, (_, i) => site.mint(`reader-${i}`, READ)));
    this.bad = await Promise.all([
      ...Array.from({length: 6}, (_, i) => jwt(stranger, site.claims(`reader-${i}`, READ))),
      ...Array.from({length: 4}, (_, i) => site.mint(`reader-${i}`, READ, {iat: now() - 7200, exp: now() - 60 - i})),
      ...Array.from({length: 4}, (_, i) => site.mint(`reader-${i}`, READ, {aud: `${AUDIENCE}/${i}`})),
      site.mint('reader-0', 'metrics:read'), site.mint('reader-1', READ, {iss: 'https://another.example'}), site.mint('reader-2', READ, {nbf: now() + 600}),
    ]);
    const parts = this.good[0].split('.');
    this.bad.push('nonsense', `${this.good[1]}A`, this.good[2].slice(0, -3), `${Buffer.from('{"alg":"none"}').toString('base64url')}.${parts[1]}.`, `${parts[0]}.${this.good[3].split('.')[1]}.${parts[2]}`);
    this.revoked = []; // {token, seq}: the place of its revocation
  }

  async reader() {
    while (this.on) {
      const subject = pick(this.subjects), view = subject.view(), from = subject.from(this.relay.confirmed);
      const known = Math.random() < 0.3 ? pick([...this.tags.keys()].slice(-50)) : undefined;
      const options = {token: pick(this.good), none: known};
      const answer = await this.ask(Math.random() < 0.05 ? 'HEAD' : 'GET', view.path, options);
      if (!answer) continue;
      try {
        assert.doesNotMatch(answer.text, /priv\./, 'a private value in a public view');
        assert(!answer.names.some((name) => /^(xkey|surrogate-key|cdn-cache-control|profiled-)/.test(name)), answer.names.join());
        if (answer.status === 304) {
          assert.equal(answer.etag, known);
          subject.check(this.tags.get(known), view, from);
        } else if (answer.status === 200 && answer.text) {
          const body = answer.json;
          subject.check(body, view, from);
          assert.equal(JSON.stringify(this.tags.get(answer.etag) ?? body), JSON.stringify(body), `${answer.etag} stands for two bodies`);
          this.tags.set(answer.etag, body);
        } else if (answer.status === 404) {
          subject.check(undefined, view, from);
        } else {
          assert.equal(answer.status, 200, answer.text);
        }
        this.count(`read ${answer.status}${/varnish; hit/.test(answer.header('cache-status')) ? ' hit' : ''}`);
      } catch (error) {
        this.fault(error);
      }
    }
  }

  /** Everything that has no business here. */
  async intruder() {
    while (this.on) {
      const {confirmed} = this.relay, dead = this.revoked.filter((one) => one.seq <= confirmed);
      const isRevoked = dead.length > 0 && Math.random() < 0.4;
      const token = isRevoked ? pick(dead.slice(-20)).token : Math.random() < 0.05 ? undefined : pick(this.bad);
      const path = pick([pick(this.subjects).view().path, pick(this.subjects).view().path, '/v1/me']);
      const answer = await this.ask('GET', path, {token, none: Math.random() < 0.3 ? pick(['*', ...this.tags.keys()]) : undefined});
      if (!answer) continue;
      if (![401, 403].includes(answer.status) || answer.etag || /priv\.|"sum"/.test(answer.text))
        this.fault(new Error(`a ${isRevoked ? 'revoked' : 'bad'} token at ${path}: ${answer.status} ${answer.text.slice(0, 300)} (${answer.header('cache-status')})`));
      this.count(`${isRevoked ? 'revoked' : 'bad'} ${answer.status}`);
    }
  }

  /** Owners read their own: nothing of others is in it. */
  async owner() {
    while (this.on) {
      const subject = pick(this.subjects);
      const path = pick(['/v1/me', `/v1/profiles/${subject.id}/full`]);
      const answer = await this.ask('GET', path, {token: await this.site.mint(subject.id, `${READ} ${WRITE}`, {jti: `${Math.random()}`})});
      if (!answer) continue;
      // a deletion has revoked what was minted in that second
      if (![200, 401, 404].includes(answer.status)) this.fault(new Error(`${path}: ${answer.status} ${answer.text}`));
      const seen = answer.text.match(/priv\.s\d+/g) ?? [];
      if (seen.some((one) => one !== `priv.${subject.id}`) || answer.header('age') !== undefined)
        this.fault(new Error(`${subject.id} got another's view: ${answer.text.slice(0, 400)}`));
      this.count(`owner ${answer.status}${seen.length ? ' marked' : ''}`);
      await sleep(20);
    }
  }

  /** A write that is sent until it is answered; gives the place, where the answer tells it. */
  async write({method, path, body, match, done}) {
    const options = {as: 'admin', body, match};
    for (;;) {
      const answer = await this.ask(method, path, {...options, direct: Math.random() < 0.5});
      if (answer) {
        if (!done.includes(answer.status)) this.fault(new Error(`${method} ${path}: ${answer.status} ${answer.text}`));
        this.writes++;
        return answer.etag === undefined ? undefined : place(answer.etag);
      }
      if (Date.now() > this.end + 60000) this.fault(new Error(`${method} ${path} is never answered: ${this.why} ${JSON.stringify(this.told)}\n${this.site.readLog().slice(-3000)}`));
      if (this.wrong.length) return undefined;
    }
  }
  async writer(mine) {
    for (let n = 0; this.on; n++) {
      const seq = await this.write(pick(mine).next());
      if (seq !== undefined) // of all that this hand wrote before, it is at least the place
        for (const subject of mine)
          for (let k = subject.states.length - 1; k > 0 && subject.states[k].seq === Infinity; k--) subject.states[k].seq = seq;
      if (n % 8 === 0) await this.revoke();
      await sleep(Math.random() * 12);
    }
  }
  /** Somebody new, whose token is used, and is dead with them. */
  async revoke() {
    const id = `gone-${randomBytes(6).toString('hex')}`, token = await this.site.mint(id, READ);
    await this.write({method: 'POST', path: '/v1/profiles', body: {id, handle: `g_${id.slice(5)}`}, done: [201, 409]});
    const answer = await this.ask('GET', `/v1/profiles/${pick(this.subjects).id}`, {token});
    if (answer && ![200, 404].includes(answer.status)) this.fault(new Error(`a good token: ${answer.status} ${answer.text}`));
    await this.write({method: 'DELETE', path: `/v1/profiles/${id}`, match: '*', done: [204, 404, 412]});
    const one = {token, seq: Infinity};
    this.revoked.push(one);
    const clock = await this.write({method: 'POST', path: '/v1/profiles', body: {id: `after-${id}`, handle: `a_${id.slice(5)}`}, done: [201, 409]});
    if (clock !== undefined) one.seq = clock;
  }

  // ---- who is killed

  async killer() {
    const {site, edge} = this;
    const worker = () => killAll([pick(site.workers())].filter(Boolean));
    const pool = async (pids) => {
      const family = [site.pool.pid, ...site.workers()];
      killAll(pids(family));
      await until('the pool to be gone', () => !family.some(alive));
      await site.startPool();
    };
    const deeds = {
      'varnish child': () => killAll(children(edge.varnish.pid)),
      'edge process': async () => killAll([await until('an edge process', async () => (await site.status()).edge?.pid)]),
      'pool': () => pool((family) => family),
      'varnish manager': async () => {
        edge.varnish.kill('SIGKILL');
        await edge.varnish.exited;
        await edge.again();
      },
      'supervisor': () => pool(([first]) => [first]),
    };
    for (let n = 0; this.on; n++) {
      await sleep(300 + Math.random() * SECONDS * 30);
      const [name, deed] = Object.entries(deeds)[n % 5];
      worker();
      await deed();
      this.count(`killed: ${name}`);
      for (let i = 0; i < 3; i++) {
        await sleep(150);
        worker();
      }
    }
  }

  async run(killers = [this.killer()]) {
    const shares = Array.from({length: WRITERS}, (_, w) => this.subjects.filter((_, n) => n % WRITERS === w));
    await Promise.all([...Array.from({length: READERS}, () => this.reader()), this.intruder(), this.intruder(), this.owner(), ...shares.map((mine) => this.writer(mine)), ...killers]);
    if (this.wrong.length) throw this.wrong[0];
  }
  /** Afterwards all is right, within the time that is promised. */
  async settle() {
    const last = (await this.site.status()).gauges.change_seq;
    await until('the last write to be confirmed', () => this.relay.confirmed >= last, 2000 + 1000); // a Varnish that was away is tried again each second
    for (const subject of this.subjects)
      for (const path of [`/v1/profiles/${subject.id}`, ...(subject.last.handle ? [`/v1/profiles/@${subject.last.handle}`] : [])]) {
        const answer = await this.site.get(path, {token: this.good[0], target: {port: this.edge.port}});
        subject.check(answer.status === 200 ? answer.json : undefined, {path, shows: (s) => s.exists}, subject.states.length - 1);
      }
  }
}

for (const way of ['vmod', 'authorise']) {
  const skip = !haveVarnish ? 'there is no Varnish here' : way === 'vmod' && !haveModule ? 'the module is not built' : false;
  test(`${way}: ${SECONDS} s of reads and writes while all of it is killed`, {skip, timeout: (SECONDS + 180) * 1000}, () => withEdge(way, settings, async ({site, edge, relay}) => {
    const storm = new Storm(site, edge, relay, way);
    await storm.prepare();
    await storm.run();
    await storm.settle();
    const told = JSON.stringify({way, writes: storm.writes, revoked: storm.revoked.length, lost: storm.lost, purges: relay.purges, alls: relay.alls, refused: relay.refused, ...storm.told}, null, 1);
    if (process.env.PROFILED_TELL) console.log(told);
    const kills = Object.keys(storm.told).filter((name) => name.startsWith('killed')).length;
    assert(kills >= 3 && storm.writes > SECONDS && relay.purges > SECONDS / 6, told);
    for (const name of ['read 200 hit', 'bad 401', 'revoked 401', 'owner 200 marked']) assert(storm.told[name] > 0, `${name}: ${told}`);
    assert.equal(relay.refused, 0, told);
  }));

  test(`${way}: purges that are confirmed and get lost are found out`, {skip, timeout: 120000}, () => withEdge(way, settings, async ({site, edge, relay}) => {
    const storm = new Storm(site, edge, relay, way);
    await storm.prepare();
    relay.lying = true;
    await assert.rejects(storm.run([]), /too old at|a revoked token/);
  }));
}
