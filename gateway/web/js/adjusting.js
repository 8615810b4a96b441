/** "If it does not fit": where she moves the film by ear and sets what her earphone is late by. */

import { Earphone } from "./earphone.js";
import { idle } from "./painted.js";
import { button, element, write } from "./screens.js";

const NUDGES_MS = [-10_000, -1000, 1000, 10_000];

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./adjustments.js").Adjustments} adjustments
 * @property {import("./filmtime.js").FilmTime} film
 * @property {() => boolean} mayCalibrate whether nothing is being listened to
 */

export class Adjusting {
  root;
  #parts;
  #moved = element("p", {});
  /** What she finds when she opens it: made while nobody waits. @type {Earphone | null} */
  #earphone = null;
  /** @type {HTMLElement | null} */ #forget = null;
  #closed = false;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const summary = element("summary", {}, parts.messages.text("adjust.summary"));
    this.root = element("details", { class: "adjust" }, summary);
    idle().then(() => this.#closed || this.#build());
  }

  #build() {
    const { messages, announcer, adjustments, film, mayCalibrate } = this.#parts;
    this.#earphone = new Earphone({ messages, announcer, adjustments, mayCalibrate });
    this.#forget = button(messages.text("adjust.forget"), () => {
      adjustments.forget();
      this.#tell(this.#movedText());
    });
    this.root.append(
      this.#group(
        "adjust.film",
        this.#moved,
        button(messages.text("adjust.now"), () => {
          adjustments.mark(film.start, film.nowMs());
          this.#tell(messages.text("adjust.marked"));
        }),
        ...NUDGES_MS.map((byMs) => {
          const key = byMs < 0 ? "adjust.earlier" : "adjust.later";
          const label = messages.text(key, { count: Math.abs(byMs) / 1000 });
          return button(label, () => {
            adjustments.nudge(film.start, byMs);
            this.#tell(this.#movedText());
          });
        }),
        this.#forget,
      ),
      this.#earphone.root,
    );
    this.render();
  }

  close() {
    this.#closed = true;
    this.#earphone?.close();
  }

  /** Write what has changed. */
  render() {
    if (this.#forget === null) return;
    const { adjustments } = this.#parts;
    write(this.#moved, this.#movedText());
    // Not taken away under her finger: what is read as "dimmed" is still found.
    this.#forget.setAttribute("aria-disabled", String(!adjustments.own));
  }

  /** @param {string} title @param {...Node} children */
  #group(title, ...children) {
    const { messages } = this.#parts;
    return element("fieldset", {}, element("legend", {}, messages.text(title)), ...children);
  }

  #movedText() {
    const { messages, adjustments, film } = this.#parts;
    if (!adjustments.own) return messages.text("adjust.none");
    const ms = adjustments.movedMs(film.start);
    const span = messages.span(Math.abs(ms));
    return messages.text(ms < 0 ? "adjust.moved-earlier" : "adjust.moved-later", { span });
  }

  #tell(/** @type {string} */ sentence) {
    this.#parts.announcer.say(sentence);
    this.render();
  }
}
