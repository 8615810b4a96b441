/** What her earphone is late by: the trim by steps, and by tapping along with clicks. */

import { Calibrating } from "./calibrating.js";
import { button, element, write } from "./screens.js";
import { trimLine } from "./status.js";
import { STEP_MS } from "./trim.js";

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./adjustments.js").Adjustments} adjustments
 * @property {() => boolean} mayCalibrate whether nothing is being listened to
 */

export class Earphone {
  root;
  #parts;
  #calibrating;
  #unwatch;
  #trim = element("p", {});

  /** @param {Parts} parts */
  constructor(parts) {
    const { messages, announcer, adjustments, mayCalibrate } = parts;
    this.#parts = parts;
    this.#calibrating = new Calibrating({
      messages,
      announcer,
      mayBegin: mayCalibrate,
      // The clicks are played untrimmed.
      onLate: (lateMs) => this.#set(lateMs),
    });
    const step = (/** @type {string} */ key, /** @type {number} */ byMs) =>
      button(messages.text(key, { ms: STEP_MS }), () => this.#set(adjustments.trimMs + byMs));
    this.root = element(
      "fieldset",
      {},
      element("legend", {}, messages.text("trim.title")),
      this.#trim,
      step("trim.step-earlier", STEP_MS),
      step("trim.step-later", -STEP_MS),
      this.#calibrating.root,
    );
    this.#unwatch = adjustments.watch(() => this.render());
    this.render();
  }

  close() {
    this.#unwatch();
    this.#calibrating.close();
  }

  /** Write what has changed. */
  render() {
    const { messages, adjustments } = this.#parts;
    write(this.#trim, trimLine(messages, adjustments.trimMs));
  }

  #set(/** @type {number} */ ms) {
    const { adjustments, announcer, messages } = this.#parts;
    adjustments.setTrim(ms);
    announcer.say(trimLine(messages, adjustments.trimMs));
  }
}
