/** The readiness check on the ticket's screen: the one line, what stands behind it, the sound test. */

import { currentOutput } from "./outputs.js";
import { assess, soundOf, verdict } from "./readiness.js";
import { element, write } from "./screens.js";
import { playTones } from "./soundtest.js";
import { timesOf } from "./timeline.js";

const TICK_MS = 2000;
const HEARD_KEY = "tell.heard.";
/** What is worth saying by itself when it comes about. */
const TOLD = ["whole", "damaged", "no-room", "no-disk", "failed", "no-codec"];
/** From these she can ask for the download herself. */
const ASKABLE = ["sparing", "never", "slow", "removed", "no-room", "no-disk", "failed"];

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {import("./downloads.js").Downloads} downloads
 * @property {import("./clock.js").Clock} clock
 * @property {import("./kept.js").KeptApi} api
 * @property {import("./kept.js").Memory} memory
 * @property {(ms: number) => Promise<void>} sleep
 * @property {() => Promise<boolean | null>} persisted
 * @property {() => boolean} mayTest whether nothing plays now
 * @property {() => void} wake ask Tell for everything again
 */

export class Readying {
  #parts;
  #ticket;
  #closed = false;
  #unwatch;
  #persisted = /** @type {boolean | null} */ (null);
  #heardMs = /** @type {number | null} */ (null);
  #unheard = false;
  #told;
  #text = "";
  #line = element("summary", {});
  #points = element("ul", { role: "list" });
  #ask;
  #test;
  #again;
  #question;
  /** Why the test did not sound. */
  #hindrance = element("p", {});

  /** @param {Parts} parts @param {Record<string, any>} ticket enriched */
  constructor(parts, ticket) {
    this.#parts = parts;
    this.#ticket = ticket;
    const { messages, downloads } = parts;
    const button = (/** @type {string} */ key, /** @type {() => void} */ run) =>
      element("button", { type: "button", class: "second", onclick: run }, messages.text(key));
    const id = ticket.correlation_id;
    // That it is there from an earlier visit is no news. What is wrong is, however early it came, and
    // so is a track that was here before this line was.
    const known = downloads.standing(id).state === "whole" && !downloads.isNews(id);
    this.#told = known ? "whole" : "none";
    this.#ask = button("keep.ask", () => downloads.ask(id));
    this.#test = button("ready.test", () => this.#play());
    this.#again = button("ready.again", () => this.#check());
    this.#question = element(
      "div",
      { role: "group", "aria-label": messages.text("ready.question") },
      element("p", {}, messages.text("ready.question")),
      button("ready.yes", () => this.#answer(true)),
      button("ready.no", () => this.#answer(false)),
    );
    this.#question.hidden = true;
    this.root = element(
      "details",
      { class: "readiness" },
      this.#line,
      this.#points,
      this.#ask,
      this.#test,
      this.#hindrance,
      this.#question,
      this.#again,
    );
    this.#unwatch = downloads.watch(() => this.#render());
    // Not empty for a moment: a reader that came upon it would find a button without a name.
    this.#render();
    this.#keepTicking();
  }

  close() {
    this.#closed = true;
    this.#unwatch();
  }

  async #keepTicking() {
    const { memory, persisted, sleep } = this.#parts;
    while (!this.#closed) {
      this.#persisted = await persisted();
      const heard = Number(memory.get(HEARD_KEY + (await currentOutput())));
      this.#heardMs = heard > 0 ? heard : null;
      this.#render();
      await sleep(TICK_MS);
    }
  }

  async #play() {
    const { mayTest } = this.#parts;
    // Two sounds at once would tell her nothing.
    if (!mayTest()) return this.#hinder("ready.stop-first");
    write(this.#hindrance, "");
    this.#test.setAttribute("aria-disabled", "true");
    const played = await playTones();
    this.#test.removeAttribute("aria-disabled");
    if (this.#closed) return;
    if (!played) return this.#hinder("ready.blocked");
    this.#question.hidden = false;
    this.#question.querySelector("button")?.focus();
  }

  /** Say and show it. @param {string} key */
  #hinder(key) {
    const { messages, announcer } = this.#parts;
    announcer.say(messages.text(key));
    write(this.#hindrance, messages.text(key));
  }

  /** @param {boolean} heard */
  async #answer(heard) {
    const { memory } = this.#parts;
    this.#unheard = !heard;
    this.#question.hidden = true;
    this.#test.focus();
    const key = HEARD_KEY + (await currentOutput());
    if (heard) {
      this.#heardMs = Date.now();
      memory.set(key, String(this.#heardMs));
    } else {
      this.#heardMs = null;
      memory.remove(key);
    }
    this.#render();
    this.#sayLine();
  }

  /** Look through the track, ask for the time: what is said is true now. */
  async #check() {
    const { downloads, wake, sleep } = this.#parts;
    wake();
    // Where a tap cannot wait long, the file is the slow part; the clock answers meanwhile.
    await Promise.all([downloads.verify(this.#ticket.correlation_id), sleep(500)]);
    if (this.#closed) return;
    this.#render();
    this.#sayLine();
  }

  #sayLine() {
    this.#parts.announcer.forget();
    this.#parts.announcer.say(this.#line.textContent ?? "");
  }

  #render() {
    if (this.#closed) return;
    const { messages, downloads, clock, announcer, api } = this.#parts;
    this.#ticket = api.keptTicket(this.#ticket.correlation_id) ?? this.#ticket;
    const times = timesOf(this.#ticket);
    if (times === null) return;
    const download = downloads.standing(this.#ticket.correlation_id);
    const points = assess({
      download,
      online: api.online,
      clockBoundMs: clock.estimate(performance.now())?.boundMs ?? null,
      clockMeasured: clock.measured,
      sound: soundOf(this.#heardMs, Date.now(), this.#unheard),
      persisted: this.#persisted,
    });
    const { key, missing, values } = verdict(points);
    const line = messages.text(key, {
      time: messages.time(times.movieStartMs, this.#ticket.time_zone),
      number: this.#ticket.auditorium_number,
      missing: missing ? messages.text(missing) : "",
      ...values,
    });
    const sentences = points.map((point) => messages.text(point.key, point.values));
    this.#ask.hidden = !ASKABLE.includes(download.state);
    if (download.state !== this.#told) {
      this.#told = download.state;
      downloads.told(this.#ticket.correlation_id);
      const urgency = download.state === "whole" ? "aside" : "news";
      if (TOLD.includes(download.state)) announcer.say(sentences[0], { kind: "download", urgency });
    }
    const text = JSON.stringify([line, sentences]);
    if (text === this.#text) return;
    this.#text = text;
    this.#line.textContent = line;
    this.#points.replaceChildren(
      ...points.map(({ about, level }, index) =>
        element("li", { "data-about": about, "data-level": level }, sentences[index]),
      ),
    );
  }
}
