/**
 * Keeps sound that plays at the place that the clock says: reads where it is, decides (sync.js),
 * bends the rate or seeks. It never counts ticks, since a hidden page gets few of them.
 */

import { decide, estimate, SEEK_S, UNBENT_SEEK_S, vanishes } from "./sync.js";

/** @typedef {import("./sync.js").After} After */

/** `currentTime` is believed once so much has sounded: before, it stands or leaps. */
const FLOWING_S = 0.1;
const SETTLE_MS = 100;
/** After a start or a leap it is measured at once, and then over so many seconds (see estimate). */
const FINE = { tickMs: 50, readings: 6 };
const STEADY = { tickMs: 400, readings: 10 };
/** After a leap of the readings that no event tells of: long enough to see whether it vanishes. */
const UNSURE = { tickMs: 200, readings: 10 };
/** From one reading to the next: this is no noise, something happened. */
const LEAP_S = 0.03;
/** No noise either: two readings are enough. */
const FAR_S = 0.3;
/** So often it may be corrected at once; what is left then is noise, and waits for the seconds. */
const FINE_TRIES = 3;
/** After the first of these, so little may be noise already: a busy device misreads by 20 ms. */
const NOISE_S = 0.025;
/** Of what may be a device's late reading so much is believed: it can last for ten seconds. */
const BELIEVED = 0.5;
/** Data that are missing for longer are waited for at the place where they will be needed. */
const STALL_MS = 400;
/** For so long after a start, a leap or a hole, errors are put right sooner (sync.js). */
const FRESH_MS = 2000;
/** What a seek needs behind its aim. */
const BUFFERED_S = 0.3;

/**
 * @typedef {object} Parts
 * @property {HTMLAudioElement} audio
 * @property {(deviceMs: number) => number | null} positionS where the track should be
 * @property {(ms: number) => Promise<void>} sleep
 * @property {import("./lateness.js").Lateness} lateness
 * @property {() => boolean} stalled whether it waits for data
 * @property {boolean} [bends] false where each write of playbackRate is heard
 */

export class Steering {
  #parts;
  #silences;
  #readings = /** @type {number[]} */ ([]);
  #fineTries = FINE_TRIES;
  #unsure = false;
  /** Device time since which it is too far off to bend. @type {number | null} */ #farSinceMs = null;
  #flowsFromS = 0;
  /** What it came out of last, and when. @type {{ after: After, atMs: number }} */
  #fresh = { after: null, atMs: -Infinity };
  /** Device time since which the data have been missing. @type {number | null} */ #stalledMs = null;
  /** They have been, and nothing was measured since. */ #stalledSince = false;
  #wake = () => {};
  /** What the next measured error teaches. @type {import("./lateness.js").Kind | null} */ #lesson = null;
  /** Error of the last readings in seconds, positive ahead of the film; null while unknown. */
  errorS = /** @type {number | null} */ (null);

  /** @param {Parts} parts @param {import("./silences.js").Silences} silences the track's */
  constructor(parts, silences) {
    this.#parts = parts;
    this.#silences = silences;
  }

  get #bends() {
    return this.#parts.bends ?? true;
  }

  /** @param {import("./silences.js").Silences} silences */
  use(silences) {
    this.#silences = silences;
  }

  /** What was measured says nothing any more: the film was moved, or the sound interrupted. */
  startAfresh() {
    this.errorS = null;
    this.#measureAgain();
  }

  /** At once, and as well as after a start. */
  #measureAgain() {
    this.#readings = [];
    this.#fineTries = FINE_TRIES;
    this.#unsure = false;
  }

  /** The data have just stopped, or are back: that is looked at now, and not with the next tick. */
  look() {
    this.#stalledSince = true;
    this.#wake();
  }

  /**
   * Steer what was started at *fromS*, a second of the track.
   * @param {() => boolean} alive false once somebody else decides
   * @param {number} fromS
   * @param {import("./lateness.js").Kind} lesson how it was started
   * @returns {Promise<boolean>} whether it has to be cued anew; false where it is not alive any more
   */
  async run(alive, fromS, lesson) {
    this.#begin("start", fromS, lesson);
    this.#stalledMs = null;
    this.#stalledSince = false;
    let napMs = FINE.tickMs;
    while (alive()) {
      await this.#nap(napMs);
      if (!alive()) return false;
      napMs = this.#pace().tickMs;
      if (this.#hungers()) return true;
      const errorS = this.#measured();
      if (errorS === null) {
        napMs = this.#pace().tickMs;
        continue;
      }
      const farForS = this.#farForS(errorS);
      if (this.#mayVanish(errorS)) {
        this.#readings.shift();
        continue;
      }
      const decision = decide(errorS, this.#pause(), farForS, this.#after(), this.#bends);
      if (decision.action === "seek") {
        if (!this.#seek()) return true;
      } else if (decision.action === "bend" && !this.#mayBeNoise(errorS)) {
        const share = this.#mayBeLateReading(errorS) ? BELIEVED : 1;
        await this.#bend({ rate: decision.rate, forS: decision.forS * share }, alive);
      } else if (decision.action === "bend") {
        this.#fineTries = 0;
        this.#readings = [];
      } else {
        if (decision.action === "keep") this.#fineTries = 0;
        else napMs = Math.min(napMs, decision.forS * 1000 + 10);
        this.#readings.shift();
      }
    }
    return false;
  }

  /** Until so much has gone by, or something has come about. @param {number} ms */
  async #nap(ms) {
    /** @type {Promise<void>} */
    const woken = new Promise((resolve) => (this.#wake = resolve));
    await Promise.race([this.#parts.sleep(ms), woken]);
  }

  /** Whether the data have been missing for so long that they are waited for elsewhere. */
  #hungers() {
    const nowMs = performance.now();
    if (this.#parts.stalled()) {
      this.#stalledMs ??= nowMs;
      return nowMs - this.#stalledMs >= STALL_MS;
    }
    this.#stalledMs = null;
    if (this.#stalledSince) this.#begin("gap", this.#parts.audio.currentTime, null);
    this.#stalledSince = false;
    return false;
  }

  /**
   * It sounds from *fromS* on: what was measured before says nothing any more.
   * @param {After} after @param {number} fromS
   * @param {import("./lateness.js").Kind | null} lesson what the first error teaches
   */
  #begin(after, fromS, lesson) {
    this.startAfresh();
    this.#farSinceMs = null;
    this.#flowsFromS = fromS;
    this.#fresh = { after, atMs: performance.now() };
    this.#lesson = lesson;
  }

  /** @returns {After} */
  #after() {
    return performance.now() - this.#fresh.atMs < FRESH_MS ? this.#fresh.after : null;
  }

  /** @param {number} errorS */
  #mayBeNoise(errorS) {
    const again = this.#pace() === FINE && this.#fineTries < FINE_TRIES;
    return again && Math.abs(errorS) < NOISE_S;
  }

  /** Once it flows: an error that is less from reading to reading may be none. @param {number} errorS */
  #mayVanish(errorS) {
    return this.#pace() !== FINE && Math.abs(errorS) < SEEK_S && vanishes(this.#readings);
  }

  /** Once it flows, sound that seems a little late may be on time: see estimate. @param {number} errorS */
  #mayBeLateReading(errorS) {
    return this.#pace() === STEADY && errorS < 0 && errorS > -NOISE_S;
  }

  #pace() {
    if (this.#fineTries <= 0) return STEADY;
    return this.#unsure ? UNSURE : FINE;
  }

  /** The error, once there are readings enough to tell; null until then. */
  #measured() {
    const pace = this.#pace();
    const reading = this.#read();
    const last = this.#readings.at(-1);
    if (reading === null) {
      this.#measureAgain();
      return null;
    }
    if (pace === STEADY && last !== undefined && Math.abs(reading - last) > LEAP_S) {
      this.#measureAgain();
      // A hole that no event told of: a device that slept, say. A smaller one may be misread.
      if (Math.abs(reading - last) > SEEK_S) this.#fresh = { after: "gap", atMs: performance.now() };
      else this.#unsure = true;
    }
    this.#readings.push(reading);
    const far = this.#readings.length >= 2 && this.#readings.every((one) => Math.abs(one) > FAR_S);
    if (!far && this.#readings.length < this.#pace().readings) return null;
    this.errorS = estimate(this.#readings);
    if (this.#lesson) this.#parts.lateness.learn(this.#lesson, this.errorS);
    this.#lesson = null;
    return this.errorS;
  }

  /** Heard minus true, in seconds; null while the element does not tell the truth. */
  #read() {
    const { audio, positionS, stalled } = this.#parts;
    if (stalled() || audio.seeking) return null;
    const heardS = audio.currentTime;
    if (Math.abs(heardS - this.#flowsFromS) < FLOWING_S) return null;
    const position = positionS(performance.now());
    return position === null ? null : heardS - position;
  }

  #pause() {
    return this.#silences.next(this.#parts.audio.currentTime);
  }

  /** For how long it has been too far off to bend. @param {number} errorS */
  #farForS(errorS) {
    const nowMs = performance.now();
    if (Math.abs(errorS) < (this.#bends ? SEEK_S : UNBENT_SEEK_S)) this.#farSinceMs = null;
    else this.#farSinceMs ??= nowMs;
    return this.#farSinceMs === null ? 0 : (nowMs - this.#farSinceMs) / 1000;
  }

  /** @param {{ rate: number, forS: number }} plan @param {() => boolean} alive */
  async #bend({ rate, forS }, alive) {
    const { audio } = this.#parts;
    this.#fineTries -= 1;
    this.#unsure = false;
    this.#readings = [];
    audio.playbackRate = rate;
    await this.#nap(forS * 1000);
    if (!alive()) return;
    audio.playbackRate = 1;
    if (!this.#stalledSince) await this.#nap(SETTLE_MS);
  }

  /** Leap while it plays, aimed ahead by what a seek takes. False where the data are not here. */
  #seek() {
    const { audio, positionS, lateness } = this.#parts;
    const position = positionS(performance.now());
    if (position === null) return false;
    const aimS = position + lateness.of("seek");
    if (position < 0 || !isBuffered(audio, aimS)) return false;
    audio.currentTime = aimS;
    this.#begin("start", aimS, "seek");
    return true;
  }
}

/** @param {HTMLAudioElement} audio @param {number} atS */
function isBuffered({ buffered }, atS) {
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= atS && atS + BUFFERED_S <= buffered.end(index)) return true;
  }
  return false;
}
