/**
 * The sound: one <audio> element, fed by hls.js (or by the browser's own HLS where MediaSource is
 * missing), kept at the place that the clock says.
 *
 * It starts by a cue: the element is parked, paused, a little ahead of the film; its data are
 * waited for; then play() is called at the instant at which that place is due. So the first sound
 * that comes out is in sync already, and what is left (a few milliseconds) is bent away.
 */

import { cue, decide, estimate, learn } from "./sync.js";

/**
 * @typedef {"idle" | "cueing" | "waiting" | "playing" | "stalled" | "over"} State
 * idle: stopped by the listener. cueing: about to sound. waiting: armed, the film has not begun.
 * stalled: the data do not come. over: the track has ended.
 *
 * @typedef {object} Parts
 * @property {HTMLAudioElement} audio
 * @property {any} Hls the class of hls.js
 * @property {(deviceMs: number) => number | null} positionS where the track should be
 * @property {(ms: number) => Promise<void>} sleep
 * @property {(state: State) => void} onState
 * @property {(problem: "network" | "refused" | "media" | "blocked") => void} onProblem
 * @property {{ get(key: string): string | null, set(key: string, value: string): void }} memory
 */

/** Farther ahead than this the start is waited for in naps, since movie_start may change. */
const NAP_BEFORE_S = 3;
const NAP_MS = 1000;
/** The rest of a wait is spun: a timer's grain would be heard as an error. */
const SPIN_MS = 5;
const READY_TIMEOUT_MS = 8000;
/** `currentTime` is believed once so much has sounded: before, it stands or leaps. */
const FLOWING_S = 0.1;
const SETTLE_MS = 100;
/** After a start or a leap it is measured at once, and then over so many seconds (see estimate). */
const FINE = { tickMs: 50, readings: 6 };
const STEADY = { tickMs: 400, readings: 10 };
/** From one reading to the next: this is no noise, something happened. */
const LEAP_S = 0.03;
/** So often it may be corrected at once; what is left then is noise, and waits for the seconds. */
const FINE_TRIES = 3;
/**
 * From play() on a cued element until its media time runs, as measured in Chromium. Cold: the sound
 * device has to be opened. Armed: it is open already, by the silence of the wait. Warm: this element
 * has played before. Each device then learns its own.
 * @typedef {"cold" | "armed" | "warm"} Warmth
 * @type {Record<Warmth, number>}
 */
const LATE_S = { cold: 0.11, armed: 0.078, warm: 0.05 };
const UNTYPICAL_S = 0.2;
const LATE_KEY = "tell.start-late-s.";

const HLS_CONFIG = {
  // The policy allows no worker made from a blob.
  enableWorker: false,
  // hls.js given a whole film fetches ten minutes of it at once: 9.7 MB.
  maxBufferLength: 12,
  maxMaxBufferLength: 30,
  backBufferLength: 12,
  testBandwidth: false,
  // A cinema's network drops out: ask again soon, for long.
  fragLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 4000,
      maxLoadTimeMs: 20000,
      timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: { maxNumRetry: 6, retryDelayMs: 300, maxRetryDelayMs: 4000 },
    },
  },
};

export class Player {
  /** @type {Parts} */ #parts;
  /** @type {any} */ #hls = null;
  #loaded = false;
  #run = 0;
  /** @type {State} */ #state = "idle";
  /** @type {Record<Warmth, number>} */ #lateS;
  /** @type {Warmth} */ #warmth = "cold";
  #startedAtS = 0;
  #learning = false;
  #moved = false;
  /** Error of the last readings in seconds, positive ahead of the film; null while unknown. */
  errorS = /** @type {number | null} */ (null);

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const late = (/** @type {Warmth} */ warmth) => {
      const kept = Number.parseFloat(parts.memory.get(LATE_KEY + warmth) ?? "");
      return Number.isFinite(kept) ? kept : LATE_S[warmth];
    };
    this.#lateS = { cold: late("cold"), armed: late("armed"), warm: late("warm") };
    const { audio } = parts;
    // Bent rates are small and short, so their pitch may go with them: the stretcher that would
    // keep it swallows 20 ms each time that it begins (measured in Chromium).
    audio.preservesPitch = false;
    audio.addEventListener("ended", () => this.#ended());
    audio.addEventListener("waiting", () => {
      if (this.#state === "playing") this.#enter("stalled");
    });
    audio.addEventListener("playing", () => {
      if (this.#state === "stalled") this.#enter("playing");
    });
    // A call, or a pulled headphone, pauses it behind our back.
    audio.addEventListener("pause", () => {
      if (this.#state === "playing" && !audio.ended) this.stop();
    });
  }

  get state() {
    return this.#state;
  }

  get loaded() {
    return this.#loaded;
  }

  /**
   * Open the stream and buffer around where the film is. No sound, no tap needed.
   * @param {string} url the Multivariant Playlist
   */
  load(url) {
    this.unload();
    const { audio, Hls, positionS } = this.#parts;
    const atS = Math.max(0, positionS(performance.now()) ?? 0);
    this.#loaded = true;
    // Chromium claims to play HLS by itself and then ignores EXT-X-START: ask hls.js first.
    if (!Hls.isSupported()) {
      audio.src = url;
      audio.addEventListener("loadedmetadata", () => (audio.currentTime = atS), { once: true });
      return;
    }
    this.#hls = new Hls({ ...HLS_CONFIG, startPosition: atS });
    this.#hls.on(Hls.Events.ERROR, (/** @type {any} */ _, /** @type {any} */ data) =>
      this.#failed(data),
    );
    this.#hls.loadSource(url);
    this.#hls.attachMedia(audio);
  }

  unload() {
    this.#hls?.destroy();
    this.#hls = null;
    this.#loaded = false;
  }

  /**
   * Take the tap: after this, play() is allowed long after it, without another one. Not for a film
   * that runs: what is decoded here lies in the sound device, and would be the first thing heard.
   */
  bless() {
    const { audio } = this.#parts;
    if (audio.paused) {
      audio.play().catch(() => {});
      audio.pause();
    }
  }

  /** Be heard, in sync: now, or as soon as the track begins. */
  async start() {
    const run = ++this.#run;
    if (await this.#cueUp(run)) await this.#keepInSync(run);
  }

  /** The film was moved: what was measured against its old place says nothing any more. */
  filmMoved() {
    this.errorS = null;
    this.#moved = true;
  }

  stop() {
    this.#run += 1;
    this.#enter("idle");
    this.#rest();
  }

  #ended() {
    this.#run += 1;
    this.#rest();
    this.#enter("over");
  }

  #rest() {
    this.#parts.audio.pause();
    this.#parts.audio.playbackRate = 1;
    this.errorS = null;
  }

  /** @param {State} state */
  #enter(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#parts.onState(state);
  }

  /** Park, wait, play. False when stopped meanwhile. @param {number} run */
  async #cueUp(run) {
    const { audio, positionS, sleep } = this.#parts;
    this.#enter("cueing");
    for (let attempt = 0; run === this.#run; ) {
      const nowMs = performance.now();
      const position = positionS(nowMs);
      if (position === null) {
        await sleep(50);
        continue;
      }
      if (Number.isFinite(audio.duration) && position >= audio.duration) {
        this.#ended();
        return false;
      }
      const { targetS, inS } = cue(position, attempt);
      if (inS > NAP_BEFORE_S) {
        this.#enter("waiting");
        if (this.#warmth === "cold") this.#warmth = "armed";
        await sleep(Math.min(NAP_MS, (inS - NAP_BEFORE_S) * 1000 + SPIN_MS));
        continue;
      }
      const playAtMs = nowMs + (inS - this.#lateS[this.#warmth]) * 1000;
      this.#rest();
      audio.currentTime = targetS;
      const ready = await this.#ready(playAtMs - performance.now());
      if (run !== this.#run) return false;
      if (!ready || performance.now() > playAtMs) {
        // Too late for this place: let its data come, then take a later one, near enough to be
        // in the same buffer.
        if (!ready && !(await this.#ready(READY_TIMEOUT_MS))) this.#parts.onProblem("network");
        attempt += 1;
        continue;
      }
      await this.#until(playAtMs);
      if (run !== this.#run) return false;
      return this.#play(run);
    }
    return false;
  }

  /** @param {number} run */
  async #play(run) {
    this.#startedAtS = this.#parts.audio.currentTime;
    this.#learning = true;
    try {
      await this.#parts.audio.play();
    } catch (error) {
      if (run !== this.#run) return false;
      if (/** @type {Error} */ (error).name === "NotAllowedError") {
        this.stop();
        this.#parts.onProblem("blocked");
        return false;
      }
      throw error;
    }
    if (run !== this.#run) return false;
    this.#enter("playing");
    return true;
  }

  /** Whether the parked place can sound, waiting at most *ms*. @param {number} ms */
  #ready(ms) {
    const { audio, sleep } = this.#parts;
    const can = () => !audio.seeking && audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    if (can()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const finish = (/** @type {boolean} */ value) => {
        for (const name of ["seeked", "canplay"]) audio.removeEventListener(name, check);
        resolve(value);
      };
      const check = () => can() && finish(true);
      for (const name of ["seeked", "canplay"]) audio.addEventListener(name, check);
      sleep(Math.max(0, ms)).then(() => finish(can()));
    });
  }

  /** @param {number} deviceMs */
  async #until(deviceMs) {
    const rest = deviceMs - performance.now() - SPIN_MS;
    if (rest > 0) await this.#parts.sleep(rest);
    while (performance.now() < deviceMs);
  }

  /** @param {number} run */
  async #keepInSync(run) {
    const { audio, sleep } = this.#parts;
    /** @type {number[]} */
    let readings = [];
    let fineTries = FINE_TRIES;
    while (run === this.#run) {
      const pace = fineTries > 0 ? FINE : STEADY;
      await sleep(pace.tickMs);
      if (run !== this.#run) return;
      if (this.#moved) {
        this.#moved = false;
        readings = [];
        fineTries = FINE_TRIES;
      }
      const reading = this.#read();
      const leap = pace === STEADY && Math.abs((reading ?? 0) - (readings.at(-1) ?? 0)) > LEAP_S;
      if (reading === null || leap) {
        readings = [];
        fineTries = FINE_TRIES;
        continue;
      }
      readings.push(reading);
      if (readings.length < pace.readings) continue;
      this.errorS = estimate(readings);
      if (this.#learning) this.#learn(this.errorS);
      const decision = decide(this.errorS);
      if (decision.action === "keep") {
        fineTries = 0;
        readings.shift();
        continue;
      }
      fineTries -= 1;
      readings = [];
      if (decision.action === "recue") {
        if (!(await this.#cueUp(run))) return;
      } else {
        audio.playbackRate = decision.rate;
        await sleep(decision.forS * 1000);
        if (run !== this.#run) return;
        audio.playbackRate = 1;
        await sleep(SETTLE_MS);
      }
    }
  }

  /** Heard minus true, in seconds; null while the element does not tell the truth. */
  #read() {
    const { audio, positionS } = this.#parts;
    if (this.#state !== "playing" || audio.seeking) return null;
    if (audio.currentTime - this.#startedAtS < FLOWING_S) return null;
    const heardS = audio.currentTime;
    const position = positionS(performance.now());
    return position === null ? null : heardS - position;
  }

  /** Late is negative error: the next start calls play() earlier by part of it. */
  #learn(/** @type {number} */ error) {
    const warmth = this.#warmth;
    this.#learning = false;
    this.#warmth = "warm";
    if (Math.abs(error) > UNTYPICAL_S) return;
    this.#lateS[warmth] = learn(this.#lateS[warmth], -error);
    this.#parts.memory.set(LATE_KEY + warmth, this.#lateS[warmth].toFixed(4));
  }

  #failed(/** @type {any} */ data) {
    if (!data.fatal) return;
    const { Hls, onProblem, sleep } = this.#parts;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
      this.#hls.recoverMediaError();
      onProblem("media");
      return;
    }
    const status = data.response?.code ?? 0;
    if ([401, 403, 404, 410].includes(status)) {
      this.#loaded = false;
      onProblem("refused");
      return;
    }
    onProblem("network");
    const hls = this.#hls;
    sleep(2000).then(() => hls === this.#hls && hls?.startLoad(-1));
  }
}
