/**
 * Speaks to screen readers through one polite live region, one sentence at a time, and never the
 * same one twice in a row: it must not talk over the description.
 */

const CLEAR_AFTER_MS = 4000;

export class Announcer {
  #region;
  #last = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;

  /** @param {HTMLElement} region an element with role="status" */
  constructor(region) {
    this.#region = region;
  }

  /** @param {string} sentence */
  say(sentence) {
    if (sentence === this.#last) return;
    this.#last = sentence;
    this.#region.textContent = sentence;
    clearTimeout(this.#timer);
    // Emptied, so that who reads through the page does not find it a second time.
    this.#timer = setTimeout(() => (this.#region.textContent = ""), CLEAR_AFTER_MS);
  }

  /** Allow the last sentence to be said again. */
  forget() {
    this.#last = "";
  }
}
