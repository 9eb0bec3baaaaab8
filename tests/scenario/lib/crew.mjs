// All workers of a pool, each of them spoken to: a worker serves one connection at a time, so that as many connections as there are
// workers, each taken and kept waiting, lie one in each worker.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import {readdirSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';
import {Held, readAnswer, straight, variables} from './fastcgi.mjs';
import {alive, changesProcesses, children, run, sleep, start, until} from './process.mjs';
import {binary} from './site.mjs';

/** How many sockets a process has open. */
function sockets(pid) {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try { return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:'); } catch { return false; }
  }).length;
}

export class Crew {
  /** Of idle workers. */
  constructor(socketPath, pids) {
    this.socketPath = socketPath;
    this.pids = pids;
    this.idle = pids.map(sockets);
  }
  /** Takes every worker: gives as many held connections, each in another one. */
  async hold() {
    const held = this.pids.map(() => new Held(this.socketPath));
    const end = Date.now() + 15000;
    while (!this.pids.every((pid, i) => sockets(pid) > this.idle[i])) {
      assert(Date.now() < end, 'the workers do not take up connections');
      await new Promise((resolve) => setImmediate(resolve));
    }
    return held;
  }
  /** The same one after the other, so that each connection knows the .pid of its worker. */
  async holdEach() {
    const held = [], taken = new Set();
    for (let n = 0; n < this.pids.length; n++) {
      const connection = new Held(this.socketPath);
      connection.pid = await until('a worker to take up the connection', () =>
        this.pids.find((pid, i) => !taken.has(pid) && sockets(pid) > this.idle[i]));
      taken.add(connection.pid);
      held.push(connection);
    }
    return held;
  }
  /** A GET by each worker. */
  async get(site, path, options) {
    const held = await this.hold();
    return Promise.all(held.map((connection) => site.get(path, {...options, via: (r) => connection.ask(r)})));
  }
}

/** A pool of its own on the site's database: {socket, via, workers(), crew(), pool, stop()}. Settings as for -o. */
export async function anotherPool(site, name, settings = {}) {
  const socket = join(site.folder, `${name}.sock`);
  const options = {'server.listen': `unix:${socket}`, 'server.workers': 1, ...settings};
  const args = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const pool = start(join(site.folder, `${name}.log`), binary, ['serve', '-c', site.config, ...args], {env: site.env});
  const via = straight(socket);
  const workers = () => children(pool.pid).filter((pid) => alive(pid) && !changesProcesses(`${socket}.status`).includes(pid));
  await until(`the pool ${name}`, async () => {
    if (!pool.running) throw new Error(`the pool ${name} ended at once`);
    return site.get('/readyz', {via}).then((answer) => answer.status === 200, () => false);
  });
  return {socket, via, workers, pool, args, crew: () => crewOf(socket, workers, options['server.workers']), stop: () => pool.stop()};
}

/** The crew of a pool once all its workers are there and idle. */
export async function crewOf(socketPath, workers, count) {
  await until('all workers', () => workers().length === count);
  await sleep(100);
  return new Crew(socketPath, workers());
}

/** For the option via of a site's calls: a CGI process of its own for each. */
export const cgi = (site) => async (request) => {
  const env = {...variables(request), PROFILED_CONFIG: site.config, PATH: process.env.PATH};
  const how = await run(binary, [], {env, input: request.body, binary: true});
  assert.equal(how.code, 0, how.err);
  return readAnswer(how.out);
};

/**
 * Makes whoever reads the database wait in the middle of it (SQLite tries again for some seconds), until release() is called: takes
 * the locks of the WAL index that a reader needs one of (sqlite.org/walformat.html section 2.3), as a program beside the pool.
 */
export async function stopReaders(site) {
  const script = `use Fcntl; open(F, "+<", $ARGV[0]) or die; my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 123, 5, 0);
fcntl(F, F_SETLKW, $lock) or die; $| = 1; print "locked\\n"; sleep 60`;
  const child = spawn('perl', ['-e', script, `${site.database}-shm`], {stdio: ['ignore', 'pipe', 'inherit']});
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await new Promise((resolve, reject) => {
    child.stdout.on('data', resolve);
    child.on('exit', () => reject(new Error('the index of the log cannot be locked')));
  });
  return {release: () => { child.kill('SIGKILL'); return ended; }};
}
