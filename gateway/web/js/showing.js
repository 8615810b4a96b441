/**
 * One ticket on the screen: its times, what she wants, and what is told of both. It decides what is
 * said; the player decides what is heard.
 */

import { ApiError } from "./api.js";
import { Adjustments } from "./adjustments.js";
import { Adjusting } from "./adjusting.js";
import { Exchanges } from "./exchanges.js";
import { FilmTime } from "./filmtime.js";
import { Held } from "./held.js";
import * as mediaSession from "./mediasession.js";
import { memory } from "./memory.js";
import { Opening } from "./opening.js";
import { currentOutput, watchOutputs } from "./outputs.js";
import { idle, painted } from "./painted.js";
import { sleep } from "./sleep.js";
import { isSynced, statusText, syncLines, SyncWord } from "./status.js";
import { Strikes } from "./strikes.js";
import { Telling } from "./telling.js";
import { screenOf } from "./timeline.js";
import { describe } from "./wording.js";

const TICK_MS = 1000;
const POLL_MS = 30_000;
/** From here on the sound is opened before she presses, so that it is there when she does. */
const PREPARE_BEFORE_MS = 10 * 60_000;
const RETRY_MS = 3000;
const REFUSALS = 3;
/** So many times it cannot be decoded, within so long, and it is given up. */
const FAULTS = 4;
const FAULTS_WITHIN_MS = 60_000;
/** So much later than its beginning a pause is sure to be heard. */
const HELD_MORE_MS = 50;

/**
 * @typedef {object} Parts
 * @property {import("./api.js").Api} api
 * @property {import("./clock.js").Clock} clock
 * @property {import("./player.js").Player} player
 * @property {import("./silence.js").Silence} silence
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./screens.js").TicketScreen} screen
 * @property {boolean} wantsTap whether an element plays only if a tap began it (WebKit)
 * @property {import("./opening.js").Parts["sourceOf"]} sourceOf what the sound comes from
 * @property {(ticket: Record<string, any>) => void} follow what plays is to go on with this ticket
 * @property {(ticket: Record<string, any>) => void} onOtherScreen the ticket left this screen
 * @property {(error: ApiError) => void} onLost Tell no longer shows this ticket to this listener
 */

export class Showing {
  #parts;
  #ticket;
  #film;
  #exchanges;
  #opening;
  #adjustments;
  #adjusting;
  #telling;
  #wanted = false;
  #refusals = 0;
  #faults = new Strikes(FAULTS, FAULTS_WITHIN_MS);
  #word = new SyncWord();
  #held = new Held();
  #awaited = false;
  #lastPollMs = performance.now();
  #closed = false;

  /** @param {Parts} parts @param {Record<string, any>} ticket enriched */
  constructor(parts, ticket) {
    const { api, clock, player, messages, announcer } = parts;
    this.#parts = parts;
    this.#ticket = ticket;
    this.#telling = new Telling({ messages, announcer, known: () => this.#known() });
    this.#exchanges = new Exchanges({ api, clock, memory });
    this.#adjustments = new Adjustments({
      memory,
      ticketId: ticket.correlation_id,
      currentOutput,
      watchOutputs,
      onChange: () => this.#adjusted(),
    });
    const film = new FilmTime(clock, this.#adjustments, ticket);
    this.#film = film;
    const { sourceOf } = parts;
    this.#opening = new Opening({ api, player, film, exchanges: this.#exchanges, sourceOf });
    this.#adjusting = new Adjusting({
      messages,
      announcer,
      adjustments: this.#adjustments,
      film,
      mayCalibrate: () => !this.#wanted,
    });
    parts.screen.root.append(this.#adjusting.root);
    mediaSession.describe({
      title: ticket.title ?? "",
      theater: ticket.theater_name ?? "",
      poster: ticket.poster_url,
    });
    this.#render();
    this.#keepTicking();
  }

  /** What she has set herself for this ticket and her earphone. */
  get adjustments() {
    return this.#adjustments;
  }

  /** Whether she wants to hear. */
  get wanted() {
    return this.#wanted;
  }

  /** Another track is wanted now: what is open is let go, and opened anew where she listens. */
  reopen() {
    this.#parts.player.unload();
    if (this.#wanted) this.#openThenStart();
  }

  close() {
    const { silence, player } = this.#parts;
    this.#closed = true;
    this.#telling.close();
    this.#exchanges.close();
    this.#opening.close();
    this.#adjustments.close();
    this.#adjusting.close();
    silence.stop();
    player.stop();
    player.unload();
    mediaSession.clear();
  }

  /** Second of the track that should be played at a device time; null while the clock is unknown. */
  positionS(/** @type {number} */ deviceMs) {
    return this.#film.positionS(deviceMs);
  }

  /**
   * The narrator's pause at what is heard, or the next one; what the app has to say belongs there.
   * Null while nothing plays.
   * @returns {import("./silences.js").Pause | null}
   */
  narratorPause() {
    if (this.#parts.player.state !== "playing") return null;
    return this.#opening.silences.next(this.#film.roughPositionS());
  }

  /** What a report to Tell says of the sound. @returns {import("./reports.js").Heard} */
  heard() {
    const { player } = this.#parts;
    const { phase, errorS, clockBoundMs } = this.#known();
    return {
      correlationId: this.#ticket.correlation_id,
      phase,
      playing: player.source?.playing ?? null,
      errorS,
      boundMs: clockBoundMs,
      rebuffers: player.rebuffers,
    };
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
    this.#lastPollMs = -Infinity;
    this.#exchanges.wake();
    this.#tick();
  }

  /** The ticket as Tell has it now, asked for or pushed. @param {Record<string, any>} ticket */
  update(ticket) {
    if (this.#closed) return;
    const { onOtherScreen, follow } = this.#parts;
    const before = this.#ticket;
    follow(ticket);
    const fell = this.#take(ticket);
    const screen = screenOf(ticket, this.#film.nowMs());
    if (screen !== "showing" && !(screen === "ended" && this.#wanted)) {
      onOtherScreen(ticket);
      return;
    }
    this.#telling.changed(before, ticket, fell, this.#film.nowMs());
    this.#render();
  }

  /** @param {import("./player.js").State} state */
  playerChanged(state) {
    const telling = this.#telling;
    if (state === "playing" || state === "waiting") telling.notice = null;
    if (state === "cueing" && telling.notice === "status.interrupted") {
      // Whoever paused it, a call, let it go on.
      this.#wanted = true;
      telling.notice = null;
    } else if (state === "playing") {
      this.#refusals = 0;
      telling.playing();
    } else if (state === "waiting") {
      telling.waiting(this.#film.untilSoundMs());
    } else if (state === "stalled") {
      telling.stalled();
    } else if (state === "over") {
      this.#ends("status.over");
    } else if (state === "interrupted") {
      this.#ends("status.interrupted");
    }
    mediaSession.state(this.#wanted);
    this.#render();
  }

  /** What could not be fetched before the film is here: the alarm of it does not stay till then. */
  dataCame() {
    const missing = ["status.offline", "status.server"].includes(this.#telling.notice ?? "");
    if (missing && this.#parts.player.state === "waiting") this.playerChanged("waiting");
  }

  /** @param {import("./stream.js").SourceProblem | "blocked" | "clock"} problem */
  playerFailed(problem) {
    // While it plays on from what it has, and after its end or Stop, nothing is missing.
    const missing = this.#wanted && this.#parts.player.state !== "playing";
    if (problem === "network" && missing) this.#note("status.offline");
    if (problem === "server" && missing) this.#note("status.server");
    if (problem === "clock" && missing) this.#note("status.no-clock");
    if (problem === "blocked") this.#ends("status.blocked");
    // One is mended by itself; where they come again and again the sound cannot be decoded here.
    if (problem === "media" && this.#faults.add(performance.now())) {
      this.#parts.player.unload();
      // Not opened again unasked.
      this.#refusals += 1;
      if (this.#wanted) this.#giveUp("");
    }
    if (problem === "refused") {
      this.#parts.player.unload();
      this.#refusals += 1;
      if (this.#refusals > REFUSALS) this.#giveUp("");
      else if (this.#wanted) this.#openThenStart();
    }
  }

  #listen() {
    const { player, silence, announcer, wantsTap } = this.#parts;
    this.#wanted = true;
    this.#telling.notice = null;
    announcer.forget();
    silence.start();
    const runs = this.#film.nowMs() >= this.#film.times.movieStartMs;
    if (!runs || wantsTap) player.bless(runs);
    mediaSession.state(true);
    this.#openThenStart();
    this.#render();
  }

  #stop() {
    this.#parts.player.stop();
    this.#ends("status.stopped");
    mediaSession.state(false);
  }

  /** It is over for now, by whoever's will. @param {string} key what to say */
  #ends(key) {
    this.#wanted = false;
    this.#parts.silence.stop();
    this.#note(key);
  }

  async #openThenStart() {
    const { player } = this.#parts;
    try {
      if (!player.loaded || this.#opening.busy) await this.#opening.open(this.#ticket);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.#wanted && !this.#closed) this.#refused(error);
      return;
    }
    if (this.#wanted && !this.#closed) await player.start();
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
      case "no-codec":
        return this.#ends("status.no-codec");
      case "network":
        this.#note("status.offline");
        sleep(RETRY_MS).then(() => {
          if (this.#wanted && !this.#closed) this.#openThenStart();
        });
        return;
      default:
        this.#giveUp(error.correlationId);
    }
  }

  #giveUp(/** @type {string} */ id) {
    this.#telling.noticeId = id || this.#ticket.correlation_id;
    this.#parts.player.stop();
    this.#ends("status.failed");
  }

  /** By a worker's timer: those of a hidden page come once a minute. */
  async #keepTicking() {
    idle().then(() => this.#parts.silence.prepare());
    await painted();
    if (!this.#closed) this.#tick();
    while (!this.#closed) {
      await sleep(TICK_MS);
      if (!this.#closed) this.#tick();
    }
  }

  #tick() {
    const { player, silence, onOtherScreen } = this.#parts;
    if (performance.now() - this.#lastPollMs >= POLL_MS) this.#poll();
    this.#exchanges.tick();
    silence.keep();
    const soon = this.#film.times.movieStartMs - this.#film.nowMs() < PREPARE_BEFORE_MS;
    // @ts-expect-error saveData is not in every browser (Network Information API)
    const thrifty = navigator.connection?.saveData === true;
    if (soon && !thrifty && !player.loaded && !this.#opening.busy && this.#refusals === 0) {
      // Unasked, so that the press is answered at once; what fails here is said at the press.
      this.#opening.open(this.#ticket).catch(() => (this.#refusals += 1));
    }
    if (screenOf(this.#ticket, this.#film.nowMs()) !== "showing" && !this.#wanted) {
      onOtherScreen(this.#ticket);
      return;
    }
    if (this.#known().synced) this.#telling.synced();
    this.#render();
  }

  async #poll() {
    this.#lastPollMs = performance.now();
    const { api, onLost } = this.#parts;
    try {
      const ticket = await api.ticket(this.#ticket.correlation_id);
      // It may have come back before what was buffered ran out.
      const { player } = this.#parts;
      const waited = ["status.offline", "status.server"].includes(this.#telling.notice ?? "");
      if (waited && player.state === "playing") {
        this.#telling.notice = null;
      }
      this.update(ticket);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // What plays goes on without the network; a ticket that is gone does not.
      if (!this.#closed && [401, 404].includes(error.status)) onLost(error);
    }
  }

  /** Take over what Tell says; whether her own word fell by it. @param {Record<string, any>} ticket */
  #take(ticket) {
    this.#ticket = ticket;
    const { moved, fell } = this.#film.take(ticket);
    if (moved) this.#parts.player.filmMoved();
    return fell;
  }

  /** She moved the film, or her output changed. */
  #adjusted() {
    this.#take(this.#ticket);
    this.#parts.player.filmMoved();
    this.#render();
  }

  #note(/** @type {string} */ key) {
    this.#telling.note(key);
    this.#render();
  }

  #render() {
    if (this.#closed) return;
    const { screen, player, messages } = this.#parts;
    screen.describe(describe(messages, this.#ticket, this.#film.nowMs()));
    const sounding = this.#wanted && player.state === "playing";
    const pause = sounding ? this.narratorPause() : null;
    const status = this.#held.pass(statusText(messages, this.#known()), pause, performance.now());
    if (status.againMs !== null) this.#renderIn(status.againMs + HELD_MORE_MS);
    screen.say({ status: status.sentence, listening: this.#wanted, sounding });
    this.#adjusting.render();
    this.renderSync();
  }

  /** Once for all who ask. @param {number} ms */
  async #renderIn(ms) {
    if (this.#awaited) return;
    this.#awaited = true;
    await sleep(ms);
    this.#awaited = false;
    this.#render();
  }

  /** What stands under "How well is it in sync?" */
  renderSync() {
    this.#parts.screen.measure(syncLines(this.#parts.messages, this.#known()));
  }

  /** @returns {import("./status.js").Known} */
  #known() {
    const { player, clock } = this.#parts;
    const known = {
      state: player.state,
      wanted: this.#wanted,
      phase: this.#film.phase,
      notice: this.#telling.notice,
      noticeId: this.#telling.noticeId,
      untilSoundMs: this.#film.untilSoundMs(),
      startFrom: this.#film.startFrom,
      startBoundMs: this.#ticket.movie_start_bound_ms ?? 0,
      errorS: player.errorS,
      clockBoundMs: clock.estimate(performance.now())?.boundMs ?? null,
      clockMeasured: clock.measured,
      trimMs: this.#adjustments.trimMs,
    };
    const plays = known.state === "playing";
    return { ...known, synced: this.#word.look(plays, isSynced(known), performance.now()) };
  }
}
