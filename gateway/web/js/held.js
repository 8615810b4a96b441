/**
 * The sentence that describes the button, as it may change: some screen readers tell each change of
 * what describes the control they are on, so while the description plays it changes in the
 * narrator's pauses, as what the app says by itself does. Pure.
 */

/** News wait no longer than this either (announcements.js). */
const PATIENCE_MS = 20_000;

export class Held {
  #shown = "";
  #plays = false;
  /** @type {number | null} since when it should be another */ #sinceMs = null;

  /**
   * @param {string} sentence what is true now
   * @param {import("./silences.js").Pause | null} pause the narrator's, null while nothing plays
   * @param {number} nowMs
   * @returns {{ sentence: string, againMs: number | null }} what to show, and in how long to look
   *   again, null where nothing waits
   */
  pass(sentence, pause, nowMs) {
    // That it plays is said as it begins: what was true before is not true for a moment longer.
    const began = pause !== null && !this.#plays;
    this.#plays = pause !== null;
    const waitedMs = nowMs - (this.#sinceMs ?? nowMs);
    if (sentence === this.#shown || pause === null || began || pause.inS === 0 || waitedMs >= PATIENCE_MS) {
      this.#shown = sentence;
      this.#sinceMs = null;
      return { sentence, againMs: null };
    }
    this.#sinceMs ??= nowMs;
    return { sentence: this.#shown, againMs: Math.min(pause.inS * 1000, PATIENCE_MS - waitedMs) };
  }
}
