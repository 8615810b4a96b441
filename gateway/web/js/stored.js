/** What of the descriptions is stored on this phone, how large it is, and a way to remove it. */

import { button, element, write } from "./screens.js";

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./downloads.js").Downloads} downloads
 * @property {import("./kept.js").KeptApi} api
 */

export class Stored {
  root;
  #parts;
  #closed = false;
  #unwatch;
  #text = "";
  #sum = element("p", { tabindex: "-1" });
  #list = element("ul", { role: "list", class: "stored" });

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { messages, downloads } = parts;
    this.root = element(
      "fieldset",
      {},
      element("legend", {}, messages.text("stored.title")),
      this.#sum,
      this.#list,
    );
    this.#unwatch = downloads.watch(() => this.#render());
    this.#render();
  }

  close() {
    this.#closed = true;
    this.#unwatch();
  }

  async #render() {
    const { messages, downloads } = this.#parts;
    const notes = (await downloads.notes()).filter(({ whole }) => whole);
    if (this.#closed) return;
    const text = JSON.stringify(notes.map(({ sha256 }) => sha256));
    if (text === this.#text) return;
    this.#text = text;
    const sizeBytes = notes.reduce((sum, note) => sum + note.sizeBytes, 0);
    write(
      this.#sum,
      messages.text(notes.length === 0 ? "stored.none" : "stored.sum", {
        count: notes.length,
        megabytes: megabytes(sizeBytes),
        limit: megabytes(downloads.limitBytes),
      }),
    );
    this.#list.replaceChildren(...notes.map((note) => this.#item(note)));
  }

  /** @param {import("./notes.js").Note} note */
  #item(note) {
    const { messages, api } = this.#parts;
    const titles = Object.keys(note.tickets).map((id) => api.keptTicket(id)?.title);
    const title = titles.find(Boolean) ?? messages.text("stored.nameless");
    const line = messages.text("stored.one", { title, count: megabytes(note.sizeBytes) });
    return element(
      "li",
      {},
      element("p", {}, line),
      button(messages.text("stored.remove", { title }), () => this.#remove(note, title)),
    );
  }

  /** @param {import("./notes.js").Note} note @param {string} title */
  async #remove({ sha256 }, title) {
    const { messages, announcer, downloads } = this.#parts;
    const removed = await downloads.discard(sha256);
    if (this.#closed) return;
    announcer.say(messages.text(removed ? "stored.removed" : "stored.playing", { title }));
    if (!removed) return write(this.#sum, messages.text("stored.playing", { title }));
    await this.#render();
    // The button is gone from under her finger: what is said of the rest takes its place.
    this.#sum.focus();
  }
}

/** @param {number} bytes */
function megabytes(bytes) {
  return bytes === 0 ? 0 : Math.max(1, Math.round(bytes / 1e6));
}
