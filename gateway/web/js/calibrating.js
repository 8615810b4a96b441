/**
 * The calibration as she goes through it: it is said what to do, clicks sound, she taps a large
 * button (or presses any key on it), and hears what came of it.
 */

import { calibrate } from "./calibration.js";
import { Clicks } from "./clicks.js";
import { element } from "./screens.js";

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {() => boolean} mayBegin
 * @property {(lateMs: number) => void} onLate by how much the sound came later than it should
 */

export class Calibrating {
  root;
  #parts;
  #text;
  #button;
  /** @type {Clicks | null} */ #clicks = null;
  /** @type {number[]} */ #tapsMs = [];
  /** Whether the click to come belongs to a press that is counted already. */
  #pressed = false;

  /** @param {Parts} parts */
  constructor(parts) {
    const { messages } = parts;
    this.#parts = parts;
    this.#text = element("p", {}, messages.text("trim.how"));
    this.#button = element("button", { type: "button", class: "second tap" });
    this.#button.textContent = messages.text("trim.begin");
    // Pressed, not released: a click comes when the finger leaves.
    this.#button.addEventListener("pointerdown", (event) => this.#tap(event));
    this.#button.addEventListener("keydown", (event) => !event.repeat && this.#tap(event));
    // Some screen readers send nothing else.
    this.#button.addEventListener("click", (event) => this.#clicked(event));
    this.root = element("div", { class: "calibrate" }, this.#text, this.#button);
  }

  close() {
    this.#clicks?.stop();
  }

  #tap(/** @type {Event} */ event) {
    if (!this.#clicks) return;
    this.#pressed = true;
    this.#tapsMs.push(event.timeStamp);
  }

  #clicked(/** @type {Event} */ event) {
    if (!this.#clicks) this.#begin();
    else if (!this.#pressed) this.#tap(event);
    this.#pressed = false;
  }

  async #begin() {
    const { messages, mayBegin, onLate } = this.#parts;
    if (!mayBegin()) {
      this.#tell("trim.stop-first");
      return;
    }
    const clicks = new Clicks();
    this.#clicks = clicks;
    this.#tapsMs = [];
    this.#button.textContent = messages.text("trim.tap");
    this.#tell("trim.tapping");
    const clicksMs = await clicks.play().catch(() => []);
    this.#clicks = null;
    this.#button.textContent = messages.text("trim.begin");
    const found = calibrate(clicksMs, this.#tapsMs);
    if (found === null) {
      this.#tell("trim.uneven");
    } else {
      this.#text.textContent = messages.text("trim.how");
      onLate(found.lateMs);
    }
  }

  #tell(/** @type {string} */ key) {
    const sentence = this.#parts.messages.text(key);
    this.#text.textContent = sentence;
    this.#parts.announcer.say(sentence);
  }
}
