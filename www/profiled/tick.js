/**
 * Calls that are made in one tick, put together: each asks for one thing by its id, and load gets all of the ids at once.
 */

export class Tick {
  #load; #most;
  #waiting = new Map(); /* of this tick: group to (id to those who wait for it) */

  /**
   * load(ids, group, signal) gives a function of (id, n) that is called once for each that waits: n counts them, and it returns
   * what they get, or an Error for them. signal: nobody waits any more. most: ids in one load.
   */
  constructor(load, most) {
    this.#load = load;
    this.#most = most;
  }

  /** group: calls of different groups are not put together. */
  ask(id, group, signal) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let ids = this.#waiting.get(group);
      if (ids === undefined) {
        ids = new Map();
        this.#waiting.set(group, ids);
        queueMicrotask(() => { this.#waiting.delete(group); this.#fulfil(group, ids); });
      }
      const one = {resolve, reject, left: undefined, gone: false, done: () => signal?.removeEventListener('abort', stop)};
      const stop = () => { one.gone = true; reject(signal.reason); one.left?.(signal.reason); };
      signal?.addEventListener('abort', stop, {once: true});
      ids.set(id, [...(ids.get(id) ?? []), one]);
    });
  }

  #fulfil(group, ids) {
    const wanted = [...ids.keys()].filter((id) => ids.get(id).some(({gone}) => !gone));
    for (let i = 0; i < wanted.length; i += this.#most) this.#part(group, ids, wanted.slice(i, i + this.#most));
  }

  async #part(group, ids, part) {
    const all = part.flatMap((id) => ids.get(id)).filter(({gone}) => !gone);
    const controller = new AbortController();
    let waiting = all.length;
    for (const one of all) one.left = (reason) => { if (--waiting === 0) controller.abort(reason); };
    try {
      const take = await this.#load(part, group, controller.signal);
      for (const id of part)
        ids.get(id).forEach((one, n) => {
          if (one.gone) return;
          const value = take(id, n);
          if (value instanceof Error) one.reject(value);
          else one.resolve(value);
        });
    } catch (error) {
      for (const one of all) one.reject(error);
    }
    for (const one of all) one.done();
  }
}
