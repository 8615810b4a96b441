/**
 * What Tell is told of the sound while she listens, so that the cinema sees how well it fits: which
 * sound plays, how far off it is, how often it had to wait. Each report takes the place of the one
 * before; one switch ends them.
 */

import { ApiError } from "./api.js";

/** The first one once the sound has settled, the others in steps that drain no phone. */
const FIRST_MS = 10_000;
const EVERY_MS = 30_000;
/** So often it is read: just after a seek, or when the sound has ended, nothing is measured. */
const READ_MS = 2000;
/** Closer together they would say the same: a page that goes out of sight twice in a moment. */
const APART_MS = 2000;
/** Tell has too much to do: what is not told now is in the next report. */
const BACK_OFF_MS = 60_000;
const NOTHING = { errorS: null, boundMs: null };
const ENDS = ["idle", "over", "interrupted"];

/**
 * @typedef {object} Heard how the sound of a ticket stands
 * @property {string} correlationId
 * @property {import("./timeline.js").Phase} phase
 * @property {import("./stream.js").Playing | null} playing null while nothing is open; its
 *   rendition is null where the browser chooses and does not say
 * @property {number | null} errorS heard minus true, null while it is not measured
 * @property {number | null} boundMs how far off that may be, null while Tell's clock is unknown
 * @property {number} rebuffers how often the data have been waited for, since some time
 *
 * @typedef {object} Parts
 * @property {{ playback(report: Record<string, unknown>): Promise<void> }} api
 * @property {import("./kept.js").Memory} memory
 * @property {(ms: number) => Promise<void>} sleep
 * @property {() => number} nowMs a clock that runs evenly
 * @property {() => Heard | null} heard null where no ticket is open
 */

/** The switch, for the settings: on until she turns it off. */
export const reporting = {
  key: "tell.reports",
  /** @param {import("./kept.js").Memory} memory @returns {boolean} */
  read(memory) {
    return memory.get(this.key) !== "off";
  },
  /** @param {import("./kept.js").Memory} memory @param {boolean} on */
  write(memory, on) {
    memory.set(this.key, on ? "on" : "off");
  },
};

/**
 * The body of POST /tell/playback; null where there is nothing measured to tell.
 * @param {Heard | null} heard @param {number} rebuffersBefore what to leave out of the count
 */
export function reportOf(heard, rebuffersBefore) {
  if (!heard?.playing?.rendition || heard.errorS === null || heard.boundMs === null) return null;
  return {
    correlation_id: heard.correlationId,
    source: heard.playing.source,
    rendition: heard.playing.rendition,
    phase: heard.phase,
    error_ms: tenth(heard.errorS * 1000),
    bound_ms: tenth(heard.boundMs),
    rebuffers: heard.rebuffers - rebuffersBefore,
  };
}

/** @param {number} ms */
function tenth(ms) {
  return Math.round(ms * 10) / 10;
}

export class Reports {
  #parts;
  #on = false;
  /** Grows with each begin and end. */
  #run = 0;
  #notBeforeMs = -Infinity;
  /** @type {Pick<Heard, "errorS" | "boundMs">} */ #last = NOTHING;
  /** What had been counted when the ticket was begun. */
  #before = { correlationId: "", rebuffers: 0 };

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** The player is in another state. @param {import("./player.js").State} state */
  changed(state) {
    if (state === "playing" && !this.#on) this.#begin();
    else if (ENDS.includes(state) && this.#on) {
      this.#tell();
      this.forget();
    }
  }

  /** The page goes out of sight, perhaps for good. */
  leaving() {
    if (this.#on) this.#tell();
  }

  /** No report any more until a sound begins. */
  forget() {
    this.#on = false;
    this.#run += 1;
  }

  #begin() {
    const heard = this.#parts.heard();
    if (heard === null) return;
    if (heard.correlationId !== this.#before.correlationId) {
      const { correlationId, rebuffers } = heard;
      this.#before = { correlationId, rebuffers };
    }
    this.#on = true;
    this.#last = NOTHING;
    this.#keepTelling();
  }

  async #keepTelling() {
    const { sleep, nowMs } = this.#parts;
    const run = ++this.#run;
    let dueMs = nowMs() + FIRST_MS;
    for (;;) {
      await sleep(READ_MS);
      if (run !== this.#run) return;
      this.#read();
      if (nowMs() >= dueMs) {
        dueMs = nowMs() + EVERY_MS;
        this.#tell();
      }
    }
  }

  /** How the sound stands, with the last error that was measured. @returns {Heard | null} */
  #read() {
    const heard = this.#parts.heard();
    if (heard === null) return null;
    if (heard.errorS !== null) this.#last = { errorS: heard.errorS, boundMs: heard.boundMs };
    return { ...heard, ...this.#last };
  }

  async #tell() {
    const { api, memory, nowMs } = this.#parts;
    if (!reporting.read(memory) || nowMs() < this.#notBeforeMs) return;
    const report = reportOf(this.#read(), this.#before.rebuffers);
    if (report === null) return;
    this.#notBeforeMs = nowMs() + APART_MS;
    try {
      await api.playback(report);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The ticket is hers no more. Without network there is nothing to do.
      if ([401, 404].includes(error.status)) this.forget();
      if (error.status === 429 || error.status >= 500) {
        this.#notBeforeMs = nowMs() + Math.max(error.retryAfterS * 1000, BACK_OFF_MS);
      }
    }
  }
}

/**
 * Tell once more when the page goes out of sight: on a phone no later event is sure to come
 * (Page Visibility, HTML 8.1.2), and the request outlives the page (Fetch, keepalive).
 * @param {Reports} reports
 */
export function tellOnLeaving(reports) {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") reports.leaving();
  });
  addEventListener("pagehide", () => reports.leaving());
}
