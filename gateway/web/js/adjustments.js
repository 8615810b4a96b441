/**
 * What she has set herself: where the film is (nudges.js, kept for the ticket) and what her output
 * is late by (trim.js, kept for the output). It needs no network.
 */

import * as nudges from "./nudges.js";
import * as trim from "./trim.js";

const TRIM_KEY = "tell.trim.";

/**
 * @typedef {object} Parts
 * @property {{ get(key: string): string | null, set(key: string, value: string): void,
 *   remove(key: string): void }} memory
 * @property {string} ticketId
 * @property {() => Promise<string>} currentOutput see outputs.js
 * @property {(onChange: () => void) => () => void} watchOutputs
 * @property {() => void} onChange what is set has changed: the sound goes elsewhere
 */

export class Adjustments {
  #parts;
  #nudges;
  #output = "default";
  #endWatch;
  /** @type {Set<() => void>} */ #watchers = new Set();
  /** Milliseconds by which the sound is played earlier. */
  trimMs = 0;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#nudges = nudges.parse(parts.memory.get(nudges.NUDGES_KEY + parts.ticketId));
    this.#readTrim();
    this.#endWatch = parts.watchOutputs(() => this.#lookAtOutput());
    this.#lookAtOutput();
  }

  close() {
    this.#endWatch();
    this.#watchers.clear();
  }

  /** Be told of every change. @param {() => void} watcher @returns {() => void} no more */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #changed() {
    this.#parts.onChange();
    for (const watcher of this.#watchers) watcher();
  }

  /** Whether the film's start is her word. */
  get own() {
    return !nudges.isNone(this.#nudges);
  }

  /** When the film began, by her word where there is one. @param {nudges.Start} start */
  startMs(start) {
    return nudges.startMs(start, this.#nudges);
  }

  /** What Tell knows of the start has changed; whether her word fell by it. @param {nudges.Start} start */
  follow(start) {
    const before = this.own;
    this.#keep(nudges.kept(this.#nudges, start));
    return before && !this.own;
  }

  /** "The film starts now." @param {nudges.Start} start @param {number} nowMs Tell's time */
  mark(start, nowMs) {
    this.#keep(nudges.mark(start, nowMs));
    this.#changed();
  }

  /** Move the description, positive for later. @param {nudges.Start} start @param {number} byMs */
  nudge(start, byMs) {
    this.#keep(nudges.nudge(this.#nudges, start, byMs));
    this.#changed();
  }

  /** Her word on the start does not count any more; the trim stays. */
  forget() {
    this.#keep(nudges.NONE);
    this.#changed();
  }

  /** @param {number} ms for the output in use */
  setTrim(ms) {
    this.trimMs = trim.trimmed(ms);
    this.#parts.memory.set(TRIM_KEY + this.#output, String(this.trimMs));
    this.#changed();
  }

  /** How far her word has moved the film from what Tell knows, positive for later. @param {nudges.Start} start */
  movedMs(start) {
    return this.startMs(start) - start.startMs;
  }

  #keep(/** @type {nudges.Nudges} */ now) {
    if (now === this.#nudges) return;
    this.#nudges = now;
    const key = nudges.NUDGES_KEY + this.#parts.ticketId;
    if (nudges.isNone(now)) this.#parts.memory.remove(key);
    else this.#parts.memory.set(key, JSON.stringify(now));
  }

  #readTrim() {
    this.trimMs = trim.parse(this.#parts.memory.get(TRIM_KEY + this.#output));
  }

  async #lookAtOutput() {
    const output = await this.#parts.currentOutput();
    if (output === this.#output) return;
    this.#output = output;
    const before = this.trimMs;
    this.#readTrim();
    if (this.trimMs !== before) this.#changed();
  }
}
