/**
 * The sound: one <audio> element, fed by a source (stream.js, or a downloaded file), kept at the
 * place that the clock says (steering.js).
 *
 * It starts by a cue: the element is parked, paused, a little ahead of the film; its data are
 * waited for; then play() is called at the instant at which that place is due. So the first sound
 * that comes out is in sync already, and what is left (a few milliseconds) is bent away.
 */

import { Lateness } from "./lateness.js";
import { Silences } from "./silences.js";
import { Steering } from "./steering.js";
import { cue } from "./sync.js";

/**
 * @typedef {"idle" | "cueing" | "waiting" | "playing" | "stalled" | "interrupted" | "over"} State
 * idle: stopped by the listener. cueing: about to sound. waiting: armed, the film has not begun.
 * stalled: the data do not come. interrupted: paused from outside, by a call or an earphone that
 * was pulled; it goes on when whoever paused it plays it again. over: the track has ended.
 *
 * @typedef {object} Parts
 * @property {HTMLAudioElement} audio
 * @property {(deviceMs: number) => number | null} positionS where the track should be
 * @property {(ms: number) => Promise<void>} sleep
 * @property {(state: State) => void} onState
 * @property {(problem: import("./stream.js").SourceProblem | "blocked" | "clock") => void} onProblem
 * @property {{ get(key: string): string | null, set(key: string, value: string): void }} memory
 * @property {boolean} [bends] false where each write of playbackRate is heard
 */

/** Farther ahead than this the start is waited for in naps, since movie_start may change. */
const NAP_BEFORE_S = 3;
const NAP_MS = 1000;
/** The rest of a wait is spun: a timer's grain would be heard as an error. */
const SPIN_MS = 5;
const READY_TIMEOUT_MS = 8000;
const CLOCK_MS = 50;
/** Without Tell's time nothing can begin; after so long she is told. */
const CLOCK_PATIENCE_MS = 3000;

export class Player {
  #parts;
  #lateness;
  #steering;
  /** @type {import("./stream.js").Source | null} */ #source = null;
  #run = 0;
  /** @type {State} */ #state = "idle";
  /** @type {import("./lateness.js").Kind} */ #kind = "cold";
  /** What we did ourselves, until its event has come. */
  #ours = { play: false, pause: false };
  /** How often the data have been waited for since the sound was begun by a tap. */
  rebuffers = 0;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    const { audio, positionS, sleep, memory, bends } = parts;
    this.#lateness = new Lateness(memory);
    this.#steering = new Steering(
      {
        audio,
        positionS,
        sleep,
        lateness: this.#lateness,
        stalled: () => this.#state === "stalled",
        bends,
      },
      new Silences(null),
    );
    // Bent rates are small and short, so their pitch may go with them: the stretcher that would
    // keep it swallows 20 ms each time that it begins (measured in Chromium).
    audio.preservesPitch = false;
    audio.addEventListener("ended", () => this.#ended());
    audio.addEventListener("waiting", () => {
      // A seek waits too, for a moment.
      if (this.#state !== "playing" || audio.seeking) return;
      this.rebuffers += 1;
      this.#enter("stalled");
      this.#steering.look();
    });
    audio.addEventListener("playing", () => {
      if (this.#state !== "stalled") return;
      this.#enter("playing");
      this.#steering.look();
    });
    audio.addEventListener("pause", () => this.#paused());
    audio.addEventListener("play", () => this.#played());
  }

  get state() {
    return this.#state;
  }

  get loaded() {
    return this.#source !== null;
  }

  /** What the sound comes from, null where nothing is open. */
  get source() {
    return this.#source;
  }

  /** Heard minus true in seconds, positive ahead of the film; null while unknown. */
  get errorS() {
    return this.#steering.errorS;
  }

  /**
   * Open a source around where the film is. No sound, no tap needed.
   * @param {import("./stream.js").Source} source @param {number} positionS second of the track
   */
  load(source, positionS) {
    this.unload();
    this.#source = source;
    source.attach(this.#parts.audio, Math.max(0, positionS));
  }

  unload() {
    this.#source?.detach();
    this.#source = null;
  }

  /** The narrator's pauses of the track, once they are known. @param {Silences} silences */
  useSilences(silences) {
    this.#steering.use(silences);
  }

  /**
   * Take the tap: after this, play() is allowed long after it, without another one. Not for a film
   * that runs: what is decoded here lies in the sound device, and would be the first thing heard. A
   * browser that wants the tap itself for each element (WebKit) gets it *muted* then.
   */
  bless(muted = false) {
    const { audio } = this.#parts;
    if (!audio.paused) return;
    audio.muted = muted;
    this.#ours.play = true;
    audio.play().catch(() => {});
    // Refused: then there is no event to come.
    if (audio.paused) this.#ours.play = false;
    this.#pause();
    audio.muted = false;
  }

  /** Be heard, in sync: now, or as soon as the track begins. */
  async start() {
    const run = ++this.#run;
    const alive = () => run === this.#run;
    this.#enter("cueing");
    while (await this.#cueUp(alive)) {
      const kind = this.#kind;
      this.#kind = "warm";
      const again = await this.#steering.run(alive, this.#parts.audio.currentTime, kind);
      if (!again) return;
    }
  }

  /** The film was moved, or her own setting: what was measured before says nothing any more. */
  filmMoved() {
    this.#steering.startAfresh();
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
    this.#pause();
    if (this.#parts.audio.playbackRate !== 1) this.#parts.audio.playbackRate = 1;
    this.#steering.startAfresh();
  }

  #pause() {
    const { audio } = this.#parts;
    if (audio.paused) return;
    this.#ours.pause = true;
    audio.pause();
  }

  #paused() {
    const ours = this.#ours.pause;
    this.#ours.pause = false;
    if (ours || this.#parts.audio.ended) return;
    if (this.#state !== "playing" && this.#state !== "stalled") return;
    this.#run += 1;
    this.#rest();
    this.#enter("interrupted");
  }

  #played() {
    const ours = this.#ours.play;
    this.#ours.play = false;
    // The call is over, or the earphone's button was pressed: the film went on meanwhile.
    if (!ours && this.#state === "interrupted") this.start();
  }

  /** @param {State} state */
  #enter(state) {
    if (this.#state === state) return;
    this.#state = state;
    this.#parts.onState(state);
  }

  /** Park, wait, play. False when stopped meanwhile. @param {() => boolean} alive */
  async #cueUp(alive) {
    const { audio, positionS, sleep } = this.#parts;
    let waitedMs = 0;
    for (let attempt = 0; alive(); ) {
      const nowMs = performance.now();
      const position = positionS(nowMs);
      if (position === null) {
        waitedMs += CLOCK_MS;
        if (waitedMs === CLOCK_PATIENCE_MS) this.#parts.onProblem("clock");
        await sleep(CLOCK_MS);
        continue;
      }
      if (Number.isFinite(audio.duration) && position >= audio.duration) {
        this.#ended();
        return false;
      }
      const { targetS, inS } = cue(position, attempt);
      if (inS > NAP_BEFORE_S) {
        this.#rest();
        this.#enter("waiting");
        if (this.#kind === "cold") this.#kind = "armed";
        await sleep(Math.min(NAP_MS, (inS - NAP_BEFORE_S) * 1000 + SPIN_MS));
        continue;
      }
      const playAtMs = nowMs + (inS - this.#lateness.of(this.#kind)) * 1000;
      this.#rest();
      audio.currentTime = targetS;
      const ready = await this.#ready(playAtMs - performance.now());
      if (!alive()) return false;
      if (!ready || performance.now() > playAtMs) {
        // Too late for this place: let its data come, then take a later one, near enough to be
        // in the same buffer.
        if (!ready && !(await this.#ready(READY_TIMEOUT_MS)) && alive()) {
          this.#parts.onProblem("network");
        }
        attempt += 1;
        continue;
      }
      await this.#until(playAtMs);
      if (!alive()) return false;
      return this.#play(alive);
    }
    return false;
  }

  /** @param {() => boolean} alive */
  async #play(alive) {
    this.#ours.play = true;
    try {
      await this.#parts.audio.play();
    } catch (error) {
      this.#ours.play = false;
      if (!alive()) return false;
      const { name } = /** @type {Error} */ (error);
      if (name === "NotAllowedError") {
        this.stop();
        this.#parts.onProblem("blocked");
      } else if (name === "AbortError") {
        // Paused from outside in the very moment of its start.
        this.#run += 1;
        this.#rest();
        this.#enter("interrupted");
      } else {
        throw error;
      }
      return false;
    }
    if (!alive()) return false;
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
}
