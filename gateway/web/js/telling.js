/** What is told of one ticket's sound by itself, in words and by urgency; showing.js says when. */

import { sleep } from "./sleep.js";
import { playingText, statusText } from "./status.js";
import { changeInWords } from "./wording.js";

/** A network that hiccups is none of her business; one that is gone for so long is. */
const STALL_TOLD_MS = 1500;
/** @typedef {import("./announcer.js").How} How */
/** How the sound stands; each sentence of it takes the place of the one before. @type {How} */
const NEWS = { kind: "standing", urgency: "news" };
/** By her own will: felt, since the phone may be in her pocket. @type {How} */
const STOPPED = { kind: "standing", urgency: "answer", felt: true };
/** Against her will. @type {How} */
const ALARM = { kind: "standing", urgency: "alarm" };
/** What is neither a matter of her will nor in need of her. @type {Record<string, How>} */
const HOW = { "status.over": NEWS, "status.stopped": STOPPED };

/**
 * @typedef {object} Parts
 * @property {import("./messages.js").Messages} messages
 * @property {import("./announcer.js").Announcer} announcer
 * @property {() => import("./status.js").Known} known how it stands
 */

export class Telling {
  /** What to say instead of what the phase would say. @type {string | null} */
  notice = null;
  /** What support asks for. */
  noticeId = "";
  /** Whether "in sync" was said since it sounds. */ #syncedTold = false;
  #parts;
  #closed = false;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  close() {
    this.#closed = true;
    for (const kind of ["standing", "ticket"]) this.#parts.announcer.withdraw(kind);
  }

  /** Something is the matter with the sound. @param {string} key the message that says it */
  note(key) {
    const { announcer, messages, known } = this.#parts;
    this.notice = key;
    // What is buffered plays on: then it is no alarm yet.
    const how = HOW[key] ?? (known().state === "playing" ? NEWS : ALARM);
    announcer.say(messages.text(key, { id: this.noticeId }), how);
  }

  /** It sounds. */
  playing() {
    const { announcer, messages, known } = this.#parts;
    const now = known();
    this.#syncedTold = now.synced;
    announcer.say(playingText(messages, now), NEWS);
  }

  /** It is in sync; said once, and where she hears it come about. */
  synced() {
    if (this.#syncedTold) return;
    const { announcer, messages, known } = this.#parts;
    this.#syncedTold = true;
    announcer.say(playingText(messages, known()), NEWS);
  }

  /** It will, by itself. @param {number} untilSoundMs */
  waiting(untilSoundMs) {
    const { announcer, messages } = this.#parts;
    const span = messages.span(untilSoundMs);
    announcer.say(messages.text("announce.waiting", { span }), NEWS);
  }

  /** Nothing is heard, and she cannot tell it from a narrator who pauses. */
  async stalled() {
    const { announcer, messages, known } = this.#parts;
    await sleep(STALL_TOLD_MS);
    const { wanted, state } = known();
    if (this.#closed || !wanted || state !== "stalled") return;
    announcer.say(statusText(messages, known()), ALARM);
  }

  /**
   * The cinema has changed something.
   * @param {Record<string, any>} before @param {Record<string, any>} after the ticket
   * @param {boolean} fell whether her own word on the film's start is put aside by it
   * @param {number} nowMs
   */
  changed(before, after, fell, nowMs) {
    const { announcer, messages } = this.#parts;
    const news = changeInWords(messages, before, after, nowMs);
    const said = [fell ? messages.text("adjust.fell") : "", news].filter(Boolean).join(" ");
    const elsewhere = before.auditorium_number !== after.auditorium_number;
    if (said) announcer.say(said, { kind: "ticket", urgency: elsewhere ? "alarm" : "news" });
  }
}
