/** A ticket in words: what is on, where, and how long until the film or since it began. */

import { instantMs, phaseAt, screenOf, timesOf } from "./timeline.js";

/**
 * A ticket in words.
 * @param {import("./messages.js").Messages} messages
 * @param {Record<string, any>} ticket @param {number} nowMs
 * @returns {import("./screens.js").Showing}
 */
export function describe(messages, ticket, nowMs) {
  const times = /** @type {import("./timeline.js").Times} */ (timesOf(ticket));
  const day = messages.otherDay(times.movieStartMs, ticket.time_zone, nowMs);
  return {
    title: ticket.title ?? ticket.movie_id,
    posterUrl: ticket.poster_url,
    places: [
      [messages.text("ticket.theater"), ticket.theater_name ?? ""],
      ...(day ? [/** @type {[string, string]} */ ([messages.text("ticket.day"), day])] : []),
    ],
    facts: [
      [messages.text("ticket.auditorium"), ticket.auditorium_number],
      [messages.text("ticket.previews"), messages.time(times.previewsStartMs, ticket.time_zone)],
      [messages.text("ticket.film"), messages.time(times.movieStartMs, ticket.time_zone)],
    ],
    when: when(messages, times, nowMs),
  };
}

/**
 * A ticket in the list of all.
 * @param {import("./messages.js").Messages} messages
 * @param {Record<string, any>} ticket @param {number} nowMs
 * @returns {{ title: string, lines: string[] }}
 */
export function card(messages, ticket, nowMs) {
  if (!ticket.movie_start) {
    const lines = [messages.text(`${screenOf(ticket, nowMs)}.title`)];
    return { title: ticket.title ?? ticket.movie_id, lines };
  }
  const { title, when: how } = describe(messages, ticket, nowMs);
  const startMs = instantMs(ticket.movie_start);
  const day = messages.otherDay(startMs, ticket.time_zone, nowMs);
  const time = messages.time(startMs, ticket.time_zone);
  const start = day ? messages.text("time.other-day", { day, time }) : time;
  const place = messages.text("tickets.place", { start, number: ticket.auditorium_number });
  return { title, lines: [ticket.theater_name, place, how] };
}

/** Below this nobody would notice, and the sound follows by itself. */
const TOLD_MS = 5000;

/**
 * What to say of a change that she should hear of without looking; empty where there is none.
 * @param {import("./messages.js").Messages} messages
 * @param {Record<string, any>} before @param {Record<string, any>} after @param {number} nowMs
 */
export function changeInWords(messages, before, after, nowMs) {
  const [old, times] = [timesOf(before), timesOf(after)];
  const said = [];
  if (old && times && Math.abs(times.movieStartMs - old.movieStartMs) >= TOLD_MS) {
    said.push(when(messages, times, nowMs));
  }
  if (before.auditorium_number !== after.auditorium_number) {
    said.push(messages.text("change.auditorium", { number: after.auditorium_number }));
  }
  return said.join(" ");
}

/**
 * How long until the film, or since it began.
 * @param {import("./messages.js").Messages} messages
 * @param {import("./timeline.js").Times} times @param {number} nowMs
 */
export function when(messages, times, nowMs) {
  const phase = phaseAt(times, nowMs);
  const distanceMs = Math.abs(nowMs - times.movieStartMs);
  if (phase === "feature") {
    // Seconds would tick under her finger to no use: whole minutes are enough once it runs.
    return distanceMs < 60_000
      ? messages.text("when.just-now")
      : messages.text("when.feature", { span: messages.span(wholeMinutes(distanceMs)) });
  }
  return messages.text(`when.${phase}`, { span: messages.span(distanceMs) });
}

function wholeMinutes(/** @type {number} */ ms) {
  return Math.floor(ms / 60_000) * 60_000;
}
