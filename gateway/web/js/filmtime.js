/**
 * Where the film of a ticket is now: Tell's clock, the ticket's times, and what she has set herself
 * (adjustments.js), in one place. Everything is counted from absolute time.
 */

import { moved, offsetS, phaseAt, startOf, timesOf, trackPositionS } from "./timeline.js";

export class FilmTime {
  #clock;
  #adjustments;
  #ticket;
  /** Tell's clock as the ticket's answer told it: for words, until the exchanges are done. */
  #roughOffsetMs = 0;
  /** Where the track's zero lies on the film's time, in seconds. */
  trackOffsetS = 0;
  /** @type {import("./timeline.js").Times} */ times;

  /**
   * @param {import("./clock.js").Clock} clock
   * @param {import("./adjustments.js").Adjustments} adjustments
   * @param {Record<string, any>} ticket enriched
   */
  constructor(clock, adjustments, ticket) {
    this.#clock = clock;
    this.#adjustments = adjustments;
    this.#ticket = ticket;
    this.times = /** @type {import("./timeline.js").Times} */ (timesOf(ticket));
    this.#roughOffsetMs = roughly(ticket);
    this.take(ticket);
  }

  /**
   * Take over what Tell says, or what she has set.
   * @param {Record<string, any>} ticket
   * @returns {{ moved: boolean, fell: boolean }} whether the film lies elsewhere now, and whether
   *   her own word on its start fell
   */
  take(ticket) {
    if (ticket !== this.#ticket) this.#roughOffsetMs = roughly(ticket);
    this.#ticket = ticket;
    const times = timesOf(ticket);
    if (times === null) return { moved: false, fell: false };
    const fell = this.#adjustments.follow(this.start);
    const before = this.times.movieStartMs;
    this.times = moved(times, this.#adjustments.startMs(this.start));
    return { moved: this.times.movieStartMs !== before, fell };
  }

  /** What Tell knows of the film's start. */
  get start() {
    return startOf(this.#ticket);
  }

  /** Whose word the start is. @returns {"schedule" | "own" | "told"} */
  get startFrom() {
    if (this.#adjustments.own) return "own";
    return this.start.source === "schedule" ? "schedule" : "told";
  }

  /** Tell's time now, epoch milliseconds, as well as it is known. */
  nowMs() {
    const deviceMs = performance.now();
    return this.#clock.tellMs(deviceMs) ?? deviceMs + this.#roughOffsetMs;
  }

  get phase() {
    return phaseAt(this.times, this.nowMs());
  }

  /**
   * Second of the track that should be played at a device time, so as to be heard in time; null
   * while the clock is unknown.
   * @param {number} deviceMs
   */
  positionS(deviceMs) {
    const nowMs = this.#clock.tellMs(deviceMs);
    if (nowMs !== null) return this.#trackS(nowMs);
    // Her own mark was set by the same rough clock, so they fit each other.
    return this.#adjustments.own ? this.#trackS(deviceMs + this.#roughOffsetMs) : null;
  }

  /** The same now, as well as it is known. */
  roughPositionS() {
    return this.#trackS(this.nowMs());
  }

  /** How long until the track begins; most begin with the film, some later. */
  untilSoundMs() {
    return Math.max(0, -this.roughPositionS() * 1000);
  }

  #trackS(/** @type {number} */ nowMs) {
    const filmS = offsetS(this.times, nowMs) + this.#adjustments.trimMs / 1000;
    return trackPositionS(filmS, this.trackOffsetS);
  }
}

/** @param {Record<string, any>} ticket */
function roughly(ticket) {
  return Date.parse(ticket.server_time) - performance.now();
}
