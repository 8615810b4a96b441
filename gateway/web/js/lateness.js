/**
 * How late this device is: from play() on a cued element, or from a seek, until its media time
 * runs. Each device learns its own, and remembers it.
 */

import { learn } from "./sync.js";

/**
 * Cold: the sound device has to be opened. Armed: it is open already, by the silence of the wait.
 * Warm: this element has played before. Seek: it plays, and leaps within what is buffered.
 * @typedef {"cold" | "armed" | "warm" | "seek"} Kind
 */

/** As measured in Chromium. @type {Record<Kind, number>} */
const LATE_S = { cold: 0.09, armed: 0.078, warm: 0.05, seek: 0.07 };
/** A surprise beyond this says more of the moment than of the device. */
const UNTYPICAL_S = 0.2;
const KEY = "tell.start-late-s.";

export class Lateness {
  #memory;
  #lateS = { ...LATE_S };

  /** @param {{ get(key: string): string | null, set(key: string, value: string): void }} memory */
  constructor(memory) {
    this.#memory = memory;
    for (const kind of /** @type {Kind[]} */ (Object.keys(LATE_S))) {
      const kept = Number.parseFloat(memory.get(KEY + kind) ?? "");
      if (Number.isFinite(kept)) this.#lateS[kind] = kept;
    }
  }

  /** @param {Kind} kind @returns {number} seconds */
  of(kind) {
    return this.#lateS[kind];
  }

  /**
   * What came of it: late is a negative error, and the next one is begun earlier by part of that.
   * @param {Kind} kind @param {number} errorS
   */
  learn(kind, errorS) {
    if (Math.abs(errorS) > UNTYPICAL_S) return;
    this.#lateS[kind] = learn(this.#lateS[kind], -errorS);
    this.#memory.set(KEY + kind, this.#lateS[kind].toFixed(4));
  }
}
