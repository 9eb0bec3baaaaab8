// Idempotency-Key: a POST that is sent again is made once, whichever worker takes it, whoever dies; and gets the first answer.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {randomUUID} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {cgi, crewOf} from './lib/crew.mjs';
import {until} from './lib/process.mjs';
import {ADMIN, assertProblem, scenario} from './lib/site.mjs';

const WORKERS = 4;
const settings = {server: {workers: WORKERS}, log: {level: 'warn'}};
const DAY = 24 * 3600 * 1000;

scenario('idempotency', {settings}, (at) => {
  let handles = 0;
  const fresh = () => ({handle: `h_${handles++}`, name: 'A name'});
  const post = (body, key, options) => at.site.post('/v1/profiles', body, {as: 'admin', ...options, headers: {...(key && {'Idempotency-Key': key}), ...options?.headers}});
  const sql = (text) => execFileSync('sqlite3', [at.site.database, text], {encoding: 'utf8'}).trim();
  const count = (handle) => Number(sql(`SELECT count(*) FROM profiles WHERE handle='${handle}'`));
  /** All but what is one request's own. */
  const said = (answer) => ({status: answer.status, text: answer.text, lines: Object.fromEntries(answer.names.filter((name) =>
    !['x-request-id', 'date', 'connection', 'server'].includes(name)).map((name) => [name, answer.all(name)]))});
  const quoted = () => `"${randomUUID()}"`;

  test('a repeat gets the first answer: status, Location, ETag, body', async () => {
    const key = quoted(), body = fresh(), first = await post(body, key);
    assert.equal(first.status, 201, first.text);
    assert(first.etag && first.header('location') && first.json.id);
    for (const again of [await post(body, key), await post(body, key.slice(1, -1)), await post(body, key, {via: cgi(at.site)}), await post(body, key, {as: undefined, token: await at.site.mint('admin', ADMIN)})]) {
      if (again.header('server') !== undefined || again.header('date') !== undefined) assert.deepEqual(said(again), said(first));
      else assert.equal(again.text, first.text);
      assert.match(again.header('x-request-id'), /^[0-9a-f]{32}$/);
      assert.notEqual(again.header('x-request-id'), first.header('x-request-id'));
    }
    // as first given, whatever became of it
    assert.equal((await at.site.patch(`/v1/profiles/${first.json.id}`, {name: 'Another'}, {as: 'admin', match: '*'})).status, 200);
    assert.deepEqual(said(await post(body, key)), said(first));
    assert.equal((await at.site.get(first.header('location'), {as: 'admin'})).json.name, 'Another');
    const minimal = quoted(), thin = fresh(), headers = {Prefer: 'return=minimal'};
    const short = await post(thin, minimal, {headers});
    assert.equal(short.text, '');
    assert.deepEqual(said(await post(thin, minimal)), said(short));
  });

  test('without a key, and with another one, it is another request', async () => {
    const body = fresh();
    assert.equal((await post(body, quoted())).status, 201);
    assertProblem(await post(body), 409);
    assertProblem(await post(body, quoted()), 409);
  });

  test('with another body: 422, and nothing is made', async () => {
    const key = quoted(), body = fresh();
    const text = JSON.stringify(body);
    assert.equal((await post(text, key)).status, 201);
    for (const other of [fresh(), {...body, name: 'Other'}, `${text} `, {}]) {
      const problem = assertProblem(await post(other, key), 422);
      assert.equal(problem.type, '/problems.html#key-reused');
    }
    assert.equal((await post(text, key)).status, 201);
  });

  test('a key is its subject\'s alone', async () => {
    const key = quoted(), body = fresh();
    assert.equal((await post(body, key)).status, 201);
    assertProblem(await post(body, key, {as: undefined, token: await at.site.mint('admin2', ADMIN)}), 409);
    assertProblem(await post(body, key, {as: 'ann'}), 403);
  });

  test('what is no key: 400, and nothing is made', async () => {
    for (const key of ['""', '"', '"a', 'a b', '"a" "b"', '"a", "b"', 'a,b', '"a\\x"', `"${'x'.repeat(256)}"`, 'x'.repeat(256), '"\u00e9"', '"a";b=1']) {
      const body = fresh(), problem = assertProblem(await post(body, key), 400);
      assert.equal(problem.type, '/problems.html#malformed-key', key);
      assert.equal(count(body.handle), 0);
    }
    for (const key of ['x'.repeat(255), `"${'x'.repeat(255)}"`, '"a \\" b"']) assert.notEqual((await post(fresh(), key)).status, 400, key);
  });

  test('what failed is not kept: it may be sent again', async () => {
    const taken = fresh(), key = quoted();
    assert.equal((await post(taken)).status, 201);
    for (const [body, status] of [[taken, 409], [{handle: 'x'}, 422], ['{', 400], [{...fresh(), bio: 'x'.repeat(70000)}, 413]]) assertProblem(await post(body, key), status);
    assertProblem(await post('handle=x', key, {type: 'text/plain'}), 415);
    assert.equal(sql(`SELECT count(*) FROM answers WHERE key=${key.replaceAll('"', "'")}`), '0');
    const good = fresh();
    assert.equal((await post(good, key)).status, 201);
    assert.equal((await post(good, key)).status, 201);
  });

  test('many at once, over all workers: one is made, and all get its answer', async () => {
    for (let round = 0; round < 15; round++) {
      const key = quoted(), body = fresh();
      const answers = await Promise.all(Array.from({length: 12}, () => post(body, key)));
      for (const answer of answers) assert.deepEqual(said(answer), said(answers[0]));
      assert.equal(answers[0].status, 201);
      assert.equal(count(body.handle), 1);
    }
    const key = quoted(), bodies = Array.from({length: 8}, fresh);
    const answers = await Promise.all(bodies.map((body) => post(body, key)));
    assert.deepEqual(answers.map(({status}) => status).sort(), [201, ...Array(7).fill(422)]);
    assert.equal(bodies.filter(({handle}) => count(handle) === 1).length, 1);
    // each worker has it in hand at the same time
    const crew = await crewOf(at.site.socket, () => at.site.workers(), WORKERS);
    const held = await crew.hold(), same = fresh(), once = quoted();
    const all = await Promise.all(held.map((connection) => post(same, once, {via: (r) => connection.ask(r)})));
    for (const answer of all) assert.deepEqual([answer.status, answer.text], [201, all[0].text]);
  });

  test('kill -9 of every process: what was answered is repeated, what was not is made once', async () => {
    const {site} = at;
    // lighttpd itself answers 503 for a while after a time without a pool
    const patient = async (...request) => {
      let answer;
      await until('an answer of the pool', async () => (answer = await post(...request)).status !== 503 || answer.header('x-request-id') !== undefined);
      return answer;
    };
    for (let round = 0; round < 4; round++) {
      const key = quoted(), body = fresh(), known = quoted(), before = fresh();
      const first = await patient(before, known);
      const open = Array.from({length: 4}, () => post(body, key).catch(() => null));
      if (round % 2) await new Promise((resolve) => setTimeout(resolve, round * 3));
      for (const pid of [site.pool.pid, ...site.workers()]) process.kill(pid, 'SIGKILL');
      const answered = (await Promise.all(open)).filter((answer) => answer?.status === 201);
      await until('the pool to be gone', () => !site.pool.running);
      await site.startPool();
      await until('the pool', async () => (await site.get('/readyz')).status === 200);
      assert.deepEqual(said(await patient(before, known)), said(first));
      const again = await patient(body, key);
      assert.equal(again.status, 201, again.text);
      for (const answer of answered) assert.deepEqual(said(again), said(answer));
      assert.equal(count(body.handle), 1);
      assert.deepEqual(said(await patient(body, key)), said(again));
    }
  });

  test('a day later it counts no more, and is tidied away behind an answer', async () => {
    const key = quoted(), body = fresh(), first = await post(body, key);
    assert.equal(first.status, 201, first.text);
    const where = `key=${key.replaceAll('"', "'")}`;
    sql(`UPDATE answers SET at=at-${DAY + 1000} WHERE ${where}`);
    assertProblem(await post(body, key), 409);
    sql(`UPDATE answers SET at=at-${DAY + 1000}`);
    await at.site.reload(); // new workers look with their first answer
    await until('it to be gone', async () => {
      await at.site.get('/v1/profiles/none', {as: 'ann'});
      return sql(`SELECT count(*) FROM answers WHERE at<${Date.now() - DAY}`) === '0';
    });
  });

  test('a deleted profile takes its answers along: nothing of it is kept', async () => {
    const key = quoted(), secret = `secret${randomUUID().replaceAll('-', '')}`, body = {...fresh(), name: secret};
    const {json: {id}} = await post(body, key);
    assert.equal(sql(`SELECT count(*) FROM answers WHERE profile_id='${id}'`), '1');
    assert.equal((await at.site.delete(`/v1/profiles/${id}`, {as: 'admin', match: '*'})).status, 204);
    assert.equal(sql(`SELECT count(*) FROM answers WHERE profile_id='${id}' OR body LIKE '%${secret}%'`), '0');
    assert(!readFileSync(at.site.poolLog, 'utf8').includes(secret));
  });

  test('other methods pass it over', async () => {
    const {site} = at, headers = {'Idempotency-Key': 'one'}, body = fresh();
    const id = (await post(body)).json.id, path = `/v1/profiles/${id}`;
    for (const name of ['A', 'B']) assert.equal((await site.patch(path, {name}, {as: 'admin', match: '*', headers})).json.name, name);
    assert.equal((await site.get(path, {as: 'admin', headers: {'Idempotency-Key': '"'}})).json.name, 'B');
  });
});
