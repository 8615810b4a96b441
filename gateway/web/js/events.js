/**
 * What happens to the listener's tickets, as it happens: GET /tell/events.
 *
 * Read by fetch, since EventSource can send no bearer, and a token in the address would stand in
 * logs. It reconnects by itself; what was missed meanwhile is replayed, or a `reset` says that it
 * cannot be. The app's own polling stays for where no stream gets through.
 */

import { ApiError } from "./api.js";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** Tell sends a sign of life every 20 seconds: after so long without one the line is dead. */
const SILENCE_MS = 60_000;
const CUT = { done: true, value: undefined };

/**
 * Parser of an event stream (HTML Living Standard 9.2.6). Pure.
 */
export class EventParser {
  #rest = "";
  #event = "";
  /** @type {string[]} */ #data = [];
  lastEventId = "";
  /** What the server asks to wait before a reconnect. @type {number | null} */ retryMs = null;

  /**
   * Take the next piece of text.
   * @param {string} text
   * @returns {{ event: string, data: string }[]} the events that it completed
   */
  push(text) {
    const events = [];
    const lines = (this.#rest + text).split("\n");
    this.#rest = /** @type {string} */ (lines.pop());
    for (const line of lines) {
      const event = this.#line(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event) events.push(event);
    }
    return events;
  }

  /** A cut line is no line: what came of an unfinished event is dropped, its id is kept. */
  cut() {
    this.#rest = "";
    this.#event = "";
    this.#data = [];
  }

  #line(/** @type {string} */ line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.lastEventId = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch() {
    const event = this.#data.length
      ? { event: this.#event || "message", data: this.#data.join("\n") }
      : null;
    this.#event = "";
    this.#data = [];
    return event;
  }
}

/**
 * How long to wait before try number *failures*, from 1: doubling, and by chance between half and
 * all of it, so that a full cinema does not come back in one moment. Pure.
 * @param {number} failures @param {number} firstMs @param {number} chance 0 to 1
 */
export function waitMs(failures, firstMs, chance) {
  const fullMs = Math.min(LONGEST_WAIT_MS, firstMs * 2 ** Math.min(failures - 1, 10));
  return fullMs * (0.5 + chance / 2);
}

/**
 * @typedef {object} Parts
 * @property {import("./api.js").Api} api
 * @property {(ms: number) => Promise<void>} sleep
 * @property {(ticket: Record<string, any>) => void} onTicket a ticket as it is now
 * @property {() => void} onGap something may have been missed: ask
 */

export class Events {
  #parts;
  #parser = new EventParser();
  /** Grows with each start and stop: what belongs to an older one ends. */
  #run = 0;
  /** @type {AbortController | null} */ #line = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Be connected from now on, anew where it was: the listener may be another. */
  start() {
    this.stop();
    this.#parser = new EventParser();
    this.#keep(this.#run);
  }

  stop() {
    this.#run += 1;
    this.#line?.abort();
  }

  /** The page came back, or the network did: a line that looks alive may be dead. */
  wake() {
    this.#line?.abort();
  }

  async #keep(/** @type {number} */ run) {
    let failures = 0;
    while (run === this.#run) {
      let heard = false;
      try {
        heard = await this.#listen(run);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // The listener is not known any more; the app finds that out for itself.
        if (error.status === 401) return;
      }
      if (run !== this.#run) return;
      failures = heard ? 1 : failures + 1;
      const firstMs = this.#parser.retryMs ?? FIRST_WAIT_MS;
      await this.#parts.sleep(waitMs(failures, firstMs, Math.random()));
    }
  }

  /** One connection, until its end; whether anything came. @param {number} run */
  async #listen(run) {
    const parser = this.#parser;
    const before = parser.lastEventId;
    const line = new AbortController();
    this.#line = line;
    parser.cut();
    const body = await this.#parts.api.events(before, line.signal);
    const reader = body.getReader();
    const decoder = new TextDecoder();
    let heard = false;
    let watchdog = setTimeout(() => line.abort(), SILENCE_MS);
    try {
      for (;;) {
        // A line that was cut, here or on the way, has ended.
        const { done, value } = await reader.read().catch(() => CUT);
        if (done || run !== this.#run) return heard;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => line.abort(), SILENCE_MS);
        heard = true;
        for (const event of parser.push(decoder.decode(value, { stream: true }))) this.#tell(event);
      }
    } finally {
      clearTimeout(watchdog);
      reader.cancel().catch(() => {});
    }
  }

  #tell(/** @type {{ event: string, data: string }} */ { event, data }) {
    if (event === "reset") this.#parts.onGap();
    else this.#parts.onTicket(JSON.parse(data).ticket);
  }
}
