// A small HTTP client that hides nothing: every header line as it came, no redirects, no decoding.
import http from 'node:http';
import net from 'node:net';
import {judge} from './openapi.mjs';

export class Answer {
  constructor(status, rawHeaders, body) {
    this.status = status;
    this.rawHeaders = rawHeaders;
    this.body = body;
  }
  /** All values of a header, in order. */
  all(name) {
    const values = [];
    for (let i = 0; i < this.rawHeaders.length; i += 2)
      if (this.rawHeaders[i].toLowerCase() === name.toLowerCase()) values.push(this.rawHeaders[i + 1]);
    return values;
  }
  /** The header's value, several joined as RFC 9110 section 5.3 says; undefined when it is not there. */
  header(name) {
    const values = this.all(name);
    return values.length ? values.join(', ') : undefined;
  }
  get names() {
    return this.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()).sort();
  }
  get text() { return this.body.toString('utf8'); }
  get json() { return JSON.parse(this.text); }
  get etag() { return this.header('etag'); }
}

/**
 * One request. target: {port} or {socketPath}. The connection is closed afterwards unless an agent keeps it. The answer must be as
 * schema/openapi.json says, unless described is false: for servers that are not profiled, or broken on purpose.
 */
export async function request(target, {described = true, ...asked}) {
  const answer = await send(target, asked);
  if (described) judge({method: 'GET', path: '/', ...asked}, answer);
  return answer;
}

function send(target, {method = 'GET', path = '/', headers = {}, body, agent = false, ms = 30000}) {
  return new Promise((resolve, reject) => {
    const call = http.request({host: '127.0.0.1', ...target, method, path, headers, agent}, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => resolve(new Answer(response.statusCode, response.rawHeaders, Buffer.concat(parts))));
    });
    call.setTimeout(ms, () => call.destroy(new Error(`no answer within ${ms} ms: ${method} ${path}`)));
    call.on('error', reject);
    call.end(body);
  });
}

/** Sends bytes as they are and gives what comes back, as text, until the server closes. For what http.request will not send. */
export function raw(port, bytes, ms = 10000) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
    const parts = [];
    socket.setTimeout(ms, () => socket.destroy(new Error('no answer')));
    socket.on('data', (part) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
  });
}

/** A port that nobody listens on just now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const {port} = server.address();
      server.close(() => resolve(port));
    });
  });
}
