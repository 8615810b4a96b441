/**
 * What Tell keeps of her, and the button that erases it: at Tell, and on this phone. It asks once
 * more first, with the harmless answer in focus, since nothing brings the tickets back.
 */

import { ApiError } from "./api.js";
import { button, element, write } from "./screens.js";

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {{ erase(): Promise<void> }} api
 * @property {() => Promise<void>} onErased Tell keeps nothing any more: now this phone
 */

export class Erasing {
  root;
  #parts;
  #busy = false;
  #ask;
  #question;
  #failed = element("p", { class: "note" });

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { messages } = parts;
    const say = (/** @type {string} */ key) => messages.text(key);
    this.#ask = button(say("erase.ask"), () => this.#open(true));
    this.#question = element(
      "div",
      { role: "group", "aria-label": say("erase.question") },
      element("p", {}, say("erase.question")),
      button(say("erase.no"), () => this.#open(false)),
      button(say("erase.yes"), () => this.#erase()),
    );
    this.#turn(false);
    this.root = element(
      "fieldset",
      {},
      element("legend", {}, say("erase.summary")),
      element("p", {}, say("erase.kept")),
      this.#ask,
      this.#question,
      this.#failed,
    );
  }

  close() {}

  /** @param {boolean} asking */
  #turn(asking) {
    this.#question.hidden = !asking;
    this.#ask.hidden = asking;
    write(this.#failed, "");
  }

  /** @param {boolean} asking */
  #open(asking) {
    this.#turn(asking);
    /** @type {HTMLElement | null} */
    const next = asking ? this.#question.querySelector("button") : this.#ask;
    next?.focus();
  }

  async #erase() {
    if (this.#busy) return;
    const { api, announcer, messages, onErased } = this.#parts;
    this.#busy = true;
    try {
      await api.erase();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // A listener that Tell does not know is erased already.
      if (error.status !== 401) {
        announcer.forget();
        announcer.say(messages.text("erase.failed"));
        write(this.#failed, messages.text("erase.failed"));
        return;
      }
    } finally {
      this.#busy = false;
    }
    await onErased();
  }
}
