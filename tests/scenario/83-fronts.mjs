// Every front server in front of the same profiles, each with the configuration shipped for it, put to the same scenarios. The last
// test prints a table: a row for each front, a column for each scenario.
import assert from 'node:assert/strict';
import {after, before, describe, test} from 'node:test';
import {straight} from './lib/fastcgi.mjs';
import {FrontSite, fronts, startFront} from './lib/fronts.mjs';
import {request} from './lib/client.mjs';
import {scenarios} from './lib/front-scenarios.mjs';

const only = process.env.PROFILED_FRONTS?.split(',');
const green = new Map();

describe('fronts', () => {
  const at = {};
  before(async () => {
    at.site = await FrontSite.start({front: false, settings: {http: {cors_origins: 'https://app.example'}}});
    await at.site.tryCli(['import', '-'], '{"id":"ann","handle":"ann","name":"Ann","email":"ann@example.org"}\n');
    await at.site.give();
  });
  after(async () => at.site && assert.deepEqual(await at.site.stop(), {code: 0, signal: null}));

  test('a worker answers when the request is whole, not before', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH']) {
      const begun = Date.now();
      const answer = await straight(at.site.socket)({method, path: '/healthz', headers: {}, late: 150});
      assert(Date.now() - begun >= 140, method);
      assert([200, 204, 405].includes(answer.status), `${method}: ${answer.status}`);
    }
  });

  for (const front of fronts.filter(({name}) => !only || only.includes(name)))
    describe(front.name, () => {
      const here = {front, site: at.site};
      before(async () => {
        here.site = at.site;
        here.at = await startFront(at.site, front);
        here.target = {port: here.at.port};
        here.call = (method, path, options) => at.site.call(method, path, {target: here.target, ...options});
        here.request = (options) => request(here.target, options);
      });
      after(async () => here.at?.stop());
      for (const [title, {what, run}] of Object.entries(scenarios))
        test(`${title}: ${what}`, async () => {
          try {
            await run(here);
            green.set(`${front.name} ${title}`, true);
          } catch (error) {
            error.message += `\n${here.at.readLog()}`;
            throw error;
          }
        });
    });

  test('the table of fronts and scenarios is green', (t) => {
    const names = fronts.map(({name}) => name).filter((name) => !only || only.includes(name)), titles = Object.keys(scenarios);
    const width = Math.max(...names.map((name) => name.length));
    const row = (name, cells) => `| ${name.padEnd(width)} | ${cells.join(' | ')} |`;
    t.diagnostic(row('', titles));
    for (const name of names) t.diagnostic(row(name, titles.map((title) => (green.has(`${name} ${title}`) ? 'ok' : 'NO').padEnd(title.length))));
    assert.equal(green.size, names.length * titles.length);
  });
});
