// A load of requests over a few connections, bounded in count and in time: keeps asking until it is stopped, and remembers every
// answer that was not as wanted.
import http from 'node:http';
import {request} from './client.mjs';

/**
 * options: token, path, method, headers(i) and body(i) for the i-th request; connections; most (requests in all), ms (time in
 * all); good(answer): whether an answer is as wanted (200). Gives {token (may be changed), settle(), stop()}; stop() gives
 * {count, bad: [status or error, …], answers: {status: count}}.
 */
export function load(site, {token, path, method = 'GET', headers = () => ({}), body = () => undefined, connections = 4, most = 200000, ms = 60000,
  good = (answer) => answer.status === 200, keepAlive = true, onAnswer = () => {}} = {}) {
  const agent = keepAlive ? new http.Agent({keepAlive: true, maxSockets: connections}) : false;
  const end = Date.now() + ms;
  const done = {count: 0, bad: [], answers: {}};
  const state = {token, stopping: false, begun: 0, settle, stop};

  async function worker() {
    while (!state.stopping && state.begun < most && Date.now() < end) {
      const i = state.begun++;
      const payload = body(i);
      const lines = {Authorization: `Bearer ${state.token}`, ...headers(i)};
      if (payload !== undefined) lines['Content-Length'] = Buffer.byteLength(payload);
      try {
        const answer = await request({port: site.port}, {method, path: typeof path === 'function' ? path(i) : path, headers: lines, body: payload, agent, ms: 20000});
        done.answers[answer.status] = (done.answers[answer.status] ?? 0) + 1;
        if (!good(answer)) done.bad.push(answer.status);
        onAnswer(answer, i);
      } catch (error) {
        // A kept connection that the server closed as the request went out says nothing about the request (RFC 9112 section 9.3.1).
        if (error.code === 'ECONNRESET' && keepAlive && method === 'GET') continue;
        done.bad.push(error.code ?? error.message);
      }
      done.count++;
    }
  }
  const workers = Array.from({length: connections}, worker);

  /** Waits until every request that was under way has been answered, so that a changed token is the only one in use. */
  async function settle() {
    const count = done.count;
    while (done.count < count + 2 * connections && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  async function stop() {
    state.stopping = true;
    await Promise.all(workers);
    if (agent) agent.destroy();
    return done;
  }
  return state;
}
