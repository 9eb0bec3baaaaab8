// Processes that a scenario starts: none outlives it, whatever becomes of it. Each is stopped by its pid; should this process be
// killed outright, the kernel tells them (setpriv --pdeathsig). And the folders that it makes, which go when it ends.
import {spawn, spawnSync} from 'node:child_process';
import {chmodSync, closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const living = new Set();
const folders = [];
const pdeathsig = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;

/** Starts a program that goes on, its output appended to a file. Has .pid, .exited (a promise of {code, signal}), .stop(). */
export function start(log, command, args = [], {env = process.env, cwd, stdin = 'ignore'} = {}) {
  const out = openSync(log, 'a');
  const line = pdeathsig ? ['setpriv', '--pdeathsig', 'TERM', command, ...args] : [command, ...args];
  const child = spawn(line[0], line.slice(1), {stdio: [stdin, out, out], env, cwd});
  closeSync(out);
  living.add(child);
  const exited = new Promise((resolve) => {
    child.on('error', (error) => resolve({code: null, signal: null, error}));
    child.on('exit', (code, signal) => resolve({code, signal}));
  }).then((how) => (living.delete(child), how));
  return {
    pid: child.pid,
    exited,
    get running() { return living.has(child); },
    kill(signal) { if (living.has(child)) process.kill(child.pid, signal); },
    /** Asks it to end, and kills it, and the processes it started, when it does not within the time. */
    async stop(signal = 'SIGTERM', ms = 20000) {
      const family = [child.pid, ...children(child.pid)];
      this.kill(signal);
      const timer = setTimeout(() => family.forEach(killHard), ms);
      const how = await exited;
      clearTimeout(timer);
      return how;
    },
  };
}

/** Runs a program to its end: {code, signal, out, err}, out a Buffer when binary. Asynchronous, so that servers here go on. */
export function run(command, args = [], {input, env = process.env, cwd, ms = 60000, binary = false} = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {stdio: ['pipe', 'pipe', 'pipe'], env, cwd});
    living.add(child);
    const out = [], err = [];
    const timer = setTimeout(() => killHard(child.pid), ms);
    child.stdout.on('data', (bytes) => out.push(bytes));
    child.stderr.on('data', (bytes) => err.push(bytes));
    child.stdin.on('error', () => {}); // it may end without reading all
    child.on('error', (error) => { living.delete(child); clearTimeout(timer); reject(error); });
    child.on('close', (code, signal) => {
      living.delete(child);
      clearTimeout(timer);
      const whole = Buffer.concat(out);
      resolve({code, signal, out: binary ? whole : whole.toString(), err: Buffer.concat(err).toString()});
    });
    child.stdin.end(input ?? '');
  });
}

/** A new folder that everybody may look into, removed when this process ends. */
export function temporaryFolder(name = 'profiled-') {
  const folder = mkdtempSync(join(tmpdir(), name));
  chmodSync(folder, 0o755);
  folders.push(folder);
  return folder;
}

/** The pids of a process's children. */
export function children(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** The pids of a pool's changes processes, by its status file (app/pool/scoreboard.h). */
export function changesProcesses(statusFile) {
  const HEADER = 24576, SLOT = 8192, LINE = 64, ROLE = 2;
  let fd;
  try { fd = openSync(statusFile, 'r'); } catch { return []; }
  try {
    const line = Buffer.alloc(LINE), pids = [];
    readSync(fd, line, 0, LINE, 0);
    const slots = line.readUInt32LE(24);
    for (let i = 0; i < slots && readSync(fd, line, 0, LINE, HEADER + SLOT * i) === LINE; i++)
      if (line.readUInt32LE(40) === ROLE && line.readInt32LE(24) > 0) pids.push(line.readInt32LE(24));
    return pids;
  } finally {
    closeSync(fd);
  }
}

/** Whether there is such a process; a zombie is none. */
export function alive(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** kill -9 of them all; one that has ended meanwhile (workers end with their supervisor) is as good. */
export function killAll(pids) {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until the test gives something true, and returns that; throws what after the time. */
export async function until(what, test, ms = 15000) {
  const end = Date.now() + ms;
  for (;;) {
    const result = await test();
    if (result) return result;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for: ${what}`);
    await sleep(20);
  }
}

function killHard(pid) {
  try { process.kill(pid, 'SIGKILL'); } catch { /* gone */ }
}

process.on('exit', () => {
  for (const child of living) [child.pid, ...children(child.pid)].forEach(killHard);
  if (!process.env.PROFILED_KEEP) folders.forEach((folder) => rmSync(folder, {recursive: true, force: true, maxRetries: 3}));
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));
