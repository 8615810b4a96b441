/** How the track of each ticket stands, and who wants to know of it. */

/**
 * How the track of a ticket stands. none: nothing is known yet. loading: it comes (`percent`).
 * whole: it is on the phone, its digest was right. damaged: it was found changed, and comes again.
 * offline: it waits for the network. sparing, never, slow: not by itself, and why. removed: she
 * removed it. no-room: neither
 * the limit nor the phone has room. unsupported: this browser keeps no files. no-codec: nothing of
 * it plays here. failed: it comes wrong again and again. no-disk: the browser has a place for files
 * and lets nothing be kept there (a private window).
 * @typedef {"none" | "loading" | "whole" | "damaged" | "offline" | "sparing" | "never" | "slow" |
 *   "removed" | "no-room" | "unsupported" | "no-codec" | "failed" | "no-disk"} State
 *
 * @typedef {object} Standing
 * @property {State} state
 * @property {number} percent
 * @property {number} sizeBytes 0 while unknown
 */

export class Standings {
  /** @type {Map<string, Standing>} by correlation_id */ #standings = new Map();
  /** @type {Set<() => void>} */ #listeners = new Set();

  /** Be told whenever one changes. @param {() => void} listener @returns {() => void} no more */
  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {string} id @returns {Standing} */
  of(id) {
    return this.#standings.get(id) ?? { state: "none", percent: 0, sizeBytes: 0 };
  }

  /** In another state nothing has come yet. @param {string} id @param {Partial<Standing> & { state: State }} standing */
  set(id, standing) {
    const before = this.of(id);
    const now = { ...before, ...(standing.state === before.state ? {} : { percent: 0 }), ...standing };
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    this.#standings.set(id, now);
    for (const listener of this.#listeners) listener();
  }
}
