// Varnish in front of a site: the shipped VCL with the test's own values, and an origin between the two that counts what Varnish asks
// and can be made to fail.
import assert from 'node:assert/strict';
import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import http from 'node:http';
import {join} from 'node:path';
import {freePort, request} from './client.mjs';
import {run, start, temporaryFolder, until} from './process.mjs';
import {AUDIENCE, ISSUER, cleanEnvironment, root} from './site.mjs';
import {handmade, now, publicJwk, readKeys} from './token.mjs';

export const KEY = 'secret-of-the-edge';
export const haveVarnish = (await run('sh', ['-c', 'command -v varnishd'], {env: cleanEnvironment()})).code === 0;
export const vmodFolder = process.env.PROFILED_VMOD_FOLDER ?? join(root, 'build');
export const haveModule = haveVarnish && readdirSync(vmodFolder).includes('libvmod_profiled.so');

/** Forwards to the site. .count: {path: requests}; .down: connections are cut; .status: that answer to all. */
export async function origin(site) {
  const agent = new http.Agent({keepAlive: true, maxSockets: 16});
  const o = {count: {}, total: 0, down: false, status: 0};
  const server = http.createServer(async (incoming, outgoing) => {
    if (o.down) return incoming.socket.destroy();
    if (o.status) return outgoing.writeHead(o.status).end('down');
    o.count[incoming.url] = (o.count[incoming.url] ?? 0) + 1;
    o.total++;
    const parts = [];
    for await (const part of incoming) parts.push(part);
    const body = Buffer.concat(parts), headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => name !== 'connection'));
    try {
      const answer = await request({port: site.port}, {method: incoming.method, path: incoming.url, headers, body: body.length ? body : undefined, agent});
      outgoing.writeHead(answer.status, answer.rawHeaders.filter((_, i, all) => !/^(connection|keep-alive|transfer-encoding)$/i.test(all[i - i % 2])));
      outgoing.end(answer.body);
    } catch {
      outgoing.destroy();
    }
  });
  server.keepAliveTimeout = 60000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  o.port = server.address().port;
  o.reset = () => { o.count = {}; o.total = 0; };
  o.close = () => { agent.destroy(); server.closeAllConnections(); return new Promise((resolve) => server.close(resolve)); };
  return o;
}

export class Edge {
  /** way: authorise or vmod; purges: xkey or ban; maxLag: of the module; more: further arguments of varnishd. */
  static async start(site, {port, way = 'vmod', purges = 'xkey', maxLag = '30s', more = [], tokens = 65536, purgePort, edit = (text) => text} = {}) {
    const edge = new Edge();
    edge.folder = temporaryFolder();
    edge.site = site;
    edge.position = 0;
    const vcl = join(edge.folder, 'vcl');
    mkdirSync(vcl);
    edge.jwks = join(edge.folder, 'jwks.json');
    edge.revocations = join(edge.folder, 'revocations.jwt');
    edge.writeKeys();
    edge.writeList([], 1); // as far as the first purge says
    const changes = {
      'profiled.vcl': (text) => edit(text.replace('"./authorise.vcl"', `"./${way}.vcl"`).replace('"./xkey.vcl"', `"./${purges}.vcl"`)),
      'site.vcl': (text) => text.replace('.port = "8080"', `.port = "${port ?? site.port}"`).replace('Purge-Key != ""', `Purge-Key != "${KEY}"`),
      'verifier.vcl': (text) => text.replace('"https://profiles.example"', `"${ISSUER}"`).replace('audience = "profiled",  ', `audience = "${AUDIENCE}",  `)
        .replace('"/var/lib/profiled-edge/jwks.json"', `"${edge.jwks}"`).replace('"/var/lib/profiled-edge/revocations.jwt"', `"${edge.revocations}"`)
        .replace('max_lag = 30s', `max_lag = ${maxLag}`).replace('tokens = 65536', `tokens = ${tokens}`),
    };
    for (const name of readdirSync(join(root, 'conf/varnish')).filter((file) => file.endsWith('.vcl'))) {
      const text = readFileSync(join(root, 'conf/varnish', name), 'utf8');
      writeFileSync(join(vcl, name), changes[name]?.(text) ?? text);
    }
    edge.port = await freePort();
    edge.purgePort = purgePort ?? await freePort();
    edge.log = join(edge.folder, 'varnish.log');
    edge.args = ['-F', '-j', 'none', '-n', join(edge.folder, 'varnish'), '-f', join(vcl, 'profiled.vcl'), '-a', `public=127.0.0.1:${edge.port}`,
      '-a', `purge=127.0.0.1:${edge.purgePort}`, '-s', 'malloc,64m', '-p', `vmod_path=${vmodFolder}:/usr/lib/x86_64-linux-gnu/varnish/vmods:/usr/lib/aarch64-linux-gnu/varnish/vmods:/usr/lib/varnish/vmods`, ...more];
    await edge.run();
    return edge;
  }
  async run() {
    this.varnish = start(this.log, 'varnishd', this.args, {env: cleanEnvironment()});
    await until('varnishd', async () => {
      if (!this.varnish.running) throw new Error(`varnishd ended at once: ${readFileSync(this.log, 'utf8')}`);
      return request({port: this.purgePort}, {path: '/', ms: 1000}).then((answer) => answer.status === 403, () => false);
    }, 40000);
  }
  async stop() {
    await this.varnish.stop();
    // those that a test kills are not its fault
    assert.doesNotMatch(readFileSync(this.log, 'utf8'), /panic|Assert error|died signal=(?!9\b)/i);
  }
  /** Once more, after it was killed: its child lets go of the ports a moment later. */
  async again() {
    await until('the ports to be free', () => request({port: this.port}, {path: '/', ms: 500}).then(() => false, (error) => error.code === 'ECONNREFUSED'));
    await this.run();
  }
  writeKeys(keys = readKeys(this.site.keys)) { writeFileSync(this.jwks, JSON.stringify({keys: keys.map(publicJwk)})); }
  writeList(revoked, position = this.position) {
    const key = this.site.key();
    writeFileSync(this.revocations, handmade(key, {alg: 'EdDSA', kid: key.kid, typ: 'revocations+jwt'}, {iss: ISSUER, iat: now(), exp: now() + 300, position, revoked}));
  }
  /** A PURGE as the pool sends it. */
  purge(keys = [], {headers = {}, key = KEY, port = this.purgePort} = {}) {
    return request({port}, {method: 'PURGE', path: '/', headers: {...(key === null ? {} : {'Purge-Key': key}), ...(keys.length ? {'xkey-purge': keys.join(' ')} : {}),
      'Profiled-Position': String(++this.position), ...headers}});
  }
}
