// Ten thousand requests out of the grammar that the API's description is: never a fault of the server's, each answer as the
// description says (lib/client.mjs sees to that), and the pool and its database as well afterwards as before. PROFILED_SEED
// chooses others; what failed is said whole.
import assert from 'node:assert/strict';
import http from 'node:http';
import {test} from 'node:test';
import {METHODS, description} from './lib/openapi.mjs';
import {request} from './lib/client.mjs';
import {dice, randomRequest} from './lib/random.mjs';
import {ADMIN, LIST, READ, WRITE, scenario} from './lib/site.mjs';
import {now} from './lib/token.mjs';

const seed = Number(process.env.PROFILED_SEED ?? 20261126), count = process.env.PROFILED_LONG ? 50000 : 10000;
const SUBJECTS = 400, CONNECTIONS = 6;

/** Once more where lighttpd closed a kept connection as the request went out: that says nothing (RFC 9112 section 9.3.1). */
const again = (ask) => ask().catch((error) => (['ECONNRESET', 'EPIPE'].includes(error.code) ? ask() : Promise.reject(error)));

scenario('requests at random', {settings: {server: {workers: 3}, http: {cors_origins: 'https://app.example'}}}, (at) => {
  test(`${count} of them`, async (t) => {
    const {site} = at;
    const agent = new http.Agent({keepAlive: true, maxSockets: CONNECTIONS});
    // issued a little later than now, so that most outlive the deletions and revocations to come
    const iat = now() + 25;
    const tokens = await Promise.all(Array.from({length: SUBJECTS}, (_, i) => site.mint(`u${i}`, `${READ} ${LIST} ${WRITE}`, i % 4 ? {iat} : {})));
    const callers = {admin: await site.mint('root', `${ADMIN} metrics:read`, {iat}), all: await site.mint('ada', `${READ} ${LIST} ${WRITE} metrics:read`, {iat}), subject: (n) => tokens[n]};
    const seen = {etags: ['"x"'], dates: ['Thu, 26 Nov 2026 02:10:57 GMT'], cursors: ['AAAA', '0', '1'], hashes: ['0'.repeat(32)]};
    const keep = (list, value) => value !== undefined && (list.length < 40 ? list.push(value) : (list[Math.abs(value.length * 7 + list.length) % 40] = value));
    const answers = new Map(), bad = [];
    let next = 0;

    async function ask() {
      while (next < count && bad.length < 5) {
        const i = next++;
        const asked = randomRequest(dice(seed + i * 7919), seen, callers);
        const told = () => `request ${i} of seed ${seed}: ${asked.method} ${asked.path.slice(0, 500)} ${JSON.stringify(asked.headers).slice(0, 600)} ${asked.body?.toString('latin1').slice(0, 400) ?? ''}`;
        try {
          const answer = await again(() => request({port: site.port}, {...asked, agent, ms: 20000}));
          const key = `${asked.of} ${answer.status}`;
          answers.set(key, (answers.get(key) ?? 0) + 1);
          if (answer.status >= 500) bad.push(`${answer.status} ${answer.text}: ${told()}`);
          keep(seen.etags, answer.etag);
          keep(seen.dates, answer.header('last-modified'));
          keep(seen.cursors, answer.header('link')?.match(/[?&]after=([^&>]*)/)?.[1]);
          keep(seen.hashes, answer.text.match(/\/v1\/avatars\/([0-9a-f]+)/)?.[1]);
        } catch (error) {
          bad.push(`${error.message}: ${told()}`);
        }
      }
    }
    await Promise.all(Array.from({length: CONNECTIONS}, ask));
    agent.destroy();
    assert.deepEqual(bad, []);

    const sum = (test) => [...answers].filter(([key]) => test(key)).reduce((n, [, many]) => n + many, 0);
    const worked = sum((key) => / 2..$/.test(key)), refused = sum((key) => / 4..$/.test(key));
    const statuses = [...new Set([...answers.keys()].map((key) => key.slice(-3)))].sort().map((status) => `${sum((key) => key.endsWith(status))}× ${status}`);
    t.diagnostic(`| seed ${seed}: ${statuses.join(', ')}`);
    t.diagnostic(`| ${worked} worked, ${sum((key) => / 304$/.test(key))} not modified, ${refused} refused, in ${answers.size} ways`);
    assert(worked > count * 0.15 && refused > count * 0.2, `${worked} worked, ${refused} refused`);
    for (const [path, item] of Object.entries(description().paths))
      for (const method of METHODS.filter((m) => item[m])) assert(sum((key) => key.startsWith(`${method} ${path} `)) > 0, `${method} ${path} was not asked`);
    // The writes got through to the rules behind them.
    for (const status of [200, 201, 204, 400, 401, 403, 404, 409, 412, 415, 422, 428]) assert(sum((key) => key.endsWith(` ${status}`)) > 0, `no ${status}`);
  });

  test('the pool and the database are as well as before', async () => {
    const {site} = at;
    assert.equal((await site.status()).deaths ?? 0, 0);
    assert.doesNotMatch(site.readLog(), /worker-died|"level":"(error|fatal)"/);
    await site.cli('db', 'check');
    assert.equal((await site.get('/readyz')).status, 200);
    assert.equal((await site.post('/v1/profiles', {id: 'after', handle: 'after'}, {as: 'admin'})).status, 201);
  });
}, async (site) => {
  const people = Array.from({length: SUBJECTS}, (_, i) => JSON.stringify({id: `u${i}`, handle: `u${i}`, name: `Person ${i}`, email: `u${i}@example.org`, attributes: {languages: ['en'], n: i}}));
  const how = await site.tryCli(['import', '-'], `${people.join('\n')}\n{"id":"ada","handle":"ada","name":"Ada"}\n`);
  assert.equal(how.code, 0, how.err);
});
