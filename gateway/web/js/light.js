/**
 * Whether the page may be light, where the phone's own scheme is. It begins dark, since nobody knows
 * yet where she is; it turns light only when it is told of her tickets and no film is near; and from
 * then on it only ever darkens. In a cinema no page may light up by itself.
 */

import { timesOf } from "./timeline.js";

const BEFORE_MS = 60 * 60_000;
const AFTER_MS = 30 * 60_000;
const TICK_MS = 60_000;
const DARK = "#000000";
const LIGHT = "#fffaf0";

/**
 * Whether no film of hers is near. A ticket whose times are not known may be for one that runs.
 * @param {Record<string, any>[]} tickets @param {number} nowMs
 */
export function isFar(tickets, nowMs) {
  return tickets.every((ticket) => {
    const times = timesOf(ticket);
    if (times === null) return false;
    return nowMs < times.previewsStartMs - BEFORE_MS || nowMs > times.creditsEndMs + AFTER_MS;
  });
}

export class Light {
  #root;
  #meta;
  #sleep;
  /** @type {Record<string, any>[]} */ #tickets = [];
  #decided = false;

  /**
   * @param {HTMLElement} root of the document @param {Element | null} meta its theme-color
   * @param {(ms: number) => Promise<void>} sleep
   */
  constructor(root, meta, sleep) {
    this.#root = root;
    this.#meta = meta;
    this.#sleep = sleep;
  }

  /** @param {Record<string, any>[]} tickets all there are */
  take(tickets) {
    this.#tickets = tickets;
    const far = isFar(tickets, Date.now());
    if (!this.#decided && far) this.#begin();
    this.#decided = true;
    if (!far) this.darken();
  }

  darken() {
    this.#root.classList.remove("daylight");
    this.#meta?.setAttribute("content", DARK);
  }

  async #begin() {
    this.#root.classList.add("daylight");
    const light = matchMedia("(prefers-color-scheme: light)").matches;
    this.#meta?.setAttribute("content", light ? LIGHT : DARK);
    while (this.#root.classList.contains("daylight")) {
      await this.#sleep(TICK_MS);
      if (!isFar(this.#tickets, Date.now())) this.darken();
    }
  }
}
