/**
 * When Tell's clock is asked: in bursts, every half minute, sooner at first where the network
 * trembles, and at once after the device slept, or its clock was set, or the page came back.
 */

import { ApiError } from "./api.js";
import { cameApartMs, read } from "./clock.js";

const EVERY_MS = 30_000;
/** The first bursts follow each other so soon where the network trembles: more of them, better known. */
const SOON_MS = 5_000;
const EARLY_BURSTS = 3;
const BURST = 8;
/** A first burst that failed is tried again so soon; a later one has time. */
const RETRY_FIRST_MS = 2000;
const RETRY_MS = 15_000;
/** The two clocks of the device tremble against each other, by less than this. */
const APART_MS = 30;
/** Well enough known to begin; the rest of the burst makes it better while she listens. */
const ENOUGH_READINGS = 3;
const ENOUGH_BOUND_MS = 8;
const KEY = "tell.clock";

/**
 * @typedef {object} Parts
 * @property {import("./api.js").Api} api
 * @property {import("./clock.js").Clock} clock
 * @property {{ get(key: string): string | null, set(key: string, value: string): void }} memory
 */

export class Exchanges {
  #parts;
  #dueMs = -Infinity;
  #looked;
  #bursts = 0;
  #closed = false;
  /** @type {{ good: Promise<void>, done: Promise<void> } | null} */ #burst = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#looked = look();
    const kept = parse(parts.memory.get(KEY));
    if (kept) parts.clock.recall(kept, this.#looked.deviceMs, this.#looked.wallMs);
  }

  close() {
    this.#closed = true;
  }

  /** Ask as soon as possible. */
  wake() {
    this.#dueMs = -Infinity;
    this.tick();
  }

  /** Called about each second. */
  tick() {
    const now = look();
    const apartMs = cameApartMs(this.#looked, now);
    this.#looked = now;
    if (Math.abs(apartMs) > APART_MS) {
      this.#parts.clock.doubt(apartMs);
      this.#dueMs = -Infinity;
    }
    if (now.deviceMs >= this.#dueMs) this.#begin();
  }

  /**
   * Once the clock is known well enough to begin. A network that is gone ends the wait too: what
   * was known, or remembered, is used then.
   */
  async known() {
    const known = this.#parts.clock.estimate(performance.now());
    if (this.#parts.clock.measured && known && known.boundMs < ENOUGH_BOUND_MS) return;
    await this.#begin().good;
  }

  #begin() {
    if (this.#burst === null) {
      let good = () => {};
      const promise = /** @type {Promise<void>} */ (new Promise((resolve) => (good = resolve)));
      const done = this.#run(good).finally(() => (this.#burst = null));
      this.#burst = { good: promise, done };
    }
    return this.#burst;
  }

  /** A burst of exchanges; of these the lowest ways count (clock.js). @param {() => void} good */
  async #run(good) {
    const { api, clock, memory } = this.#parts;
    this.#dueMs = performance.now() + EVERY_MS;
    try {
      for (let count = 1; count <= BURST && !this.#closed; count += 1) {
        clock.add(read(await api.time()));
        const known = clock.estimate(performance.now());
        if (count >= ENOUGH_READINGS || (known && known.boundMs < ENOUGH_BOUND_MS)) good();
      }
      this.#bursts += 1;
      const known = clock.estimate(performance.now());
      const trembles = known !== null && known.boundMs >= ENOUGH_BOUND_MS;
      if (trembles && this.#bursts < EARLY_BURSTS) this.#dueMs = performance.now() + SOON_MS;
      const { deviceMs, wallMs } = look();
      const kept = clock.remember(deviceMs, wallMs);
      if (kept) memory.set(KEY, JSON.stringify(kept));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      clock.settle();
      // Tried again soon while nothing is known, and else in good time: the bound grows meanwhile.
      this.#dueMs = performance.now() + (clock.measured ? RETRY_MS : RETRY_FIRST_MS);
    } finally {
      good();
      // The browser keeps 250 entries and then no more.
      performance.clearResourceTimings();
    }
  }
}

/** Both clocks of the device at one moment. */
function look() {
  return { deviceMs: performance.now(), wallMs: Date.now() };
}

/** @param {string | null} text @returns {import("./clock.js").Remembered | null} */
function parse(text) {
  try {
    const { wallMs, tellMinusWallMs, boundMs } = JSON.parse(text ?? "null") ?? {};
    const good = [wallMs, tellMinusWallMs, boundMs].every(Number.isFinite);
    return good ? { wallMs, tellMinusWallMs, boundMs } : null;
  } catch {
    return null;
  }
}
