/**
 * The tracks of her tickets, on this phone before the film: which are wanted, in which order they
 * come, and when each is looked through. The bytes are downloadworker.js's.
 */

import { ApiError } from "./api.js";
import { isDue } from "./eviction.js";
import { chooseDownload, mayDownload } from "./formats.js";
import { isAway } from "./kept.js";
import { Orders } from "./orders.js";
import { Shelf, kept } from "./shelf.js";
import { Standings } from "./standings.js";
import { screenOf, timesOf } from "./timeline.js";

const DECLINED_KEY = "tell.declined";
const BANDWIDTH_KEY = "tell.bandwidth-bps";
const AGAIN_MS = 30_000;
/** @type {import("./standings.js").State[]} */
const TRIED = ["no-room", "no-disk", "failed"];

/**
 * @typedef {import("./notes.js").Note} Note
 *
 * @typedef {object} Parts
 * @property {import("./kept.js").KeptApi} api
 * @property {import("./kept.js").Memory} memory
 * @property {import("./shelf.js").Store} store
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
 */

export class Downloads {
  #parts;
  #shelf;
  /** @type {Map<string, Record<string, any>>} by correlation_id */ #tickets = new Map();
  #standings = new Standings();
  /** What she asked for although the phone is sparing. */
  #asked = new Set();
  /** Tickets whose download she removed: it comes again when she asks. @type {Set<string>} */ #declined;
  /** When it was looked through in this visit, by digest. @type {Map<string, number>} */
  #verifiedMs = new Map();
  /** Tickets whose track came in this visit, while nobody has told of it. @type {Set<string>} */
  #come = new Set();
  #ready;
  #running = false;
  #again = false;
  #orders;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const onGone = (/** @type {string[]} */ ids) => {
      for (const id of ids) this.#standings.set(id, { state: "none" });
    };
    this.#shelf = new Shelf({ ...parts, onGone });
    this.#orders = new Orders(parts.makeWorker);
    this.#declined = new Set(JSON.parse(parts.memory.get(DECLINED_KEY) ?? "[]"));
    this.#ready = this.#load();
  }

  /** @returns {string | null} digest of the track that is open in the player */
  get playing() {
    return this.#shelf.playing;
  }

  set playing(sha256) {
    this.#shelf.playing = sha256;
  }

  /** Be told whenever a standing changes. @param {() => void} listener @returns {() => void} no more */
  watch(listener) {
    return this.#standings.watch(listener);
  }

  /** @param {string} correlationId */
  standing(correlationId) {
    return this.#standings.of(correlationId);
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
    const note = this.#shelf.notes.of(correlationId);
    return note?.whole ? note : null;
  }

  /** All tickets there are, as Tell has them now. @param {Record<string, any>[]} tickets */
  async take(tickets) {
    await this.#ready;
    const before = this.#facts();
    this.#tickets = new Map(tickets.map((ticket) => [ticket.correlation_id, ticket]));
    const due = [...this.#shelf.notes.values()].some((note) => this.#isDue(note));
    if (this.#facts() === before && !due) return;
    this.#shelf.follow(this.#tickets);
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
    const tried = TRIED.includes(this.standing(correlationId).state);
    if (tried) this.#standings.set(correlationId, { state: "none" });
    await this.run();
  }

  /** How much of the phone all tracks together may take. */
  get limitBytes() {
    return this.#parts.limitBytes;
  }

  /** What is on this phone, or on its way to it. @returns {Promise<Note[]>} */
  async notes() {
    await this.#ready;
    return [...this.#shelf.notes.values()];
  }

  /**
   * Remove a track until she asks for it again. False where it plays just now.
   * @param {string} sha256 @returns {Promise<boolean>}
   */
  async discard(sha256) {
    await this.#ready;
    if (sha256 === this.#shelf.playing) return false;
    const ids = Object.keys(this.#shelf.notes.get(sha256)?.tickets ?? {});
    for (const id of ids) {
      this.#asked.delete(id);
      this.#declined.add(id);
    }
    this.#saveDeclined();
    await this.#alone(() => this.#shelf.drop(sha256));
    for (const id of ids) this.#standings.set(id, { state: "removed" });
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
    const note = this.#shelf.notes.of(correlationId);
    if (!note?.whole) return false;
    await this.#alone(() => this.#verify(note));
    if (!note.whole) this.run();
    return note.whole;
  }

  /** The track failed while it was played: not to be trusted any more. @param {string} sha256 */
  async distrust(sha256) {
    const note = this.#shelf.notes.get(sha256);
    if (note?.whole) await this.verify(Object.keys(note.tickets)[0]);
  }

  /** Remove every track from this phone. */
  async clear() {
    this.#orders.stop();
    await this.#alone(async () => {
      await this.#shelf.clear();
      this.#declined.clear();
      this.#saveDeclined();
    });
    for (const id of this.#tickets.keys()) this.#standings.set(id, { state: "none" });
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
    for (const note of await this.#shelf.load()) {
      for (const id of Object.keys(note.tickets)) {
        this.#standings.set(id, { state: "whole", percent: 100 });
      }
    }
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
    if (!store.canKeep()) return this.#standings.set(id, { state: "unsupported" });
    const note = this.#shelf.notes.of(id);
    if (note?.whole) {
      this.#standings.set(id, { state: "whole", percent: 100 });
      if (this.#isDue(note)) await this.#alone(() => this.#verify(note));
      if (note.whole) return this.#refresh(ticket, note);
    }
    if (this.#declined.has(id)) return this.#standings.set(id, { state: "removed" });
    const may = mayDownload(this.#parts.network(), this.#parts.dataUse());
    if (may !== "yes" && !this.#asked.has(id)) return this.#standings.set(id, { state: may });
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
      this.#standings.set(id, { state: isAway(error) ? "offline" : "none" });
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
    if (wanted === null) this.#standings.set(id, { state: "no-codec" });
    return wanted;
  }

  /** @param {Record<string, any>} ticket @param {import("./formats.js").Rendition} wanted */
  async #fetch(ticket, wanted) {
    const id = ticket.correlation_id;
    let note;
    try {
      note = await this.#shelf.makeRoom(ticket, wanted);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return this.#failed(id, "no-disk");
    }
    if (note === null) {
      return this.#standings.set(id, { state: "no-room", sizeBytes: wanted.size_bytes });
    }
    // Another page of this phone may have brought it meanwhile.
    note.whole = await this.#shelf.has(note);
    if (!note.whole) {
      const damaged = this.standing(id).state === "damaged";
      if (!damaged) this.#standings.set(id, { state: "loading", sizeBytes: note.sizeBytes });
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
    await this.#shelf.leaveOthers(id, note.sha256);
    this.#standings.set(id, { state: "whole", percent: 100, sizeBytes: note.sizeBytes });
  }

  /** @param {string} id @param {Note} note @param {any} news */
  #news(id, note, news) {
    if (news.news === "damaged") this.#standings.set(id, { state: "damaged" });
    if (news.news === "cut" && news.failures > 1) this.#standings.set(id, { state: "offline" });
    if (news.news !== "progress") return;
    if (news.bandwidthBps) {
      this.#parts.memory.set(BANDWIDTH_KEY, String(Math.round(news.bandwidthBps)));
    }
    const state = this.standing(id).state === "damaged" ? "damaged" : "loading";
    const percent = Math.floor((news.bytes / note.sizeBytes) * 100);
    this.#standings.set(id, { state, percent, sizeBytes: note.sizeBytes });
  }

  /** @param {string} id @param {string} outcome */
  #failed(id, outcome) {
    if (outcome === "no-room" || outcome === "no-disk") this.#standings.set(id, { state: outcome });
    else if (outcome === "damaged") this.#standings.set(id, { state: "failed" });
    else {
      // Refused: a fresh grant may open it. Stopped: something else was asked.
      this.#standings.set(id, { state: "none" });
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
      for (const id of Object.keys(note.tickets)) this.#standings.set(id, { state: "damaged" });
    }
    this.#shelf.notes.save();
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
      this.#shelf.notes.read();
      return run();
    });
  }
}

/** The bandwidth that an earlier transfer measured, null for none. @param {import("./kept.js").Memory} memory */
export function measuredBps(memory) {
  const bps = Number(memory.get(BANDWIDTH_KEY));
  return bps > 0 ? bps : null;
}
