/** What is remembered of the tracks on this phone, by their digest, over visits and between pages. */

const NOTES_KEY = "tell.downloads";

/**
 * @typedef {object} Note
 * @property {string} sha256
 * @property {number} sizeBytes
 * @property {string} rendition
 * @property {string} codecs
 * @property {boolean} whole
 * @property {number} verifiedMs
 * @property {Record<string, { movieStartMs: number, creditsEndMs: number }>} tickets
 */

/** @extends {Map<string, Note>} */
export class Notes extends Map {
  #memory;

  /** @param {import("./kept.js").Memory} memory */
  constructor(memory) {
    super();
    this.#memory = memory;
  }

  /** Take over the notes as another page of this phone may have left them. */
  read() {
    const written = JSON.parse(this.#memory.get(NOTES_KEY) ?? "[]");
    const digests = new Set(written.map((/** @type {Note} */ note) => note.sha256));
    for (const sha256 of this.keys()) if (!digests.has(sha256)) this.delete(sha256);
    for (const note of written) {
      this.set(note.sha256, Object.assign(this.get(note.sha256) ?? {}, note));
    }
  }

  save() {
    this.#memory.set(NOTES_KEY, JSON.stringify([...this.values()]));
  }

  /** The track of a ticket, a whole one first. @param {string} correlationId @returns {Note | undefined} */
  of(correlationId) {
    const notes = [...this.values()].filter((note) => correlationId in note.tickets);
    return notes.find((note) => note.whole) ?? notes[0];
  }
}
