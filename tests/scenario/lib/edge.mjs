// A cache in front that speaks the protocol of purges and remembers what it was told. It keeps nothing; what it would have to drop is
// what a scenario looks at.
import http from 'node:http';
import {freePort} from './client.mjs';

export const KEY = 'a-secret-for-the-edge-tests';

export class FakeEdge {
  static async start({key = KEY, port, delay = 0} = {}) {
    const edge = new FakeEdge();
    Object.assign(edge, {key, delay, port: port ?? await freePort(), purges: [], refused: 0, sockets: new Set()});
    await edge.up();
    return edge;
  }
  get address() { return `http://127.0.0.1:${this.port}`; }

  /** Listens; down() ends that and every connection. */
  up() {
    this.server = http.createServer((request, response) => {
      request.resume();
      const {headers} = request, at = performance.now();
      const good = request.method === 'PURGE' && request.url === '/' && headers['purge-key'] === this.key;
      const list = (name) => (headers[name] ?? '').split(' ').filter(Boolean);
      setTimeout(() => {
        if (!good) this.refused++;
        else
          this.purges.push({
            at, headers, keys: list('xkey-purge'), position: Number(headers['profiled-position']), all: headers['profiled-purge-all'] === '1',
            revoked: Object.fromEntries(list('profiled-revoked').map((word) => [decodeURIComponent(word.split('=')[0]), Number(word.split('=')[1])])),
          });
        response.writeHead(good ? 204 : 403);
        response.end();
      }, this.delay);
    });
    this.server.keepAliveTimeout = 30000;
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    return new Promise((resolve, reject) => {
      this.server.on('error', reject);
      this.server.listen(this.port, '127.0.0.1', resolve);
    });
  }
  down() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    return closed;
  }
  forget() { this.purges.length = 0; }
  get alls() { return this.purges.filter((p) => p.all).length; }
  get heartbeats() { return this.purges.filter((p) => !p.all && !p.keys.length && !Object.keys(p.revoked).length).length; }
  /** Every key that was purged, each once, sorted. */
  get keys() { return [...new Set(this.purges.flatMap((p) => p.keys))].sort(); }
  get revoked() { return Object.assign({}, ...this.purges.map((p) => p.revoked)); }
  get position() { return this.purges.at(-1)?.position ?? 0; }
}
