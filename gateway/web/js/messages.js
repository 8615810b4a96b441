/** Words. Every sentence of the app stands in messages/<language>.json. Pure but for `load`. */

import { localeOf, primary } from "./languages.js";

/** What the app speaks; what it falls back to comes first. */
export const LANGUAGES = ["en", "es"];

/** @typedef {Record<string, string | Record<string, string>>} Catalogue */

export class Messages {
  #catalogue;
  /** Formatters are slow to make, and some are never needed. @type {Map<string, any>} */
  #made = new Map();
  /** @type {string} */ locale;

  /** @param {string} locale BCP 47 @param {Catalogue} catalogue */
  constructor(locale, catalogue) {
    this.locale = locale;
    this.#catalogue = catalogue;
  }

  /**
   * The sentence of *key*. `{name}` is replaced by a value, a number as it is written here; where
   * the message has plural forms (CLDR categories), `count` chooses among them.
   * @param {string} key @param {Record<string, string | number>} [values]
   * @returns {string}
   */
  text(key, values = {}) {
    let message = this.#catalogue[key];
    if (message === undefined) throw new Error(`no message ${key}`);
    if (typeof message !== "string") {
      const plural = this.#once("plural", () => new Intl.PluralRules(this.locale));
      message = message[plural.select(Number(values.count))] ?? message.other;
    }
    return message.replace(/\{(\w+)\}/g, (_, name) => {
      const value = values[name];
      return typeof value === "number" ? this.#number().format(value) : String(value);
    });
  }

  /** A language by its name, as it is called here: "Spanish". @param {string} tag BCP 47 */
  language(tag) {
    const name = new Intl.DisplayNames(this.locale, { type: "language" }).of(tag) ?? tag;
    return name[0].toLocaleUpperCase(this.locale) + name.slice(1);
  }

  /**
   * A span of time in words: two units at most, seconds only within the last two minutes.
   * @param {number} ms not negative
   */
  span(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    const parts = [];
    const add = (/** @type {string} */ key, /** @type {number} */ count) => {
      if (count > 0) parts.push(this.text(key, { count }));
    };
    if (seconds < 120) {
      add("span.minutes", Math.floor(seconds / 60));
      add("span.seconds", seconds % 60);
    } else if (seconds < 48 * 3600) {
      const minutes = Math.floor(seconds / 60);
      add("span.hours", Math.floor(minutes / 60));
      add("span.minutes", minutes % 60);
    } else {
      add("span.days", Math.floor(seconds / 86400));
    }
    return parts.join(" ") || this.text("span.seconds", { count: 0 });
  }

  /**
   * Clock time in the theater's zone.
   * @param {number} atMs @param {string} timeZone IANA
   */
  time(atMs, timeZone) {
    return this.#format(atMs, { timeZone, hour: "numeric", minute: "2-digit" });
  }

  /**
   * The day in the theater's zone; null where it is today there.
   * @param {number} atMs @param {string} timeZone IANA @param {number} nowMs
   */
  otherDay(atMs, timeZone, nowMs) {
    const day = (/** @type {number} */ ms) =>
      this.#format(ms - DAY_ENDS_MS, { timeZone, year: "numeric", month: "numeric", day: "numeric" });
    if (day(atMs) === day(nowMs)) return null;
    const options = /** @type {const} */ ({ weekday: "long", month: "long", day: "numeric" });
    // By the cinema's day: a showing at half past midnight on Tuesday is Monday night's.
    return this.#format(atMs - DAY_ENDS_MS, { timeZone, ...options });
  }

  /** @param {number} atMs @param {Intl.DateTimeFormatOptions} options */
  #format(atMs, options) {
    const make = () => new Intl.DateTimeFormat(this.locale, options);
    return this.#once(JSON.stringify(options), make).format(atMs);
  }

  #number() {
    const options = { maximumFractionDigits: 1 };
    return this.#once("number", () => new Intl.NumberFormat(this.locale, options));
  }

  /** @template T @param {string} name @param {() => T} make @returns {T} */
  #once(name, make) {
    if (!this.#made.has(name)) this.#made.set(name, make());
    return this.#made.get(name);
  }
}

/** A cinema's day ends at 04:00: a showing at half past midnight is still tonight's. */
const DAY_ENDS_MS = 4 * 3600 * 1000;

/**
 * The words of the language that she chose, else the phone's, else English.
 * @param {string | null} chosen @param {readonly string[]} phone the phone's languages
 */
export async function load(chosen, phone) {
  const locale = localeOf(LANGUAGES, chosen, phone);
  const response = await fetch(new URL(`../messages/${primary(locale)}.json`, import.meta.url));
  return new Messages(locale, await response.json());
}
