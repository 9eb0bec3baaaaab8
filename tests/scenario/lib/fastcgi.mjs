// FastCGI straight to a pool's socket, without a web server between: one request a connection (FastCGI specification sections 3, 5).
// A request may be held back, so that a worker which has taken the connection waits for it.
import net from 'node:net';
import {Answer} from './client.mjs';
import {sleep} from './process.mjs';

const BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6;

function record(type, content) {
  const head = Buffer.from([1, type, 0, 1, content.length >> 8, content.length & 255, 0, 0]);
  return content.length ? Buffer.concat([head, content]) : head;
}
/** Content of any length as records, and the empty one that ends the stream. */
function stream(type, content) {
  const records = [];
  for (let at = 0; at < content.length; at += 32768) records.push(record(type, content.subarray(at, at + 32768)));
  return Buffer.concat([...records, record(type, Buffer.alloc(0))]);
}
function pair(name, value) {
  const text = Buffer.from(`${name}${value}`), head = Buffer.alloc(8);
  head.writeUInt32BE((name.length | 0x80000000) >>> 0, 0);
  head.writeUInt32BE((text.length - name.length | 0x80000000) >>> 0, 4);
  return Buffer.concat([head, text]);
}

/** The variables that a web server makes of a request (RFC 3875). */
export function variables({method = 'GET', path = '/', headers = {}}) {
  const [file, query = ''] = path.split('?');
  const lines = {REQUEST_METHOD: method, REQUEST_URI: path, SCRIPT_NAME: '', PATH_INFO: file, QUERY_STRING: query, SERVER_PROTOCOL: 'HTTP/1.1',
    SERVER_NAME: 'localhost', SERVER_PORT: '80', REMOTE_ADDR: '127.0.0.1', GATEWAY_INTERFACE: 'CGI/1.1'};
  for (const [name, value] of Object.entries(headers)) {
    const variable = name.toUpperCase().replaceAll('-', '_');
    lines[/^CONTENT_(TYPE|LENGTH)$/.test(variable) ? variable : `HTTP_${variable}`] = String(value);
  }
  return lines;
}

/** What a CGI program wrote, as an Answer. */
export function readAnswer(bytes) {
  const cut = bytes.indexOf('\r\n\r\n');
  if (cut < 0) throw new Error(`no answer: ${bytes.toString('latin1').slice(0, 100)}`);
  const raw = bytes.subarray(0, cut).toString('latin1').split('\r\n').flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
  const status = raw.findIndex((name, i) => i % 2 === 0 && /^status$/i.test(name));
  return new Answer(status < 0 ? 200 : Number(raw[status + 1].slice(0, 3)), raw, bytes.subarray(cut + 4));
}

/** A connection with the beginning of a request on it, whose rest ask() sends. */
export class Held {
  constructor(socketPath, ms = 30000) {
    this.parts = [];
    this.socket = net.connect(socketPath);
    this.socket.setTimeout(ms, () => this.socket.destroy(new Error(`no answer within ${ms} ms`)));
    this.closed = new Promise((resolve, reject) => {
      this.socket.on('data', (bytes) => this.parts.push(bytes));
      this.socket.on('error', reject);
      this.socket.on('close', resolve);
    });
    this.closed.catch(() => {}); // told to who asks
    this.socket.write(record(BEGIN, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0])));
  }
  async ask(request) {
    const body = request.body === undefined ? Buffer.alloc(0) : Buffer.from(request.body);
    const params = Buffer.concat(Object.entries(variables(request)).map(([name, value]) => pair(name, value)));
    if (request.late === undefined) {
      this.socket.write(Buffer.concat([stream(PARAMS, params), stream(STDIN, body)]));
    } else { // as Apache does: the end of the body comes by itself
      this.socket.write(stream(PARAMS, params));
      await sleep(request.late);
      this.socket.write(stream(STDIN, body));
    }
    await this.closed;
    const bytes = Buffer.concat(this.parts), out = [];
    let ended = false;
    for (let at = 0; at + 8 <= bytes.length;) {
      const length = bytes.readUInt16BE(at + 4);
      if (bytes[at + 1] === STDOUT) out.push(bytes.subarray(at + 8, at + 8 + length));
      ended ||= bytes[at + 1] === END;
      at += 8 + length + bytes[at + 6];
    }
    if (!ended) throw Object.assign(new Error('the answer was cut short'), {code: 'ECONNRESET'});
    return readAnswer(Buffer.concat(out));
  }
  /** Sends the request and a part of its body, and no end of it. */
  begin(request, part) {
    const params = Buffer.concat(Object.entries(variables(request)).map(([name, value]) => pair(name, value)));
    this.socket.write(Buffer.concat([stream(PARAMS, params), record(STDIN, part)]));
  }
  close() { this.socket.destroy(); }
}

/** For the option via of a site's calls: straight to the socket. */
export const straight = (socketPath) => (request) => new Held(socketPath, request.ms).ask(request);
