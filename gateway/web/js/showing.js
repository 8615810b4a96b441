/**
 * One ticket on the screen: its times, its grant, its clock, its sound. It decides what is said;
 * the player decides what is heard.
 */

import { ApiError } from "./api.js";
import { read } from "./clock.js";
import * as mediaSession from "./mediasession.js";
import { offsetS, phaseAt, screenOf, timesOf, trackPositionS } from "./timeline.js";

const POLL_MS = 30_000;
const CLOCK_EVERY_MS = 30_000;
const BURST = 8;
/** From here on the sound is opened before she presses, so that it is there when she does. */
const PREPARE_BEFORE_MS = 10 * 60_000;
const RETRY_MS = 3000;
const REFUSALS = 3;
/** Below this, with the clock's bound counted against us, the app says "in sync". */
const SYNCED_MS = 40;

/**
 * @typedef {object} Parts
 * @property {import("./api.js").Api} api
 * @property {import("./clock.js").Clock} clock
 * @property {import("./player.js").Player} player
 * @property {import("./silence.js").Silence} silence
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./screens.js").TicketScreen} screen
 * @property {(ticket: Record<string, any>) => void} onOtherScreen the ticket left this screen
 * @property {(error: ApiError) => void} onLost Tell no longer shows this ticket to this listener
 */

export class Showing {
  #parts;
  #ticket;
  #times;
  /** Tell's clock as the ticket's answer told it: for words, until the exchanges are done. */
  #roughOffsetMs = 0;
  #trackOffsetS = 0;
  /** What to say instead of what the phase would say. @type {string | null} */ #notice = null;
  #noticeId = "";
  #opening = /** @type {Promise<void> | null} */ (null);
  #wanted = false;
  #refusals = 0;
  #lastPollMs = 0;
  #lastClockMs = -Infinity;
  #closed = false;
  #exchanging = false;
  /** @type {ReturnType<typeof setInterval>} */ #timer;

  /** @param {Parts} parts @param {Record<string, any>} ticket enriched */
  constructor(parts, ticket) {
    this.#parts = parts;
    this.#ticket = ticket;
    this.#times = /** @type {import("./timeline.js").Times} */ (timesOf(ticket));
    this.#take(ticket);
    this.#lastPollMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), 1000);
    mediaSession.describe({
      title: ticket.title ?? "",
      theater: ticket.theater_name ?? "",
      poster: ticket.poster_url,
    });
    this.#tick();
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#parts.silence.stop();
    this.#parts.player.stop();
    this.#parts.player.unload();
    mediaSession.state(false);
  }

  /** Second of the track that should sound at a device time; null while the clock is unknown. */
  positionS(/** @type {number} */ deviceMs) {
    const nowMs = this.#parts.clock.tellMs(deviceMs);
    return nowMs === null ? null : trackPositionS(offsetS(this.#times, nowMs), this.#trackOffsetS);
  }

  /** The one button, the earphone's button, the lock screen. Called from within the gesture. */
  press() {
    if (this.#wanted) this.#stop();
    else this.#listen();
  }

  play() {
    if (!this.#wanted) this.#listen();
  }

  pause() {
    if (this.#wanted) this.#stop();
  }

  /** The page came back, or the network did: nothing known is to be trusted. */
  wake() {
    this.#lastClockMs = -Infinity;
    this.#lastPollMs = -Infinity;
    this.#tick();
  }

  /** @param {import("./player.js").State} state */
  playerChanged(state) {
    const { announcer, silence, messages } = this.#parts;
    if (state === "playing" || state === "waiting") this.#notice = null;
    if (state === "playing") {
      silence.stop();
      this.#refusals = 0;
      announcer.say(this.#playingText());
    } else if (state === "waiting") {
      announcer.say(messages.text("announce.waiting", { span: this.#untilSound() }));
    } else if (state === "over" || (state === "idle" && this.#wanted)) {
      // Ended, or paused from outside: by a call, or by an earphone that was pulled.
      this.#wanted = false;
      silence.stop();
      this.#note(state === "over" ? "status.over" : "status.stopped");
    }
    mediaSession.state(this.#wanted);
    this.#render();
  }

  /** @param {"network" | "refused" | "media" | "blocked"} problem */
  playerFailed(problem) {
    if (problem === "network") this.#note("status.offline");
    if (problem === "blocked") this.#note("status.blocked");
    if (problem === "refused") {
      this.#refusals += 1;
      if (this.#refusals > REFUSALS) this.#giveUp("");
      else if (this.#wanted) this.#openThenStart();
    }
  }

  #listen() {
    const { player, silence, announcer } = this.#parts;
    this.#wanted = true;
    this.#notice = null;
    announcer.forget();
    if (this.#nowMs() < this.#times.movieStartMs) {
      silence.start();
      player.bless();
    }
    mediaSession.state(true);
    this.#openThenStart();
    this.#render();
  }

  #stop() {
    this.#wanted = false;
    this.#parts.silence.stop();
    this.#parts.player.stop();
    mediaSession.state(false);
    this.#note("status.stopped");
  }

  async #openThenStart() {
    try {
      if (!this.#parts.player.loaded) await this.#open();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#wanted && !this.#closed) this.#refused(error);
      return;
    }
    if (this.#wanted && !this.#closed) await this.#parts.player.start();
  }

  /** Get the grant and open its stream, once at a time. */
  #open() {
    this.#opening ??= (async () => {
      const { api, player } = this.#parts;
      const grant = await api.grant(this.#ticket.movie_id, this.#ticket.correlation_id);
      if (this.#closed) return;
      this.#trackOffsetS = grant.track_offset_s;
      await this.#exchange();
      if (!this.#closed) player.load(grant.hls);
    })().finally(() => (this.#opening = null));
    return this.#opening;
  }

  /** @param {ApiError} error of the grant */
  #refused(error) {
    const { onOtherScreen, onLost } = this.#parts;
    switch (error.code) {
      case "not-described":
        return onOtherScreen({ ...this.#ticket, described: false });
      case "screening-cancelled":
        return onOtherScreen({ ...this.#ticket, phase: "cancelled" });
      case "screening-ended":
        return onOtherScreen({ ...this.#ticket, credits_end: this.#ticket.movie_start });
      case "token-refused":
      case "not-found":
        return onLost(error);
      case "network":
        this.#note("status.offline");
        setTimeout(() => this.#wanted && !this.#closed && this.#openThenStart(), RETRY_MS);
        return;
      default:
        this.#giveUp(error.correlationId);
    }
  }

  #giveUp(/** @type {string} */ id) {
    this.#wanted = false;
    this.#noticeId = id || this.#ticket.correlation_id;
    this.#parts.silence.stop();
    this.#parts.player.stop();
    this.#note("status.failed");
  }

  #tick() {
    const nowMs = performance.now();
    if (nowMs - this.#lastPollMs >= POLL_MS) this.#poll();
    if (nowMs - this.#lastClockMs >= CLOCK_EVERY_MS) this.#exchange();
    const { player } = this.#parts;
    const soon = this.#times.movieStartMs - this.#nowMs() < PREPARE_BEFORE_MS;
    // @ts-expect-error saveData is not in every browser (Network Information API)
    const thrifty = navigator.connection?.saveData === true;
    if (soon && !thrifty && !player.loaded && !this.#opening && this.#refusals === 0) {
      // Unasked, so that the press is answered at once; what fails here is said at the press.
      this.#open().catch(() => (this.#refusals += 1));
    }
    if (screenOf(this.#ticket, this.#nowMs()) !== "showing" && !this.#wanted) {
      this.#parts.onOtherScreen(this.#ticket);
      return;
    }
    this.#render();
  }

  async #poll() {
    this.#lastPollMs = performance.now();
    const { api, onLost, onOtherScreen } = this.#parts;
    try {
      const ticket = await api.ticket(this.#ticket.correlation_id);
      if (this.#closed) return;
      this.#take(ticket);
      const screen = screenOf(ticket, this.#nowMs());
      if (screen !== "showing" && !(screen === "ended" && this.#wanted)) onOtherScreen(ticket);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What plays goes on without the network; a ticket that is gone does not.
      if (!this.#closed && [401, 404].includes(error.status)) onLost(error);
    }
  }

  /** @param {Record<string, any>} ticket */
  #take(ticket) {
    const before = this.#times.movieStartMs;
    this.#ticket = ticket;
    this.#times = timesOf(ticket) ?? this.#times;
    if (this.#times.movieStartMs !== before) this.#parts.player.filmMoved();
    this.#roughOffsetMs = Date.parse(ticket.server_time) - performance.now();
  }

  /** A burst of exchanges; of these the lowest round trip counts (clock.js). */
  async #exchange() {
    if (this.#exchanging) return;
    this.#exchanging = true;
    this.#lastClockMs = performance.now();
    const { api, clock } = this.#parts;
    try {
      for (let count = 0; count < BURST && !this.#closed; count += 1) {
        clock.add(read(await api.time()));
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // Tried again soon while nothing is known, and else in good time: the bound grows meanwhile.
      const known = clock.estimate(performance.now()) !== null;
      this.#lastClockMs = performance.now() - (known ? CLOCK_EVERY_MS / 2 : CLOCK_EVERY_MS - 2000);
    } finally {
      this.#exchanging = false;
      // The browser keeps 250 entries and then no more.
      performance.clearResourceTimings();
    }
  }

  #nowMs() {
    const deviceMs = performance.now();
    return this.#parts.clock.tellMs(deviceMs) ?? deviceMs + this.#roughOffsetMs;
  }

  #note(/** @type {string} */ key) {
    this.#notice = key;
    this.#parts.announcer.say(this.#parts.messages.text(key, { id: this.#noticeId }));
    this.#render();
  }

  #render() {
    if (this.#closed) return;
    const { screen, player } = this.#parts;
    screen.describe(describe(this.#parts.messages, this.#ticket, this.#nowMs()));
    const sounding = this.#wanted && player.state === "playing";
    screen.say({ status: this.#statusText(), listening: this.#wanted, sounding });
    this.renderSync();
  }

  #bySchedule() {
    return this.#ticket.movie_start_source === "schedule";
  }

  /** Words for how long until the track begins; most begin with the film, some later. */
  #untilSound() {
    const position = trackPositionS(offsetS(this.#times, this.#nowMs()), this.#trackOffsetS);
    return this.#parts.messages.span(Math.max(0, -position * 1000));
  }

  #statusText() {
    const { messages, player } = this.#parts;
    if (this.#notice) return messages.text(this.#notice, { id: this.#noticeId });
    if (!this.#wanted) return messages.text(`status.${phaseAt(this.#times, this.#nowMs())}`);
    if (player.state === "playing") return this.#playingText();
    if (player.state === "stalled") return messages.text("status.stalled");
    if (player.state === "waiting") {
      const key = this.#bySchedule() ? "status.waiting-schedule" : "status.waiting";
      return messages.text(key, { span: this.#untilSound() });
    }
    return messages.text("status.cueing");
  }

  #playingText() {
    const { messages, player, clock } = this.#parts;
    if (this.#bySchedule()) return messages.text("status.playing-schedule");
    const boundMs = clock.estimate(performance.now())?.boundMs ?? Infinity;
    const errorMs = player.errorS === null ? Infinity : Math.abs(player.errorS) * 1000;
    const synced = errorMs + boundMs + (this.#ticket.movie_start_bound_ms ?? 0) <= SYNCED_MS;
    return messages.text(synced ? "status.playing-synced" : "status.playing-settling");
  }

  /** What stands under "How well is it in sync?" */
  renderSync() {
    const { messages, player, clock, screen } = this.#parts;
    const lines = [];
    if (player.errorS === null) lines.push(messages.text("sync.not-playing"));
    else {
      const ms = Math.round(player.errorS * 1000);
      const key = ms === 0 ? "sync.exact" : ms > 0 ? "sync.ahead" : "sync.behind";
      lines.push(messages.text(key, { count: Math.abs(ms) }));
    }
    const estimate = clock.estimate(performance.now());
    lines.push(
      estimate
        ? messages.text("sync.clock", { ms: estimate.boundMs.toFixed(1) })
        : messages.text("sync.clock-unknown"),
    );
    const seconds = ((this.#ticket.movie_start_bound_ms ?? 0) / 1000).toFixed(1);
    lines.push(
      this.#bySchedule()
        ? messages.text("sync.start-schedule")
        : messages.text("sync.start-bound", { seconds }),
    );
    screen.measure(lines);
  }
}

/**
 * A ticket in words.
 * @param {import("./messages.js").Messages} messages
 * @param {Record<string, any>} ticket @param {number} nowMs
 * @returns {import("./screens.js").Showing}
 */
export function describe(messages, ticket, nowMs) {
  const times = /** @type {import("./timeline.js").Times} */ (timesOf(ticket));
  const day = messages.otherDay(times.movieStartMs, ticket.time_zone, nowMs);
  return {
    title: ticket.title ?? ticket.movie_id,
    posterUrl: ticket.poster_url,
    places: [
      [messages.text("ticket.theater"), ticket.theater_name ?? ""],
      ...(day ? [/** @type {[string, string]} */ ([messages.text("ticket.day"), day])] : []),
    ],
    facts: [
      [messages.text("ticket.auditorium"), ticket.auditorium_number],
      [messages.text("ticket.previews"), messages.time(times.previewsStartMs, ticket.time_zone)],
      [messages.text("ticket.film"), messages.time(times.movieStartMs, ticket.time_zone)],
    ],
    when: when(messages, times, nowMs),
  };
}

/**
 * How long until the film, or since it began.
 * @param {import("./messages.js").Messages} messages
 * @param {import("./timeline.js").Times} times @param {number} nowMs
 */
export function when(messages, times, nowMs) {
  const phase = phaseAt(times, nowMs);
  const distanceMs = Math.abs(nowMs - times.movieStartMs);
  if (phase === "feature") {
    // Seconds would tick under her finger to no use: whole minutes are enough once it runs.
    return distanceMs < 60_000
      ? messages.text("when.just-now")
      : messages.text("when.feature", { span: messages.span(wholeMinutes(distanceMs)) });
  }
  return messages.text(`when.${phase}`, { span: messages.span(distanceMs) });
}

function wholeMinutes(/** @type {number} */ ms) {
  return Math.floor(ms / 60_000) * 60_000;
}
