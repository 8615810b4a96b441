/**
 * An <audio> element on a device whose time goes on only by `goOn`, for tests of what stands above
 * it: its sound comes late after play() and after a seek, and stops where its data do.
 */

const STEP_MS = 5;
const LATE_MS = { play: 50, seek: 70 };
/** A look at the clock takes a moment too, so that who waits for an instant by looking gets there. */
const LOOK_MS = 0.001;

export class Element extends EventTarget {
  nowMs = 0;
  paused = true;
  muted = false;
  ended = false;
  seeking = false;
  readyState = 4;
  duration = 7200;
  preservesPitch = true;
  buffered = { length: 1, start: () => 0, end: () => 7200 };
  /** Where the sound was set to each time. */
  seeks = [];
  rates = [];
  #rate = 1;
  #heardS = 0;
  #silentUntilMs = 0;
  #hungry = false;
  #sleepers = [];

  constructor() {
    super();
    performance.now = () => (this.nowMs += LOOK_MS);
    globalThis.HTMLMediaElement = { HAVE_FUTURE_DATA: 3 };
  }

  get currentTime() {
    return this.#heardS;
  }

  set currentTime(atS) {
    this.seeks.push(atS);
    this.#heardS = atS;
    if (!this.paused) this.#silentUntilMs = this.nowMs + LATE_MS.seek;
  }

  get playbackRate() {
    return this.#rate;
  }

  set playbackRate(rate) {
    this.#rate = rate;
    this.rates.push(rate);
  }

  async play() {
    this.paused = false;
    this.#silentUntilMs = this.nowMs + LATE_MS.play;
    this.dispatchEvent(new Event("play"));
    this.dispatchEvent(new Event("playing"));
  }

  pause() {
    this.paused = true;
    this.dispatchEvent(new Event("pause"));
  }

  /** The data stop, or are back. @param {boolean} missing */
  starve(missing) {
    this.#hungry = missing;
    this.readyState = missing ? 2 : 4;
    if (missing) return this.dispatchEvent(new Event("waiting"));
    this.dispatchEvent(new Event("canplay"));
    if (!this.paused) this.dispatchEvent(new Event("playing"));
  }

  /** The sound stands still unseen: no event tells of it. @param {number} ms */
  hole(ms) {
    this.#silentUntilMs = this.nowMs + ms;
  }

  get sounding() {
    return !this.paused && !this.#hungry && this.nowMs >= this.#silentUntilMs;
  }

  sleep = (ms) => new Promise((done) => this.#sleepers.push({ atMs: this.nowMs + ms, done }));

  /** So many seconds go by. @param {number} seconds @param {() => void} each in every moment */
  async goOn(seconds, each = () => {}) {
    for (const end = this.nowMs + seconds * 1000; this.nowMs < end; ) {
      if (this.sounding) this.#heardS += (STEP_MS / 1000) * this.#rate;
      this.nowMs += STEP_MS;
      const due = this.#sleepers.filter(({ atMs }) => atMs <= this.nowMs);
      this.#sleepers = this.#sleepers.filter(({ atMs }) => atMs > this.nowMs);
      for (const { done } of due) done();
      await new Promise((next) => setImmediate(next));
      each();
    }
  }
}
