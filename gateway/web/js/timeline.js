/**
 * Where a screening stands at an instant: the twin of catalog/screenings/timeline.py. Pure: time is an
 * argument, in epoch milliseconds of Tell's clock.
 */

/**
 * @typedef {"upcoming" | "previews" | "feature" | "ended" | "cancelled"} Phase
 *
 * @typedef {object} Times
 * @property {number} previewsStartMs
 * @property {number} movieStartMs
 * @property {number} creditsEndMs
 * @property {boolean} cancelled
 */

/**
 * Times of a ticket as Tell answers it; null while the purchase is not enriched.
 * @param {Record<string, any>} ticket
 * @returns {Times | null}
 */
export function timesOf(ticket) {
  if (!ticket.previews_start || !ticket.movie_start || !ticket.credits_end) return null;
  return {
    previewsStartMs: instantMs(ticket.previews_start),
    movieStartMs: instantMs(ticket.movie_start),
    creditsEndMs: instantMs(ticket.credits_end),
    cancelled: ticket.phase === "cancelled" || ticket.state === "cancelled",
  };
}

/**
 * The film's start as Tell knows it, and what it is known from.
 * @param {Record<string, any>} ticket enriched
 * @returns {import("./nudges.js").Start}
 */
export function startOf(ticket) {
  return { startMs: instantMs(ticket.movie_start), source: ticket.movie_start_source };
}

/**
 * The same showing with its film at *movieStartMs*: the credits move with it, the previews began
 * when they began.
 * @param {Times} times @param {number} movieStartMs
 * @returns {Times}
 */
export function moved(times, movieStartMs) {
  const byMs = movieStartMs - times.movieStartMs;
  return { ...times, movieStartMs, creditsEndMs: times.creditsEndMs + byMs };
}

/**
 * Epoch milliseconds, with their fraction, of an RFC 3339 instant in UTC. `Date` alone keeps whole
 * milliseconds, and how it takes more digits is left to each browser (ECMA-262 21.4.1.32).
 * @param {string} text
 */
export function instantMs(text) {
  const [, whole, fraction = ""] = /^(.*?)(\.\d+)?Z$/.exec(text) ?? [];
  return Date.parse(`${whole}Z`) + Number(`0${fraction}`) * 1000;
}

/**
 * A phase includes its first instant and not its last.
 * @param {Times} times
 * @param {number} nowMs
 * @returns {Phase}
 */
export function phaseAt(times, nowMs) {
  if (times.cancelled) return "cancelled";
  if (nowMs < times.previewsStartMs) return "upcoming";
  if (nowMs < times.movieStartMs) return "previews";
  if (nowMs < times.creditsEndMs) return "feature";
  return "ended";
}

/**
 * offset_s: now - movie_start, negative before the film.
 * @param {Times} times
 * @param {number} nowMs
 */
export function offsetS(times, nowMs) {
  return (nowMs - times.movieStartMs) / 1000;
}

/**
 * Second of the track that sounds at film time *offset*; negative before the track begins.
 * @param {number} offset film time in seconds
 * @param {number} trackOffsetS where the track's zero lies on the film's time
 */
export function trackPositionS(offset, trackOffsetS) {
  return offset - trackOffsetS;
}

/**
 * The same held within the track: the twin of media/playhead.py, for what Tell says of it.
 * @param {number} offset @param {number} trackOffsetS @param {number} durationS
 */
export function heldPositionS(offset, trackOffsetS, durationS) {
  return Math.min(Math.max(trackPositionS(offset, trackOffsetS), 0), durationS);
}

/**
 * Which screen a ticket belongs on, by what Tell says of it and the time.
 * @param {Record<string, any>} ticket
 * @param {number} nowMs
 * @returns {"accepted" | "parked" | "cancelled" | "ended" | "not-described" | "showing"}
 */
export function screenOf(ticket, nowMs) {
  if (ticket.state === "cancelled" || ticket.phase === "cancelled") return "cancelled";
  if (ticket.state === "parked") return "parked";
  const times = timesOf(ticket);
  if (times === null) return "accepted";
  if (phaseAt(times, nowMs) === "ended") return "ended";
  return ticket.described === false ? "not-described" : "showing";
}
