// A whole deployment: the pool with its edge process, lighttpd, and Varnish in front, which hears of each write by way of a relay that sees
// what is confirmed. For the module, conf/varnish/pull.sh fetches what it needs.
import assert from 'node:assert/strict';
import {join} from 'node:path';
import {freePort} from './client.mjs';
import {run, start, until} from './process.mjs';
import {Relay} from './relay.mjs';
import {Site, cleanEnvironment, root} from './site.mjs';
import {Edge, KEY} from './varnish.mjs';

/** use({site, edge, relay, pull()}); pulling: again and again, each second, else only when pull is called. */
export async function withEdge(way, settings, use, {pulling = true} = {}) {
  const site = new Site(), purgePort = await freePort(), relay = await Relay.start(purgePort);
  let edge, puller;
  const arguments_ = () => [join(root, 'conf/varnish/pull.sh'), `http://127.0.0.1:${site.port}`, edge.folder];
  const environment = async () => ({env: cleanEnvironment({PROFILED_TOKEN: await site.token('admin')})});
  const pull = async () => {
    const how = await run('sh', arguments_(), await environment());
    assert.equal(how.code, 0, how.err);
  };
  try {
    await site.prepare({settings: {...settings, edge: {purge: `http://127.0.0.1:${relay.port}`, key: KEY}}});
    await site.startPool();
    await site.startFront();
    edge = await Edge.start(site, {way, purgePort});
    if (way === 'vmod') await pull();
    if (way === 'vmod' && pulling) puller = start(join(site.folder, 'pull.log'), 'sh', [...arguments_(), '1'], await environment());
    await until('the edge to be told', () => relay.alls > 0);
    await use({site, edge, relay, pull});
  } finally {
    await puller?.stop();
    await edge?.stop();
    await site.stop();
    await relay.stop();
  }
}
