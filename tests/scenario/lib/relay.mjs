// Between the pool and the purge listener of a Varnish: passes each purge on, and knows what was confirmed. A place of the change log is
// confirmed from the moment on at which Varnish's 2xx to a PURGE that bears it arrives here, which is before the pool hears of it: what
// a test demands from then on is never less than what the pool may believe. It can also lie, for a test of the test.
import http from 'node:http';

export class Relay {
  /** .confirmed: the highest place; .purges, .heartbeats, .alls, .lost: how many there were; .lying: purges are confirmed and go nowhere. */
  static async start(port) {
    const relay = Object.assign(new Relay(), {to: port, confirmed: 0, purges: 0, heartbeats: 0, alls: 0, lost: 0, refused: 0, lying: false});
    relay.agent = new http.Agent({keepAlive: true, maxSockets: 4});
    relay.server = http.createServer((incoming, outgoing) => relay.pass(incoming, outgoing));
    relay.server.keepAliveTimeout = 60000;
    await new Promise((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
    relay.port = relay.server.address().port;
    return relay;
  }
  pass(incoming, outgoing) {
    const {headers} = incoming;
    incoming.resume();
    if (this.lying) {
      this.note(headers);
      return outgoing.writeHead(200).end();
    }
    const call = http.request({host: '127.0.0.1', port: this.to, method: incoming.method, path: incoming.url, headers, agent: this.agent}, (answer) => {
      if (answer.statusCode >= 200 && answer.statusCode < 300) this.note(headers);
      else this.refused++;
      outgoing.writeHead(answer.statusCode, answer.statusMessage, {'Content-Type': 'text/plain'});
      answer.pipe(outgoing);
      answer.on('error', () => outgoing.destroy());
    });
    call.on('error', () => {
      this.lost++;
      outgoing.destroy();
    });
    call.end();
  }
  note(headers) {
    this.confirmed = Math.max(this.confirmed, Number(headers['profiled-position'] ?? 0));
    if (headers['profiled-purge-all']) this.alls++;
    else if (headers['xkey-purge'] || headers['profiled-revoked']) this.purges++;
    else this.heartbeats++;
  }
  stop() {
    this.agent.destroy();
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
