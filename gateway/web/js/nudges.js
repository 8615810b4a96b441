/**
 * Her own word on where the film is, for schedules are minutes wrong and phones are offline: "the
 * film starts now", and nudges by ear. Pure; kept for the ticket, and needing no network.
 *
 * @typedef {object} Nudges
 * @property {number | null} markMs Tell's time at which she said that the film starts
 * @property {number} byMs what she moved the film by since, positive for later
 * @property {string} source what Tell's start was known from when she said so
 *
 * @typedef {object} Start Tell's own word on it
 * @property {number} startMs epoch milliseconds of Tell's clock
 * @property {string} source `schedule`, or what else it is known from
 */

/** By ear nobody finds a film that is farther off; the mark is for that. */
const FARTHEST_MS = 30 * 60_000;
const SCHEDULE = "schedule";
/** What is remembered under it and the ticket's id. */
export const NUDGES_KEY = "tell.nudges.";

/** @type {Nudges} */
export const NONE = { markMs: null, byMs: 0, source: SCHEDULE };

/** @param {Nudges} nudges */
export function isNone({ markMs, byMs }) {
  return markMs === null && byMs === 0;
}

/**
 * "The film starts now": what she moved before does not count any more.
 * @param {Start} start @param {number} nowMs
 * @returns {Nudges}
 */
export function mark(start, nowMs) {
  return { markMs: nowMs, byMs: 0, source: start.source };
}

/**
 * Move the description, positive for later.
 * @param {Nudges} nudges @param {Start} start @param {number} byMs
 * @returns {Nudges}
 */
export function nudge(nudges, start, byMs) {
  const moved = Math.min(FARTHEST_MS, Math.max(-FARTHEST_MS, nudges.byMs + byMs));
  return { markMs: nudges.markMs, byMs: moved, source: start.source };
}

/**
 * When the film began, by her word where there is one. Epoch milliseconds of Tell's clock.
 * @param {Start} start @param {Nudges} nudges
 */
export function startMs(start, { markMs, byMs }) {
  return (markMs ?? start.startMs) + byMs;
}

/**
 * What stays of her word when Tell knows more. Against a schedule it was the better one; once the
 * cinema itself says when it began, a word against the schedule means nothing any more.
 * @param {Nudges} nudges @param {Start} start as Tell knows it now
 * @returns {Nudges}
 */
export function kept(nudges, start) {
  if (start.source === SCHEDULE) return nudges;
  return nudges.source === SCHEDULE ? NONE : { ...nudges, markMs: null };
}

/**
 * As it was kept; NONE where that cannot be read.
 * @param {string | null} text
 * @returns {Nudges}
 */
export function parse(text) {
  let value;
  try {
    value = JSON.parse(text ?? "null");
  } catch {
    return NONE;
  }
  const { markMs = null, byMs = 0, source = SCHEDULE } = value ?? {};
  const good = (markMs === null || Number.isFinite(markMs)) && Number.isFinite(byMs);
  return good && typeof source === "string" ? { markMs, byMs, source } : NONE;
}
