/**
 * What Tell keeps of her, and the button that erases it: at Tell, and on this phone. It asks once
 * more first, with the harmless answer in focus, since nothing brings the tickets back.
 */

import { ApiError } from "./api.js";
import { element } from "./screens.js";

/**
 * @typedef {object} Parts
 * @property {HTMLElement} root where it stands
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {{ erase(): Promise<void> }} api
 * @property {() => Promise<void>} onErased Tell keeps nothing any more: now this phone
 */

export class Erasing {
  #parts;
  #busy = false;
  #ask;
  #question;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { messages, root } = parts;
    const button = (/** @type {string} */ key, /** @type {() => void} */ run) =>
      element("button", { type: "button", class: "second", onclick: run }, messages.text(key));
    this.#ask = button("erase.ask", () => this.#open(true));
    this.#question = element(
      "div",
      { role: "group", "aria-label": messages.text("erase.question") },
      element("p", {}, messages.text("erase.question")),
      button("erase.no", () => this.#open(false)),
      button("erase.yes", () => this.#erase()),
    );
    this.#question.hidden = true;
    root.replaceChildren(
      element(
        "details",
        { class: "erasing" },
        element("summary", {}, messages.text("erase.summary")),
        element("p", {}, messages.text("erase.kept")),
        this.#ask,
        this.#question,
      ),
    );
  }

  /** Only who is known to Tell has something to erase. @param {boolean} known */
  show(known) {
    this.#parts.root.hidden = !known;
    this.#turn(false);
  }

  /** @param {boolean} asking */
  #turn(asking) {
    this.#question.hidden = !asking;
    this.#ask.hidden = asking;
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
        return;
      }
    } finally {
      this.#busy = false;
    }
    await onErased();
  }
}
