/**
 * The tracks of her tickets, on this phone before the film: which are wanted, in which order they
 * come, what goes for them, and how each stands. The bytes are downloadworker.js's.
 */

import { ApiError } from "./api.js";
import { isDue, makeRoom } from "./eviction.js";
import { chooseDownload, mayDownload } from "./formats.js";
import { isAway } from "./kept.js";
import { Notes } from "./notes.js";
import { Orders } from "./orders.js";
import { screenOf, timesOf } from "./timeline.js";

const DECLINED_KEY = "tell.declined";
const BANDWIDTH_KEY = "tell.bandwidth-bps";
const AGAIN_MS = 30_000;
/** @type {State[]} */
const TRIED = ["no-room", "no-disk", "failed"];
/** Left to the phone, so that other apps and the browser itself still work. */
const RESERVE_BYTES = 50e6;

/**
 * How the track of a ticket stands. none: nothing is known yet. loading: it comes (`percent`).
 * whole: it is on the phone, its digest was right. damaged: it was found changed, and comes again.
 * offline: it waits for the network. sparing, never, slow: not by itself, and why. removed: she
 * removed it. no-room: neither
 * the limit nor the phone has room. unsupported: this browser keeps no files. no-codec: nothing of
 * it plays here. failed: it comes wrong again and again. no-disk: the browser has a place for files
 * and lets nothing be kept there (a private window).
 * @typedef {"none" | "loading" | "whole" | "damaged" | "offline" | "sparing" | "never" | "slow" |
 *   "removed" | "no-room" | "unsupported" | "no-codec" | "failed" | "no-disk"} State
 *
 * @typedef {object} Standing
 * @property {State} state
 * @property {number} percent
 * @property {number} sizeBytes 0 while unknown
 *
 * @typedef {import("./notes.js").Note} Note
 *
 * @typedef {object} Parts
 * @property {import("./kept.js").KeptApi} api
 * @property {import("./kept.js").Memory} memory
 * @property {Store} store
 * @property {() => import("./orders.js").WorkerLike} makeWorker
 * @property {(codecs: string) => boolean} canPlay
 * @property {() => import("./formats.js").Network} network
 * @property {() => import("./formats.js").DataUse} dataUse
 * @property {() => number} nowMs Tell's time, as well as it is known
 * @property {() => Promise<{ quota?: number, usage?: number, persisted: boolean }>} storage asks
 * to keep it too
 * @property {(run: () => Promise<void>) => Promise<void>} alone one page of this phone at a time
 * @property {(ms: number) => Promise<void>} sleep
 * @property {number} limitBytes
 *
 * @typedef {Pick<typeof import("./store.js"), "canKeep" | "wholeFile" | "remove" | "removeOthers">} Store
 */

export class Downloads {
  #parts;
  #notes;
  /** @type {Map<string, Record<string, any>>} by correlation_id */ #tickets = new Map();
  /** @type {Map<string, Standing>} by correlation_id */ #standings = new Map();
  /** What she asked for although the phone is sparing. */
  #asked = new Set();
  /** Tickets whose download she removed: it comes again when she asks. @type {Set<string>} */ #declined;
  /** When it was looked through in this visit, by digest. @type {Map<string, number>} */
  #verifiedMs = new Map();
  /** Tickets whose track came in this visit, while nobody has told of it. @type {Set<string>} */
  #come = new Set();
  #listeners = new Set();
  /** @type {string | null} digest of the track that is open in the player */ playing = null;
  #ready;
  #running = false;
  #again = false;
  #orders;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#notes = new Notes(parts.memory);
    this.#orders = new Orders(parts.makeWorker);
    this.#declined = new Set(JSON.parse(parts.memory.get(DECLINED_KEY) ?? "[]"));
    this.#ready = this.#load();
  }

  /** Be told whenever a standing changes. @param {() => void} listener @returns {() => void} no more */
  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param {string} correlationId @returns {Standing} */
  standing(correlationId) {
    return this.#standings.get(correlationId) ?? { state: "none", percent: 0, sizeBytes: 0 };
  }

  /** Whether its track came in this visit and is news still. @param {string} correlationId */
  isNews(correlationId) {
    return this.#come.has(correlationId);
  }

  /** It was told. @param {string} correlationId */
  told(correlationId) {
    this.#come.delete(correlationId);
  }

  /**
   * The whole track of a ticket, null where it is not on the phone.
   * @param {string} correlationId
   * @returns {Promise<Note | null>}
   */
  async whole(correlationId) {
    await this.#ready;
    const note = this.#notes.of(correlationId);
    return note?.whole ? note : null;
  }

  /** All tickets there are, as Tell has them now. @param {Record<string, any>[]} tickets */
  async take(tickets) {
    await this.#ready;
    const before = this.#facts();
    this.#tickets = new Map(tickets.map((ticket) => [ticket.correlation_id, ticket]));
    if (this.#facts() === before && ![...this.#notes.values()].some((note) => this.#isDue(note))) return;
    for (const note of this.#notes.values()) {
      for (const id of Object.keys(note.tickets)) this.#follow(note, id);
    }
    this.#notes.save();
    await this.run();
  }

  /** What of the tickets matters here; the rest changes with each answer. */
  #facts() {
    const facts = [...this.#tickets.values()].map((ticket) =>
      [ticket.correlation_id, ticket.movie_start, ticket.credits_end, ticket.described, ticket.state]
        .concat(ticket.phase === "cancelled"),
    );
    return JSON.stringify(facts.sort());
  }

  /** Whether it is to be looked through once more. @param {Note} note */
  #isDue(note) {
    const { sha256, whole } = note;
    return whole && isDue(kept(note), this.#verifiedMs.get(sha256) ?? null, this.#parts.nowMs());
  }

  /** She asked for it herself, whatever it costs. @param {string} correlationId */
  async ask(correlationId) {
    this.#asked.add(correlationId);
    this.#declined.delete(correlationId);
    this.#saveDeclined();
    // What came of it is told anew, though it be the same.
    if (TRIED.includes(this.standing(correlationId).state)) this.#stand(correlationId, { state: "none" });
    await this.run();
  }

  /** How much of the phone all tracks together may take. */
  get limitBytes() {
    return this.#parts.limitBytes;
  }

  /** What is on this phone, or on its way to it. @returns {Promise<Note[]>} */
  async notes() {
    await this.#ready;
    return [...this.#notes.values()];
  }

  /**
   * Remove a track until she asks for it again. False where it plays just now.
   * @param {string} sha256 @returns {Promise<boolean>}
   */
  async discard(sha256) {
    await this.#ready;
    if (sha256 === this.playing) return false;
    const ids = Object.keys(this.#notes.get(sha256)?.tickets ?? {});
    for (const id of ids) {
      this.#asked.delete(id);
      this.#declined.add(id);
    }
    this.#saveDeclined();
    await this.#alone(() => this.#drop(sha256));
    for (const id of ids) this.#stand(id, { state: "removed" });
    return true;
  }

  /** What she allows, or the language she wants, is another now. */
  async rethink() {
    if (this.#orders.fetching) this.#orders.stop();
    await this.run();
  }

  /**
   * Look through the track of a ticket once more. False where it is not whole (and is fetched again).
   * @param {string} correlationId @returns {Promise<boolean>}
   */
  async verify(correlationId) {
    await this.#ready;
    const note = this.#notes.of(correlationId);
    if (!note?.whole) return false;
    await this.#alone(() => this.#verify(note));
    if (!note.whole) this.run();
    return note.whole;
  }

  /** The track failed while it was played: not to be trusted any more. @param {string} sha256 */
  async distrust(sha256) {
    const note = this.#notes.get(sha256);
    if (note?.whole) await this.verify(Object.keys(note.tickets)[0]);
  }

  /** Remove every track from this phone. */
  async clear() {
    this.#orders.stop();
    await this.#alone(async () => {
      for (const sha256 of this.#notes.keys()) await this.#parts.store.remove(sha256);
      this.#notes.clear();
      this.#notes.save();
      this.#declined.clear();
      this.#saveDeclined();
    });
    for (const id of this.#tickets.keys()) this.#stand(id, { state: "none" });
  }

  /** Fetch and check what is wanted, soonest first; returns when nothing is left to do now. */
  async run() {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    try {
      await this.#ready;
      do {
        this.#again = false;
        for (const ticket of this.#wanted()) {
          if (this.#again) break;
          await this.#serve(ticket);
        }
      } while (this.#again);
    } finally {
      this.#running = false;
    }
  }

  async #load() {
    const { store } = this.#parts;
    this.#notes.read();
    if (!store.canKeep()) return;
    for (const note of this.#notes.values()) {
      const file = note.whole ? await store.wholeFile(note.sha256) : null;
      // The browser may have cleared its storage; then it is as if it never came.
      note.whole = file?.size === note.sizeBytes;
      if (!note.whole) continue;
      for (const id of Object.keys(note.tickets)) this.#stand(id, { state: "whole", percent: 100 });
    }
    await store.removeOthers(new Set(this.#notes.keys())).catch(() => {});
  }

  #wanted() {
    const nowMs = this.#parts.nowMs();
    const startMs = (/** @type {any} */ ticket) => timesOf(ticket)?.movieStartMs ?? Infinity;
    return [...this.#tickets.values()]
      .filter((ticket) => screenOf(ticket, nowMs) === "showing")
      .sort((one, other) => startMs(one) - startMs(other));
  }

  /** @param {Record<string, any>} ticket */
  async #serve(ticket) {
    const { store } = this.#parts;
    const id = ticket.correlation_id;
    if (!store.canKeep()) return this.#stand(id, { state: "unsupported" });
    const note = this.#notes.of(id);
    if (note?.whole) {
      this.#stand(id, { state: "whole", percent: 100 });
      if (this.#isDue(note)) await this.#alone(() => this.#verify(note));
      if (note.whole) return this.#refresh(ticket, note);
    }
    if (this.#declined.has(id)) return this.#stand(id, { state: "removed" });
    const may = mayDownload(this.#parts.network(), this.#parts.dataUse());
    if (may !== "yes" && !this.#asked.has(id)) return this.#stand(id, { state: may });
    const wanted = await this.#choose(ticket);
    if (wanted) await this.#alone(() => this.#fetch(ticket, wanted));
  }

  /** A new version of the track replaces the old one. @param {any} ticket @param {Note} note */
  async #refresh(ticket, note) {
    const wanted = await this.#choose(ticket, note);
    if (wanted && wanted.sha256 !== note.sha256) {
      await this.#alone(() => this.#fetch(ticket, wanted));
    }
  }

  /**
   * The rendition to have, null where none can be had now.
   * @param {Record<string, any>} ticket @param {Note} [have]
   */
  async #choose(ticket, have) {
    const { api, canPlay, network, dataUse } = this.#parts;
    const id = ticket.correlation_id;
    let grant;
    try {
      grant = await api.grant(ticket.movie_id, id);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (have) return null;
      this.#stand(id, { state: isAway(error) ? "offline" : "none" });
      // Too many asked at once: that passes too.
      if (isAway(error) || error.status === 429) this.#later();
      return null;
    }
    // What is on the phone is kept while it is a rendition of the track as it is published now.
    const same = grant.downloads.find((/** @type {any} */ one) => one.sha256 === have?.sha256);
    if (same) return same;
    // A grant of an earlier visit knows of no newer track.
    if (grant.kept && have) return null;
    const wanted = chooseDownload(grant.downloads, canPlay, network(), dataUse());
    if (wanted === null) this.#stand(id, { state: "no-codec" });
    return wanted;
  }

  /** @param {Record<string, any>} ticket @param {import("./formats.js").Rendition} wanted */
  async #fetch(ticket, wanted) {
    const id = ticket.correlation_id;
    let note;
    try {
      note = await this.#makeRoom(ticket, wanted);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return this.#failed(id, "no-disk");
    }
    if (note === null) return this.#stand(id, { state: "no-room", sizeBytes: wanted.size_bytes });
    // Another page of this phone may have brought it meanwhile.
    note.whole ||= (await this.#parts.store.wholeFile(note.sha256))?.size === note.sizeBytes;
    if (!note.whole) {
      const damaged = this.standing(id).state === "damaged";
      if (!damaged) this.#stand(id, { state: "loading", sizeBytes: note.sizeBytes });
      const outcome = await this.#orders.run(
        { order: "fetch", url: wanted.url, sha256: note.sha256, sizeBytes: note.sizeBytes },
        (news) => this.#news(id, note, news),
      );
      if (outcome !== "whole") return this.#failed(id, outcome);
      note.whole = true;
      this.#come.add(id);
      note.verifiedMs = this.#parts.nowMs();
      this.#verifiedMs.set(note.sha256, note.verifiedMs);
    }
    await this.#leaveOthers(id, note.sha256);
    this.#notes.save();
    this.#stand(id, { state: "whole", percent: 100, sizeBytes: note.sizeBytes });
  }

  /** @param {Record<string, any>} ticket @param {import("./formats.js").Rendition} wanted */
  async #makeRoom(ticket, wanted) {
    const { store, limitBytes, nowMs, storage } = this.#parts;
    const times = /** @type {import("./timeline.js").Times} */ (timesOf(ticket));
    const note = this.#notes.get(wanted.sha256) ?? {
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
    const others = [...this.#notes.values()].filter((one) => one !== note);
    const { fits, remove } = makeRoom({
      kept: others.map(kept),
      need: kept({ ...note, tickets }),
      limitBytes,
      nowMs: nowMs(),
      playing: this.playing,
    });
    if (!fits) return null;
    for (const sha256 of remove) await this.#drop(sha256);
    const { quota = Infinity, usage = 0 } = await storage();
    if (!note.whole && quota - usage < note.sizeBytes + Math.min(RESERVE_BYTES, quota / 10)) {
      return null;
    }
    note.tickets = tickets;
    this.#notes.set(note.sha256, note);
    this.#notes.save();
    await store.removeOthers(new Set(this.#notes.keys()));
    return note;
  }

  /** @param {string} id @param {Note} note @param {any} news */
  #news(id, note, news) {
    if (news.news === "damaged") this.#stand(id, { state: "damaged" });
    if (news.news === "cut" && news.failures > 1) this.#stand(id, { state: "offline" });
    if (news.news !== "progress") return;
    if (news.bandwidthBps) {
      this.#parts.memory.set(BANDWIDTH_KEY, String(Math.round(news.bandwidthBps)));
    }
    const state = this.standing(id).state === "damaged" ? "damaged" : "loading";
    const percent = Math.floor((news.bytes / note.sizeBytes) * 100);
    this.#stand(id, { state, percent, sizeBytes: note.sizeBytes });
  }

  /** @param {string} id @param {string} outcome */
  #failed(id, outcome) {
    if (outcome === "no-room" || outcome === "no-disk") this.#stand(id, { state: outcome });
    else if (outcome === "damaged") this.#stand(id, { state: "failed" });
    else {
      // Refused: a fresh grant may open it. Stopped: something else was asked.
      this.#stand(id, { state: "none" });
      this.#later();
    }
  }

  /** @param {Note} note */
  async #verify(note) {
    const { sha256, sizeBytes } = note;
    const outcome = await this.#orders.run({ order: "verify", sha256, sizeBytes }, () => {});
    note.whole = outcome === "whole";
    if (note.whole) {
      note.verifiedMs = this.#parts.nowMs();
      this.#verifiedMs.set(sha256, note.verifiedMs);
    } else {
      for (const id of Object.keys(note.tickets)) this.#stand(id, { state: "damaged" });
    }
    this.#notes.save();
  }

  /** The ticket has one track; what it had before may go. @param {string} id @param {string} sha256 */
  async #leaveOthers(id, sha256) {
    for (const note of [...this.#notes.values()]) {
      if (note.sha256 === sha256 || !(id in note.tickets)) continue;
      delete note.tickets[id];
      const orphan = Object.keys(note.tickets).length === 0;
      if (orphan && note.sha256 !== this.playing) await this.#drop(note.sha256);
    }
  }

  /** @param {string} sha256 */
  async #drop(sha256) {
    const note = this.#notes.get(sha256);
    this.#notes.delete(sha256);
    this.#notes.save();
    await this.#parts.store.remove(sha256);
    for (const id of Object.keys(note?.tickets ?? {})) this.#stand(id, { state: "none" });
  }

  /** The times of a note's ticket are those of the ticket as it is now. @param {Note} note @param {string} id */
  #follow(note, id) {
    const ticket = this.#tickets.get(id);
    const times = ticket ? timesOf(ticket) : null;
    if (times === null) return;
    const { movieStartMs, creditsEndMs, cancelled } = times;
    note.tickets[id] = { movieStartMs, creditsEndMs: cancelled ? 0 : creditsEndMs };
  }

  #saveDeclined() {
    this.#parts.memory.set(DECLINED_KEY, JSON.stringify([...this.#declined]));
  }

  #later() {
    this.#parts.sleep(AGAIN_MS).then(() => this.run());
  }

  /** @param {() => Promise<void>} run */
  #alone(run) {
    return this.#parts.alone(() => {
      this.#notes.read();
      return run();
    });
  }

  /** @param {string} id @param {Partial<Standing> & { state: State }} standing */
  #stand(id, standing) {
    const before = this.standing(id);
    const now = { ...before, ...(standing.state === before.state ? {} : { percent: 0 }), ...standing };
    if (JSON.stringify(before) === JSON.stringify(now)) return;
    this.#standings.set(id, now);
    for (const listener of this.#listeners) listener();
  }
}

/** @param {Note} note @returns {import("./eviction.js").Kept} */
function kept({ sha256, sizeBytes, tickets }) {
  return { sha256, sizeBytes, showings: Object.values(tickets) };
}

/** The bandwidth that an earlier transfer measured, null for none. @param {import("./kept.js").Memory} memory */
export function measuredBps(memory) {
  const bps = Number(memory.get(BANDWIDTH_KEY));
  return bps > 0 ? bps : null;
}
