/**
 * Two <audio> elements that look like one, so that the sound can go over from one source to another
 * unheard: the second plays the new source beside the first, hushed, until both are level; then the
 * one is silenced and the other heard. Whoever steers the sound sees an element whose place goes on.
 */

import { distance, level } from "./handover.js";

/** @typedef {import("./stream.js").Source} Source */

/** -60 dB: unheard under the same sound. Muted would be free to render nothing, and then late. */
const HUSHED = 0.001;
const READY_MS = 15_000;
/** How far ahead the newcomer is parked: time for the seek, and for its data. */
const LEAD_S = 0.6;
/** From play() until the media time runs, to begin with. */
const LATE_S = 0.08;
const SETTLE_MS = 250;
const READINGS = 9;
const READ_EVERY_MS = 20;
const ROUNDS = 14;
/** While nothing sounds: an element that does not take the place it is put to is left so. */
const LOOKS = 3;
const SAME_S = 0.001;
/** Both are heard for no longer than this: the silenced one is let go once that has taken effect. */
const LET_GO_MS = 100;

const EVENTS = [
  "canplay", "ended", "error", "loadedmetadata", "pause", "play", "playing", "ratechange", "seeked",
  "seeking", "stalled", "timeupdate", "waiting",
];

export class Deck extends EventTarget {
  #active;
  #spare;
  #sleep;
  /** @type {Source | null} */ #source = null;
  #run = 0;
  #rate = 1;
  /** How much faster the newcomer plays than what is heard; null while there is none. @type {number | null} */
  #bend = null;
  /** Until the element that was silenced is free for the next one. */ #lettingGo = Promise.resolve();

  /**
   * @param {HTMLAudioElement} first the page's own
   * @param {HTMLAudioElement} second
   * @param {(ms: number) => Promise<void>} sleep
   */
  constructor(first, second, sleep) {
    super();
    this.#active = first;
    this.#spare = second;
    this.#sleep = sleep;
    for (const element of [first, second]) {
      for (const name of EVENTS) {
        element.addEventListener(name, () => {
          if (element === this.#active) this.dispatchEvent(new Event(name));
        });
      }
    }
  }

  /** What the sound comes from, null where nothing is open. */
  get source() {
    return this.#source;
  }

  /**
   * A source as the player takes it: what it opens goes to the element that is heard, and may be
   * handed over later.
   * @param {Source} source
   * @returns {Source}
   */
  holding(source) {
    const deck = this;
    return {
      get kind() {
        return deck.#source?.kind ?? source.kind;
      },
      get playing() {
        return (deck.#source ?? source).playing;
      },
      attach: (_, positionS) => this.#open(source, positionS),
      detach: () => this.#close(),
    };
  }

  /** @param {Source} source @param {number} positionS */
  #open(source, positionS) {
    this.#close();
    this.#source = source;
    this.#active.dataset.source = source.kind;
    source.attach(this.#active, positionS);
  }

  #close() {
    this.#run += 1;
    this.#bend = null;
    this.#source?.detach();
    this.#source = null;
  }

  /**
   * Go over to another source of the same track, without a gap. False where it was not to be: its
   * data did not come, something else was opened meanwhile, or the two could not be made level.
   * What was heard goes on then as before.
   * @param {Source} source
   * @returns {Promise<boolean>}
   */
  async handOver(source) {
    const run = ++this.#run;
    const alive = () => run === this.#run;
    await this.#lettingGo;
    if (!alive()) return false;
    const [from, to] = [this.#active, this.#spare];
    hush(to, true);
    this.#bend = 1;
    source.attach(to, from.currentTime);
    let done = (await this.#ready(to)) && alive();
    let looks = 0;
    // Between the last look and the change she may press, or be led to another place.
    const changed = () =>
      from.paused !== to.paused || (from.paused && !samePlace(from, to) && looks < LOOKS);
    do {
      looks += 1;
      done = done && (await this.#comeLevel(from, to, alive));
    } while (done && alive() && changed());
    if (!done || !alive()) {
      if (alive()) this.#bend = null;
      to.pause();
      source.detach();
      hush(to, false);
      return false;
    }
    this.#swap(from, to, source);
    return true;
  }

  /**
   * Play hushed until both are at one place. @param {HTMLAudioElement} from
   * @param {HTMLAudioElement} to @param {() => boolean} alive
   */
  async #comeLevel(from, to, alive) {
    let lateS = LATE_S;
    let started = false;
    for (let round = 0; round < ROUNDS && alive(); round += 1) {
      if (from.paused) {
        // Nothing sounds, so nothing can jump.
        to.pause();
        to.currentTime = from.currentTime;
        started = false;
        if (!(await this.#ready(to))) return false;
        if (from.paused) return true;
        continue;
      }
      if (!started) started = await this.#startBeside(from, to, lateS);
      if (!started) return false;
      await this.#sleep(SETTLE_MS);
      const aheadS = await this.#measure(from, to);
      if (from.paused) continue;
      const decision = level(aheadS, round);
      if (decision.action === "swap") return true;
      if (decision.action === "bend") {
        this.#bendNewcomer(to, decision.rate);
        await this.#sleep(decision.forS * 1000);
        this.#bendNewcomer(to, 1);
      } else {
        lateS = Math.min(LEAD_S, Math.max(0, lateS - aheadS));
        to.pause();
        started = false;
      }
    }
    return false;
  }

  /**
   * @param {HTMLAudioElement} from @param {HTMLAudioElement} to
   * @param {number} lateS
   */
  async #startBeside(from, to, lateS) {
    const targetS = from.currentTime + LEAD_S;
    this.#bendNewcomer(to, 1);
    to.currentTime = targetS;
    if (!(await this.#ready(to))) return false;
    await this.#sleep(Math.max(0, targetS - lateS - from.currentTime) * 1000);
    try {
      await to.play();
    } catch {
      // A browser that wants a tap for each element: then it stays with the first.
      return false;
    }
    return true;
  }

  /** @param {HTMLAudioElement} to @param {number} bend */
  #bendNewcomer(to, bend) {
    this.#bend = bend;
    to.playbackRate = this.#rate * bend;
  }

  /** @param {HTMLAudioElement} from @param {HTMLAudioElement} to */
  async #measure(from, to) {
    const readings = [];
    for (let count = 0; count < READINGS; count += 1) {
      readings.push(to.currentTime - from.currentTime);
      await this.#sleep(READ_EVERY_MS);
    }
    return distance(readings);
  }

  /** @param {HTMLAudioElement} from @param {HTMLAudioElement} to @param {Source} source */
  #swap(from, to, source) {
    const old = this.#source;
    hush(to, false);
    hush(from, true);
    this.#active = to;
    this.#spare = from;
    this.#bend = null;
    this.#source = source;
    // The one that is heard carries the name by which it is known.
    [from.id, to.id] = [to.id, from.id];
    to.dataset.source = source.kind;
    this.#lettingGo = this.#sleep(LET_GO_MS).then(() => {
      if (from !== this.#spare) return;
      from.pause();
      old?.detach();
      hush(from, false);
    });
  }

  /** Whether its place can sound, waiting at most READY_MS. @param {HTMLAudioElement} audio */
  #ready(audio) {
    const can = () => !audio.seeking && audio.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    if (can()) return Promise.resolve(true);
    return new Promise((/** @type {(value: boolean) => void} */ resolve) => {
      const names = ["seeked", "canplay", "error"];
      const finish = () => {
        for (const name of names) audio.removeEventListener(name, check);
        resolve(can());
      };
      const check = () => (can() || audio.error) && finish();
      for (const name of names) audio.addEventListener(name, check);
      this.#sleep(READY_MS).then(finish);
    });
  }

  // What follows is the element's own, as far as a player needs it.

  async play() {
    // A tap opens both: some browsers want one for each element (WebKit).
    if (this.#spare.paused && this.#spare.src === "") {
      this.#spare.play().catch(() => {});
      this.#spare.pause();
    }
    await this.#active.play();
  }

  pause() {
    this.#active.pause();
  }

  get muted() {
    return this.#active.muted;
  }

  set muted(on) {
    this.#active.muted = on;
    // The other one may be hushed, and stays so.
    if (this.#spare.src === "") this.#spare.muted = on;
  }

  get paused() {
    return this.#active.paused;
  }

  get ended() {
    return this.#active.ended;
  }

  get seeking() {
    return this.#active.seeking;
  }

  get readyState() {
    return this.#active.readyState;
  }

  get duration() {
    return this.#active.duration;
  }

  get buffered() {
    return this.#active.buffered;
  }

  get currentTime() {
    return this.#active.currentTime;
  }

  set currentTime(seconds) {
    this.#active.currentTime = seconds;
  }

  get playbackRate() {
    return this.#active.playbackRate;
  }

  set playbackRate(rate) {
    this.#rate = rate;
    this.#active.playbackRate = rate;
    // A newcomer that kept another rate would carry it over, and leave the film with it.
    if (this.#bend !== null) this.#spare.playbackRate = rate * this.#bend;
  }

  get preservesPitch() {
    return this.#active.preservesPitch;
  }

  set preservesPitch(on) {
    this.#active.preservesPitch = on;
    this.#spare.preservesPitch = on;
  }
}

/** @param {HTMLAudioElement} one @param {HTMLAudioElement} other */
function samePlace(one, other) {
  return Math.abs(one.currentTime - other.currentTime) < SAME_S;
}

/** Make it unheard, and heard again. @param {HTMLAudioElement} audio @param {boolean} on */
function hush(audio, on) {
  audio.volume = on ? HUSHED : 1;
  // Where the volume is the system's alone (iOS), there is only this.
  audio.muted = on && audio.volume > HUSHED * 2;
}
