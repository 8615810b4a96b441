/** The composition root: from the link to the ticket, and which screen stands when. */

import { Announcer } from "./announcer.js";
import { ApiError } from "./api.js";
import { Claiming, LISTENER_KEY } from "./claiming.js";
import { Clock } from "./clock.js";
import { Events } from "./events.js";
import { failureOf } from "./failures.js";
import { KeptApi } from "./kept.js";
import { APP_KEY, DESCRIPTION_KEY, directionOf, match } from "./languages.js";
import { Light } from "./light.js";
import * as mediaSession from "./mediasession.js";
import { memory } from "./memory.js";
import { load as loadMessages } from "./messages.js";
import { isWebKit, persisted } from "./device.js";
import { loadHls } from "./hlsjs.js";
import { goOffline } from "./offline.js";
import { painted } from "./painted.js";
import { Player } from "./player.js";
import { sections } from "./preferences.js";
import { Readying } from "./readying.js";
import { Reports, tellOnLeaving } from "./reports.js";
import { messageScreen, Stage, TicketScreen, ticketsScreen } from "./screens.js";
import { Settings } from "./settings.js";
import { Showing } from "./showing.js";
import { Silence } from "./silence.js";
import { sleep } from "./sleep.js";
import { instantMs, screenOf } from "./timeline.js";
import { keepCurrent, Listening } from "./updates.js";
import { card } from "./wording.js";

/** Screens that come without her doing, and end what she hears. */
const ALARMING = ["cancelled", "gone"];
/** A purchase is enriched within a second or two; after that, the partner is down: ask less. */
const ENRICH_POLL_MS = [1000, 1000, 2000, 3000, 5000, 10_000];

const SETTINGS_URL = "/listen?settings";

/** @param {Record<string, any>} ticket */
function ticketUrl(ticket) {
  return `/listen?ticket=${encodeURIComponent(ticket.correlation_id)}`;
}

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Where the skip link leads to; no claim code. */
const SKIP = "main";

/** The claim code in the address, "" where there is none. */
function claimCode() {
  const code = location.hash.slice(1);
  return code === SKIP ? "" : code;
}

class App {
  #messages;
  #stage;
  #announcer = new Announcer(byId("announcer"), {
    sleep,
    pause: () => this.#showing?.narratorPause() ?? null,
  });
  #api;
  #claiming;
  #light = new Light(
    document.documentElement,
    document.querySelector('meta[name="theme-color"]'),
    sleep,
  );
  #clock = new Clock();
  #silence = new Silence();
  #player;
  #offline;
  #reports;
  /** @type {Readying | null} */ #readying = null;
  #listening = new Listening();
  #events;
  /** The settings, while they stand before the screen. @type {Settings | null} */ #settings = null;
  /** The address of the screen beneath them. */
  #beneath = "";
  /** The ticket on the screen, where one is. @type {Record<string, any> | null} */ #ticket = null;
  /** @type {Showing | null} */ #showing = null;
  /** Grows with each change of screen, so that a late answer does not replace a newer one. */
  #turn = 0;
  #several = false;

  /**
   * @param {import("./messages.js").Messages} messages
   * @param {KeptApi} api @param {Claiming} claiming
   */
  constructor(messages, api, claiming) {
    this.#messages = messages;
    this.#api = api;
    this.#claiming = claiming;
    this.#stage = new Stage(byId("main"), messages.text("app.name"));
    this.#reports = new Reports({
      api,
      memory,
      sleep,
      nowMs: () => performance.now(),
      heard: () => this.#showing?.heard() ?? null,
    });
    this.#offline = goOffline({
      audio: /** @type {HTMLAudioElement} */ (byId("sound")),
      api: this.#api,
      clock: this.#clock,
      memory,
      loadHls,
      sleep,
      onProblem: (problem) => this.#showing?.playerFailed(problem),
      onTickets: (tickets) => this.#light.take(tickets),
    });
    this.#player = new Player({
      // The deck is an element as far as a player uses one.
      audio: /** @type {any} */ (this.#offline.deck),
      memory,
      sleep,
      bends: !isWebKit(),
      positionS: (deviceMs) => this.#showing?.positionS(deviceMs) ?? null,
      onState: (state) => {
        this.#reports.changed(state);
        this.#listening.set(!["idle", "over"].includes(state));
        this.#showing?.playerChanged(state);
      },
      onProblem: (problem) => this.#showing?.playerFailed(problem),
    });
    this.#offline.deck.addEventListener("canplay", () => this.#showing?.dataCame());
    tellOnLeaving(this.#reports);
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
    const skip = this.#command("skip", "app.skip", (event) => {
      // The address stays: what is in its fragment is taken for a claim code.
      event.preventDefault();
      this.#stage.focus();
    });
    skip.hidden = false;
    this.#command("all-tickets", "app.all-tickets", () => this.#go("/listen"));
    this.#command("to-settings", "app.settings", () => {
      this.#beneath = location.href;
      this.#go(SETTINGS_URL);
    });
    this.#command("from-settings", "app.back", () => {
      // Opened by its address there is nothing to go back to.
      if (history.state?.inside) history.back();
      else this.#go("/listen");
    });
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

  /** What stands before the screen. @param {string} id @param {string} key @param {(event: Event) => void} run */
  #command(id, key, run) {
    const control = byId(id);
    control.textContent = this.#messages.text(key);
    control.addEventListener("click", run);
    return control;
  }

  /**
   * Show what the address asks for: the settings, a claim code in its fragment, a ticket, or all of
   * them. What is beneath the settings goes on, and so does its sound.
   */
  async open() {
    if (location.href.endsWith(SETTINGS_URL)) return this.#openSettings();
    if (this.#closeSettings() && location.href === this.#beneath && this.#stage.uncover()) return;
    this.#stage.uncover();
    const turn = this.#begin();
    const code = claimCode();
    try {
      if (code) await this.#claim(turn, code);
      else await this.#list(turn);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn === this.#turn) this.#failed(error);
    }
  }

  #openSettings() {
    const parts = {
      messages: this.#messages,
      announcer: this.#announcer,
      memory,
      api: this.#api,
      downloads: this.#offline.downloads,
      adjustments: this.#showing?.adjustments ?? null,
      listening: () => this.#showing?.wanted ?? false,
      onAppLanguage: () => {
        if (!this.#showing?.wanted) return location.reload();
        // A page that loads anew would stop the sound.
        this.#announcer.say(this.#messages.text("settings.language-later"));
      },
      onDescriptionLanguage: () => {
        this.#offline.downloads.rethink();
        this.#showing?.reopen();
      },
      onErased: memory.get(LISTENER_KEY) === null ? null : () => this.#erased(),
    };
    this.#closeSettings();
    this.#settings = new Settings(this.#messages, sections(parts));
    this.#heading(true);
    this.#stage.cover(this.#settings.root);
  }

  /** Whether they were open. */
  #closeSettings() {
    const settings = this.#settings;
    settings?.close();
    this.#settings = null;
    this.#heading(false);
    return settings !== null;
  }

  /** @param {boolean} settings whether they stand before the screen */
  #heading(settings) {
    byId("to-settings").hidden = settings;
    byId("from-settings").hidden = !settings;
    byId("all-tickets").hidden = settings || !this.#several || this.#ticket === null;
  }

  #begin() {
    this.#showing?.close();
    this.#showing = null;
    this.#readying?.close();
    this.#readying = null;
    this.#offline.sources.close();
    this.#ticket = null;
    this.#heading(this.#settings !== null);
    this.#turn += 1;
    return this.#turn;
  }

  /** @param {string} url one of the app's own */
  #go(url) {
    history.pushState({ inside: true }, "", url);
    this.open();
  }

  /** @param {number} turn @param {string} code */
  async #claim(turn, code) {
    const claimed = this.#claiming.claim(code);
    // Where the answer is there already, nothing is said that would be taken back at once.
    const there = claimed.then(() => true, () => true);
    const late = new Promise((resolve) => setTimeout(resolve, 0, false));
    if (!(await Promise.race([there, late]))) this.#say("opening");
    const answer = await claimed;
    if (turn !== this.#turn) {
      this.#events.start();
      return;
    }
    // The claim code is a secret: it leaves the address, the history and what is shared of them.
    history.replaceState(null, "", ticketUrl(answer.ticket));
    this.#show(answer.ticket);
    await painted();
    this.#events.start();
    try {
      this.#several = (await this.#api.tickets()).length > 1;
    } catch (error) {
      // Her ticket is there, and may be sounding: that the list was refused takes nothing from it.
      if (!(error instanceof ApiError)) throw error;
    }
    // Whatever is shown by now: the cinema's answer may have come first, and be another turn.
    this.#heading(this.#settings !== null);
  }

  /** Tell has forgotten her: so does this phone. */
  async #erased() {
    this.#reports.forget();
    this.#begin();
    this.#events.stop();
    this.#api.use(null);
    // The tickets first: what is wanted no more is not fetched again.
    this.#api.forget();
    await this.#offline.downloads.clear();
    memory.clear();
    this.#several = false;
    history.replaceState(null, "", "/listen");
    this.#closeSettings();
    this.#stage.uncover();
    this.#say("erased");
  }

  /** @param {number} turn */
  async #list(turn) {
    if (memory.get(LISTENER_KEY) === null) {
      this.#light.take([]);
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
    else {
      const cards = tickets.map((ticket) => ({
        ...card(this.#messages, ticket, instantMs(ticket.server_time)),
        open: () => this.#go(ticketUrl(ticket)),
      }));
      this.#stage.show(ticketsScreen(this.#messages, cards));
    }
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
    this.#heading(this.#settings !== null);
    if (screen !== "showing") {
      const title = ticket.title ?? ticket.movie_id;
      this.#say(screen, { title, id: ticket.correlation_id });
      // These two may still change: the partner answers, or corrects itself.
      if (screen === "accepted" || screen === "parked") this.#await(ticket, screen);
      return;
    }
    const view = new TicketScreen(this.#messages, {
      onPress: () => {
        // She was quicker than the page: the player comes beside the grant, and not after it.
        loadHls().catch(() => {});
        this.#showing?.press();
      },
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
        wantsTap: isWebKit(),
        sourceOf: (grant, opened) => this.#offline.sources.open(grant, opened),
        follow: (changed) => this.#offline.sources.follow(changed),
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
    view.putFirst(this.#readying.root);
    this.#stage.show(view.root);
    // Not only when the sound is opened; what fails here is asked again.
    painted().then(loadHls).catch(() => {});
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
    const { name, retry, forgotten } = failureOf(error, claimCode() !== "");
    if (forgotten) {
      memory.remove(LISTENER_KEY);
      this.#api.forget();
    }
    const again = { label: this.#messages.text("button.retry"), run: () => this.open() };
    this.#say(name, { id: error.correlationId }, retry ? again : undefined);
  }

  /**
   * A screen of words.
   * @param {string} name @param {Record<string, string>} [values]
   * @param {{ label: string, run: () => void }} [action]
   */
  #say(name, values = {}, action) {
    const title = this.#messages.text(`${name}.title`, values);
    const text = this.#messages.text(`${name}.text`, values);
    this.#stage.show(messageScreen({ name, title, text, action }));
    this.#announcer.say(text, { kind: "screen", urgency: ALARMING.includes(name) ? "alarm" : "answer" });
  }
}

const api = new KeptApi(memory.get(LISTENER_KEY), {
  memory,
  sleep,
  wallMs: Date.now,
  languageOf: (offered) => {
    const chosen = memory.get(DESCRIPTION_KEY);
    return match(offered, chosen ? [chosen, ...navigator.languages] : navigator.languages);
  },
});
const claiming = new Claiming(api, memory);
// Asked before there are words to show it in: on a slow line that is a second saved.
if (claimCode() && !location.href.endsWith(SETTINGS_URL)) claiming.begin(claimCode());
const messages = await loadMessages(memory.get(APP_KEY), navigator.languages);
document.documentElement.lang = messages.locale;
document.documentElement.dir = directionOf(messages.locale);
await new App(messages, api, claiming).open();
// After the screen stands: what comes now is for the next visit.
keepCurrent(sleep);
