/**
 * What waits to be said, and when it may be: in the narrator's pauses, since a screen reader that
 * speaks over the description takes both from her. Pure: instants and pauses go in, a sentence or a
 * time to wait comes out.
 */

/**
 * @typedef {"alarm" | "answer" | "news" | "aside"} Urgency
 * alarm: she must act, or nothing is heard any more; said at once, and felt. answer: to what she
 * has just pressed. news: what she should know, within half a minute. aside: what she would like to
 * know; where no pause comes it is left out.
 *
 * @typedef {object} Item
 * @property {string} sentence
 * @property {string} kind a newer sentence takes the place of an older one of its kind
 * @property {Urgency} urgency
 * @property {boolean} felt whether the phone vibrates with it
 *
 * @typedef {{ say: Item } | { waitMs: number }} Step
 */

/** How long each waits for a pause, in milliseconds; in the order in which they are said. */
const LIMITS_MS = /** @type {const} */ ({ alarm: 0, answer: 1500, news: 20_000, aside: 90_000 });
const ORDER = Object.keys(LIMITS_MS);

/** A screen reader that nobody has made faster: 180 words a minute, and a moment to begin. */
const CHARACTERS_PER_S = 15;
const BEGIN_MS = 400;

/** How long a sentence is being spoken, in milliseconds. @param {string} sentence */
export function spokenMs(sentence) {
  return BEGIN_MS + (sentence.length / CHARACTERS_PER_S) * 1000;
}

export class Announcements {
  /** @type {(Item & { sinceMs: number })[]} */ #waiting = [];
  #last = "";
  #busyUntilMs = -Infinity;

  /**
   * Have it said, unless it is what was said last.
   * @param {Item} item @param {number} nowMs
   */
  add(item, nowMs) {
    const { kind, urgency } = item;
    const older = this.#waiting.find((one) => one.kind === kind);
    this.withdraw(kind);
    if (item.sentence === this.#last) return;
    // What takes an older one's place has its patience, or one that changes often is never said.
    const sinceMs = older?.urgency === urgency ? older.sinceMs : nowMs;
    this.#waiting.push({ ...item, sinceMs });
    this.#waiting.sort((one, other) => ORDER.indexOf(one.urgency) - ORDER.indexOf(other.urgency));
  }

  /** It is true no more. @param {string} kind */
  withdraw(kind) {
    this.#waiting = this.#waiting.filter((one) => one.kind !== kind);
  }

  /** Allow the last sentence to be said again. */
  forget() {
    this.#last = "";
  }

  /**
   * What to do now; null where nothing waits.
   * @param {number} nowMs
   * @param {import("./silences.js").Pause | null} pause the narrator's, null while nothing plays
   * @returns {Step | null}
   */
  next(nowMs, pause) {
    this.#waiting = this.#waiting.filter((one) => one.urgency !== "aside" || leftMs(one, nowMs) > 0);
    let waitMs = Infinity;
    for (const one of this.#waiting) {
      const forMs = Math.max(this.#busyMs(one, nowMs), patienceMs(one, nowMs, pause));
      if (forMs <= 0) return { say: this.#take(one, nowMs) };
      waitMs = Math.min(waitMs, forMs);
    }
    return this.#waiting.length === 0 ? null : { waitMs };
  }

  /**
   * Two sentences at once are none; but what she waits for cuts the other off.
   * @param {Item} one @param {number} nowMs
   */
  #busyMs({ urgency }, nowMs) {
    return urgency === "news" || urgency === "aside" ? this.#busyUntilMs - nowMs : 0;
  }

  /** @param {Item} one @param {number} nowMs */
  #take(one, nowMs) {
    this.withdraw(one.kind);
    this.#last = one.sentence;
    this.#busyUntilMs = nowMs + spokenMs(one.sentence);
    return one;
  }
}

/** @param {Item & { sinceMs: number }} one @param {number} nowMs */
function leftMs({ urgency, sinceMs }, nowMs) {
  return sinceMs + LIMITS_MS[urgency] - nowMs;
}

/**
 * For how long to wait for the narrator, at most; 0 where it may be said.
 * @param {Item & { sinceMs: number }} one @param {number} nowMs
 * @param {import("./silences.js").Pause | null} pause
 */
function patienceMs(one, nowMs, pause) {
  if (pause === null) return 0;
  const left = leftMs(one, nowMs);
  if (left <= 0) return 0;
  // A pause that holds half of it is better than none, once half of the time is over.
  const late = left <= LIMITS_MS[one.urgency] / 2;
  const neededMs = spokenMs(one.sentence) / (late ? 2 : 1);
  if (pause.inS === 0 && pause.forS * 1000 >= neededMs) return 0;
  const comesMs = (pause.inS > 0 ? pause.inS : pause.forS) * 1000;
  // No pause comes in time: to wait for it would not spare her the narrator.
  if (comesMs >= left && one.urgency !== "aside") return 0;
  return Math.min(comesMs, left);
}
