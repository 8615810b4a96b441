/** The composition root: from the link to the ticket, and which screen stands when. */

import { Announcer } from "./announcer.js";
import { ApiError, randomId } from "./api.js";
import { Clock } from "./clock.js";
import { Events } from "./events.js";
import { KeptApi } from "./kept.js";
import * as mediaSession from "./mediasession.js";
import { memory } from "./memory.js";
import { load as loadMessages } from "./messages.js";
import { persisted } from "./device.js";
import { Erasing } from "./erasing.js";
import { goOffline } from "./offline.js";
import { Player } from "./player.js";
import { Readying } from "./readying.js";
import { messageScreen, Stage, TicketScreen, ticketsScreen } from "./screens.js";
import { Showing } from "./showing.js";
import { Silence } from "./silence.js";
import { sleep } from "./sleep.js";
import { instantMs, screenOf } from "./timeline.js";
import { keepCurrent, Listening } from "./updates.js";
import { describe } from "./wording.js";

const LISTENER_KEY = "tell.listener";
const NONCE_KEY = "tell.device";
/** A purchase is enriched within a second or two; after that, the partner is down: ask less. */
const ENRICH_POLL_MS = [1000, 1000, 2000, 3000, 5000, 10_000];

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

class App {
  #messages;
  #stage;
  #announcer = new Announcer(byId("announcer"));
  #api = new KeptApi(memory.get(LISTENER_KEY), { memory, sleep, wallMs: Date.now });
  #clock = new Clock();
  #silence = new Silence();
  #player;
  #offline;
  /** @type {Readying | null} */ #readying = null;
  #listening = new Listening();
  #events;
  #erasing;
  /** The ticket on the screen, where one is. @type {Record<string, any> | null} */ #ticket = null;
  /** @type {Showing | null} */ #showing = null;
  /** Grows with each change of screen, so that a late answer does not replace a newer one. */
  #turn = 0;
  #several = false;

  /** @param {import("./messages.js").Messages} messages @param {any} Hls */
  constructor(messages, Hls) {
    this.#messages = messages;
    this.#stage = new Stage(byId("main"), messages.text("app.name"));
    this.#offline = goOffline({
      audio: /** @type {HTMLAudioElement} */ (byId("sound")),
      api: this.#api,
      clock: this.#clock,
      memory,
      Hls,
      sleep,
      onProblem: (problem) => this.#showing?.playerFailed(problem),
    });
    this.#player = new Player({
      // The deck is an element as far as a player uses one.
      audio: /** @type {any} */ (this.#offline.deck),
      memory,
      sleep,
      positionS: (deviceMs) => this.#showing?.positionS(deviceMs) ?? null,
      onState: (state) => {
        this.#listening.set(!["idle", "over"].includes(state));
        this.#showing?.playerChanged(state);
      },
      onProblem: (problem) => this.#showing?.playerFailed(problem),
    });
    mediaSession.connect({
      onPlay: () => this.#showing?.play(),
      onPause: () => this.#showing?.pause(),
    });
    this.#events = new Events({
      api: this.#api,
      sleep,
      onTicket: (ticket) => this.#changed(ticket),
      onGap: () => this.#showing?.wake(),
    });
    if (memory.get(LISTENER_KEY) !== null) this.#events.start();
    this.#erasing = new Erasing({
      root: byId("erasing"),
      messages,
      announcer: this.#announcer,
      api: this.#api,
      onErased: () => this.#erased(),
    });
    this.#erasing.show(memory.get(LISTENER_KEY) !== null);
    const all = byId("all-tickets");
    all.textContent = messages.text("app.all-tickets");
    all.addEventListener("click", () => this.#go(null));
    addEventListener("popstate", () => this.open());
    addEventListener("hashchange", () => this.open());
    addEventListener("online", () => {
      this.#events.wake();
      this.#showing?.wake();
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.#showing?.wake();
    });
  }

  /** Show what the address asks for: a claim code in its fragment, a ticket, or all of them. */
  async open() {
    const turn = this.#begin();
    const code = location.hash.slice(1);
    try {
      if (code) await this.#claim(turn, code);
      else await this.#list(turn);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn === this.#turn) this.#failed(error);
    }
  }

  #begin() {
    this.#showing?.close();
    this.#showing = null;
    this.#readying?.close();
    this.#readying = null;
    this.#offline.sources.close();
    this.#ticket = null;
    byId("all-tickets").hidden = true;
    this.#turn += 1;
    return this.#turn;
  }

  /** @param {string | null} correlationId null for the list */
  #go(correlationId) {
    const url = correlationId ? `/listen?ticket=${encodeURIComponent(correlationId)}` : "/listen";
    history.pushState({ list: correlationId === null }, "", url);
    this.open();
  }

  /** @param {number} turn @param {string} code */
  async #claim(turn, code) {
    this.#say("opening");
    const nonce = memory.get(NONCE_KEY) ?? randomId();
    memory.set(NONCE_KEY, nonce);
    let answer;
    try {
      answer = await this.#api.claim(code, nonce);
    } catch (error) {
      // A listener that Tell no longer knows does not stand in the way of a good link.
      const known = memory.get(LISTENER_KEY) !== null;
      if (!(error instanceof ApiError && error.status === 401 && known)) throw error;
      this.#api.use(null);
      answer = await this.#api.claim(code, nonce);
    }
    memory.set(LISTENER_KEY, answer.listener_token);
    this.#api.use(answer.listener_token);
    this.#events.start();
    this.#erasing.show(true);
    if (turn !== this.#turn) return;
    // The claim code is a secret: it leaves the address, the history and what is shared of them.
    const id = answer.ticket.correlation_id;
    history.replaceState(null, "", `/listen?ticket=${encodeURIComponent(id)}`);
    this.#show(answer.ticket);
    this.#several = (await this.#api.tickets()).length > 1;
    if (turn === this.#turn) byId("all-tickets").hidden = !this.#several;
  }

  /** Tell has forgotten her: so does this phone. */
  async #erased() {
    this.#begin();
    this.#events.stop();
    this.#api.use(null);
    // The tickets first: what is wanted no more is not fetched again.
    this.#api.forget();
    await this.#offline.downloads.clear();
    memory.clear();
    this.#several = false;
    this.#erasing.show(false);
    history.replaceState(null, "", "/listen");
    this.#say("erased");
  }

  /** @param {number} turn */
  async #list(turn) {
    if (memory.get(LISTENER_KEY) === null) {
      this.#say("none");
      return;
    }
    this.#say("opening");
    const tickets = await this.#api.tickets();
    if (turn !== this.#turn) return;
    this.#several = tickets.length > 1;
    const wanted = new URLSearchParams(location.search).get("ticket");
    const only = tickets.length === 1 ? tickets[0] : undefined;
    const chosen = tickets.find((ticket) => ticket.correlation_id === wanted) ?? only;
    if (chosen) this.#show(chosen);
    else if (tickets.length === 0) this.#say("none");
    else this.#stage.show(ticketsScreen(this.#messages, tickets.map((t) => this.#card(t))));
  }

  /** @param {Record<string, any>} ticket */
  #card(ticket) {
    const nowMs = instantMs(ticket.server_time);
    const open = () => this.#go(ticket.correlation_id);
    const screen = screenOf(ticket, nowMs);
    if (!ticket.movie_start) {
      const lines = [this.#messages.text(`${screen}.title`)];
      return { title: ticket.title ?? ticket.movie_id, lines, open };
    }
    const { title, when } = describe(this.#messages, ticket, nowMs);
    const number = ticket.auditorium_number;
    const startMs = instantMs(ticket.movie_start);
    const day = this.#messages.otherDay(startMs, ticket.time_zone, nowMs);
    const time = this.#messages.time(startMs, ticket.time_zone);
    const lines = [
      ticket.theater_name,
      this.#messages.text("tickets.place", {
        start: day ? this.#messages.text("time.other-day", { day, time }) : time,
        number,
      }),
      when,
    ];
    return { title, lines, open };
  }

  /** Tell says by itself how a ticket is now. @param {Record<string, any>} ticket */
  #changed(ticket) {
    this.#api.keep(ticket);
    const shown = this.#ticket;
    if (shown?.correlation_id !== ticket.correlation_id) return;
    if (this.#showing) {
      this.#showing.update(ticket);
      return;
    }
    const nowMs = instantMs(ticket.server_time);
    if (screenOf(ticket, nowMs) === screenOf(shown, nowMs)) return;
    this.#begin();
    this.#show(ticket);
  }

  /** @param {Record<string, any>} ticket */
  #show(ticket) {
    this.#ticket = ticket;
    const screen = screenOf(ticket, instantMs(ticket.server_time));
    byId("all-tickets").hidden = !this.#several;
    if (screen !== "showing") {
      const title = ticket.title ?? ticket.movie_id;
      this.#say(screen, { title, id: ticket.correlation_id });
      // These two may still change: the partner answers, or corrects itself.
      if (screen === "accepted" || screen === "parked") this.#await(ticket, screen);
      return;
    }
    const view = new TicketScreen(this.#messages, {
      onPress: () => this.#showing?.press(),
      onSyncOpen: () => this.#showing?.renderSync(),
    });
    this.#showing = new Showing(
      {
        api: this.#api,
        clock: this.#clock,
        player: this.#player,
        silence: this.#silence,
        messages: this.#messages,
        announcer: this.#announcer,
        screen: view,
        sourceOf: (grant, opened) => this.#offline.sources.open(grant, opened),
        onOtherScreen: (other) => {
          this.#begin();
          this.#show(other);
        },
        onLost: (error) => {
          this.#begin();
          this.#failed(error);
        },
      },
      ticket,
    );
    this.#readying = new Readying(
      {
        messages: this.#messages,
        announcer: this.#announcer,
        downloads: this.#offline.downloads,
        clock: this.#clock,
        api: this.#api,
        memory,
        sleep,
        persisted,
        mayTest: () => ["idle", "over"].includes(this.#player.state),
        wake: () => this.#showing?.wake(),
      },
      ticket,
    );
    view.root.append(this.#readying.root);
    this.#stage.show(view.root);
  }

  /** Ask again until the ticket is another. @param {any} ticket @param {string} screen */
  async #await(ticket, screen) {
    const turn = this.#turn;
    for (let count = 0; turn === this.#turn; count += 1) {
      await sleep(ENRICH_POLL_MS[Math.min(count, ENRICH_POLL_MS.length - 1)]);
      if (turn !== this.#turn) return;
      try {
        const fresh = await this.#api.ticket(ticket.correlation_id);
        if (turn === this.#turn && screenOf(fresh, instantMs(fresh.server_time)) !== screen) {
          this.#show(fresh);
          return;
        }
      } catch (error) {
        // Without network the sentence on the screen stays true; asked again next time.
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }

  /** @param {ApiError} error */
  #failed(error) {
    const retry = { label: this.#messages.text("button.retry"), run: () => this.open() };
    const values = { id: error.correlationId };
    const claiming = location.hash.length > 1;
    if (error.code === "network") this.#say("network", {}, retry);
    else if (error.status === 429) this.#say("too-many-requests", {}, retry);
    else if (error.code === "too-many-devices") this.#say("too-many-devices", {}, retry);
    else if (claiming && error.status < 500) this.#say("claim-refused");
    else if (error.status === 401 || error.status === 404) {
      if (error.status === 401) {
        memory.remove(LISTENER_KEY);
        this.#api.forget();
        this.#erasing.show(false);
      }
      this.#say("gone");
    } else this.#say("unknown", values, retry);
  }

  /**
   * A screen of words.
   * @param {string} name @param {Record<string, string>} [values]
   * @param {{ label: string, run: () => void }} [action]
   */
  #say(name, values = {}, action) {
    const title = this.#messages.text(`${name}.title`, values);
    const text = this.#messages.text(`${name}.text`, values);
    this.#stage.show(messageScreen({ title, text, action }));
    this.#announcer.say(text);
  }
}

const [messages, hls] = await Promise.all([
  loadMessages(navigator.languages),
  import("../vendor/hls.mjs"),
]);
document.documentElement.lang = messages.locale;
await new App(messages, hls.default).open();
// After the screen stands: what comes now is for the next visit.
keepCurrent(sleep);
