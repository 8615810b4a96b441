/**
 * The tracks that lie on this phone: what is noted of them, their files, and the room that they
 * take. Which go when a new one needs it is eviction.js's.
 */

import { makeRoom } from "./eviction.js";
import { Notes } from "./notes.js";
import { timesOf } from "./timeline.js";

/** Left to the phone, so that other apps and the browser itself still work. */
const RESERVE_BYTES = 50e6;

/**
 * @typedef {import("./notes.js").Note} Note
 *
 * @typedef {object} Parts
 * @property {import("./kept.js").Memory} memory
 * @property {Store} store
 * @property {() => number} nowMs Tell's time, as well as it is known
 * @property {() => Promise<{ quota?: number, usage?: number, persisted: boolean }>} storage asks
 * to keep it too
 * @property {number} limitBytes
 * @property {(ids: string[]) => void} onGone the track of these tickets was removed for others
 *
 * @typedef {Pick<typeof import("./store.js"), "canKeep" | "wholeFile" | "remove" | "removeOthers">} Store
 */

export class Shelf {
  #parts;
  notes;
  /** @type {string | null} digest of the track that is open in the player */ playing = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.notes = new Notes(parts.memory);
  }

  /** Read what earlier visits left; returns the notes of what is whole. @returns {Promise<Note[]>} */
  async load() {
    const { store } = this.#parts;
    const { notes } = this;
    notes.read();
    if (!store.canKeep()) return [];
    for (const note of notes.values()) {
      const file = note.whole ? await store.wholeFile(note.sha256) : null;
      // The browser may have cleared its storage; then it is as if it never came.
      note.whole = file?.size === note.sizeBytes;
    }
    await store.removeOthers(new Set(notes.keys())).catch(() => {});
    return [...notes.values()].filter((note) => note.whole);
  }

  /** Whether the whole file is there, though another page of this phone may have brought it. @param {Note} note */
  async has(note) {
    return note.whole || (await this.#parts.store.wholeFile(note.sha256))?.size === note.sizeBytes;
  }

  /**
   * A note with room behind it, null where there is none. Throws a DOMException where nothing can
   * be kept.
   * @param {Record<string, any>} ticket @param {import("./formats.js").Rendition} wanted
   * @returns {Promise<Note | null>}
   */
  async makeRoom(ticket, wanted) {
    const { store, limitBytes, nowMs, storage } = this.#parts;
    const times = /** @type {import("./timeline.js").Times} */ (timesOf(ticket));
    const note = this.notes.get(wanted.sha256) ?? {
      sha256: wanted.sha256,
      sizeBytes: wanted.size_bytes,
      rendition: wanted.rendition,
      codecs: wanted.codecs,
      whole: false,
      verifiedMs: 0,
      tickets: {},
    };
    const { movieStartMs, creditsEndMs } = times;
    const tickets = { ...note.tickets, [ticket.correlation_id]: { movieStartMs, creditsEndMs } };
    const others = [...this.notes.values()].filter((one) => one !== note);
    const { fits, remove } = makeRoom({
      kept: others.map(kept),
      need: kept({ ...note, tickets }),
      limitBytes,
      nowMs: nowMs(),
      playing: this.playing,
    });
    if (!fits) return null;
    for (const sha256 of remove) await this.drop(sha256);
    const { quota = Infinity, usage = 0 } = await storage();
    if (!note.whole && quota - usage < note.sizeBytes + Math.min(RESERVE_BYTES, quota / 10)) {
      return null;
    }
    note.tickets = tickets;
    this.notes.set(note.sha256, note);
    this.notes.save();
    await store.removeOthers(new Set(this.notes.keys()));
    return note;
  }

  /** The ticket has one track; what it had before may go. @param {string} id @param {string} sha256 */
  async leaveOthers(id, sha256) {
    for (const note of [...this.notes.values()]) {
      if (note.sha256 === sha256 || !(id in note.tickets)) continue;
      delete note.tickets[id];
      const orphan = Object.keys(note.tickets).length === 0;
      if (orphan && note.sha256 !== this.playing) await this.drop(note.sha256);
    }
    this.notes.save();
  }

  /** Remove a track, and what is noted of it. @param {string} sha256 */
  async drop(sha256) {
    const note = this.notes.get(sha256);
    this.notes.delete(sha256);
    this.notes.save();
    await this.#parts.store.remove(sha256);
    this.#parts.onGone(Object.keys(note?.tickets ?? {}));
  }

  /** Remove every track. */
  async clear() {
    for (const sha256 of this.notes.keys()) await this.#parts.store.remove(sha256);
    this.notes.clear();
    this.notes.save();
  }

  /** The times of a note's tickets are those of the tickets as they are now. @param {Map<string, Record<string, any>>} tickets by correlation_id */
  follow(tickets) {
    for (const note of this.notes.values()) {
      for (const id of Object.keys(note.tickets)) {
        const ticket = tickets.get(id);
        const times = ticket ? timesOf(ticket) : null;
        if (times === null) continue;
        const { movieStartMs, creditsEndMs, cancelled } = times;
        note.tickets[id] = { movieStartMs, creditsEndMs: cancelled ? 0 : creditsEndMs };
      }
    }
    this.notes.save();
  }
}

/** What the policy has to know of a track. @param {Note} note @returns {import("./eviction.js").Kept} */
export function kept({ sha256, sizeBytes, tickets }) {
  return { sha256, sizeBytes, showings: Object.values(tickets) };
}
