/**
 * Speaks to screen readers through live regions, one sentence at a time and never the same one
 * twice in a row. While the description plays it waits for the narrator's pauses (announcements.js);
 * what cannot wait is said at once, over everything else, and is felt where the phone can vibrate.
 */

import { Announcements } from "./announcements.js";

const CLEAR_AFTER_MS = 4000;
/** So often it looks again while something waits: the sound may be stopped, or moved. */
const LOOK_MS = 250;
/** Twice, so that it is not taken for a message from somebody else. */
const FELT_MS = [200, 120, 200];

/**
 * @typedef {object} Parts
 * @property {(ms: number) => Promise<void>} sleep
 * @property {() => import("./silences.js").Pause | null} pause the narrator's pause at what is
 *   heard, or the next one; null while nothing plays
 *
 * @typedef {object} How
 * @property {string} [kind] a newer sentence takes the place of an older one of its kind
 * @property {import("./announcements.js").Urgency} [urgency]
 * @property {boolean} [felt] with a vibration; an alarm has one by itself
 */

export class Announcer {
  #region;
  #alarm;
  #parts;
  #queue = new Announcements();
  #run = 0;
  #written = 0;

  /** @param {HTMLElement} region an element with role="status" @param {Parts} parts */
  constructor(region, parts) {
    this.#region = region;
    this.#parts = parts;
    // A polite region waits until the screen reader has read to its end: too late for an alarm.
    this.#alarm = document.createElement("div");
    this.#alarm.id = "alarm";
    this.#alarm.setAttribute("role", "alert");
    this.#alarm.className = region.className;
    region.after(this.#alarm);
  }

  /**
   * Say it, once it may be said; an answer to a press where nothing else is told.
   * @param {string} sentence @param {How} [how]
   */
  say(sentence, { kind = "answer", urgency = "answer", felt = urgency === "alarm" } = {}) {
    this.#queue.add({ sentence, kind, urgency, felt }, performance.now());
    this.#speak();
  }

  /** What waits of that kind is true no more. @param {string} kind */
  withdraw(kind) {
    this.#queue.withdraw(kind);
  }

  /** Allow the last sentence to be said again. */
  forget() {
    this.#queue.forget();
  }

  async #speak() {
    const { sleep, pause } = this.#parts;
    const run = ++this.#run;
    while (run === this.#run) {
      const step = this.#queue.next(performance.now(), pause());
      if (step === null) return;
      if ("say" in step) this.#write(step.say);
      else await sleep(Math.min(step.waitMs, LOOK_MS));
    }
  }

  /** @param {import("./announcements.js").Item} item */
  #write({ sentence, urgency, felt }) {
    const region = urgency === "alarm" ? this.#alarm : this.#region;
    this.#region.textContent = this.#alarm.textContent = "";
    region.textContent = sentence;
    // Missing in Safari and Firefox, and refused before the first tap.
    if (felt) navigator.vibrate?.(FELT_MS);
    const written = ++this.#written;
    // Emptied, so that who reads through the page does not find it a second time.
    this.#parts.sleep(CLEAR_AFTER_MS).then(() => {
      if (written === this.#written) this.#region.textContent = this.#alarm.textContent = "";
    });
  }
}
