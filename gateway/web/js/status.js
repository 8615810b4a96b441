/** How a ticket that is being listened to stands, in words. Pure: what is known in, sentences out. */

/** Below this, with every bound counted against us, the app says "in sync". */
const SYNCED_MS = 40;
/** A busy device misreads for some seconds; the word is not taken back for less. */
const TAKEN_BACK_MS = 5000;

/**
 * @typedef {object} Known
 * @property {import("./player.js").State} state
 * @property {boolean} wanted whether she wants to hear
 * @property {import("./timeline.js").Phase} phase
 * @property {string | null} notice what to say instead of what the phase would say
 * @property {string} noticeId what support asks for
 * @property {number} untilSoundMs
 * @property {"schedule" | "own" | "told"} startFrom whose word the film's start is
 * @property {number} startBoundMs how far off that start may be, where it is told
 * @property {number | null} errorS heard minus true
 * @property {number | null} clockBoundMs null while Tell's clock is unknown
 * @property {boolean} clockMeasured whether Tell was asked in this visit
 * @property {number} trimMs
 * @property {boolean} synced whether "in sync" is the word now, see SyncWord
 *
 * @typedef {import("./messages.js").Messages} Messages
 */

/** The sentence above the button. @param {Messages} messages @param {Known} known */
export function statusText(messages, known) {
  if (known.notice) return messages.text(known.notice, { id: known.noticeId });
  if (!known.wanted) return messages.text(`status.${known.phase}`);
  if (known.state === "playing") return playingText(messages, known);
  if (known.state === "stalled") return messages.text("status.stalled");
  if (known.state === "waiting") {
    const span = messages.span(known.untilSoundMs);
    if (known.startFrom === "own") return messages.text("status.waiting-own", { span });
    if (known.startFrom === "schedule") return messages.text("status.waiting-schedule", { span });
    return messages.text("status.waiting", { span });
  }
  return messages.text("status.cueing");
}

/**
 * What she hears of the sync unasked. "In sync" is said only of a film whose start is known, by a
 * clock that was compared, within what nobody notices.
 * @param {Messages} messages @param {Known} known
 */
export function playingText(messages, known) {
  if (known.startFrom === "own") return messages.text("status.playing-own");
  if (known.startFrom === "schedule") return messages.text("status.playing-schedule");
  if (!known.clockMeasured) return messages.text("status.playing-remembered");
  return messages.text(known.synced ? "status.playing-synced" : "status.playing-settling");
}

/**
 * Whether it is in sync by what is known just now, with every bound counted against it.
 * @param {Omit<Known, "synced">} known
 */
export function isSynced({ startFrom, startBoundMs, clockMeasured, clockBoundMs, errorS }) {
  if (startFrom !== "told" || !clockMeasured || clockBoundMs === null || errorS === null) return false;
  return Math.abs(errorS) * 1000 + clockBoundMs + startBoundMs <= SYNCED_MS;
}

/** "In sync", said at once and taken back after a while only: a word that flickers says nothing. */
export class SyncWord {
  #synced = false;
  #goodMs = -Infinity;

  /**
   * @param {boolean} plays @param {boolean} good see isSynced @param {number} nowMs
   * @returns {boolean} whether it is the word now
   */
  look(plays, good, nowMs) {
    if (good) this.#goodMs = nowMs;
    this.#synced = plays && (good || (this.#synced && nowMs - this.#goodMs < TAKEN_BACK_MS));
    return this.#synced;
  }
}

/** What stands under "How well is it in sync?" @param {Messages} messages @param {Known} known */
export function syncLines(messages, known) {
  return [
    soundLine(messages, known.errorS),
    clockLine(messages, known),
    startLine(messages, known),
    ...(known.trimMs ? [trimLine(messages, known.trimMs)] : []),
  ];
}

/** @param {Messages} messages @param {number | null} errorS */
function soundLine(messages, errorS) {
  if (errorS === null) return messages.text("sync.not-playing");
  const ms = Math.round(errorS * 1000);
  const key = ms === 0 ? "sync.exact" : ms > 0 ? "sync.ahead" : "sync.behind";
  return messages.text(key, { count: Math.abs(ms) });
}

/** @param {Messages} messages @param {Known} known */
function clockLine(messages, { clockBoundMs, clockMeasured }) {
  if (clockBoundMs === null) return messages.text("sync.clock-unknown");
  const key = clockMeasured ? "sync.clock" : "sync.clock-remembered";
  return messages.text(key, { ms: clockBoundMs });
}

/** @param {Messages} messages @param {Known} known */
function startLine(messages, { startFrom, startBoundMs }) {
  if (startFrom === "own") return messages.text("sync.start-own");
  if (startFrom === "schedule") return messages.text("sync.start-schedule");
  return messages.text("sync.start-bound", { seconds: startBoundMs / 1000 });
}

/** The trim in words. @param {Messages} messages @param {number} ms */
export function trimLine(messages, ms) {
  if (ms === 0) return messages.text("trim.none");
  return messages.text(ms > 0 ? "trim.earlier" : "trim.later", { ms: Math.abs(ms) });
}
