import assert from "node:assert/strict";
import { test } from "node:test";

import {
  instantMs,
  offsetS,
  phaseAt,
  screenOf,
  timesOf,
  trackPositionS,
} from "../../gateway/web/js/timeline.js";

const TICKET = {
  state: "enriched",
  phase: "upcoming",
  described: true,
  previews_start: "2026-11-22T19:10:00Z",
  movie_start: "2026-11-22T19:30:00.250500Z",
  credits_end: "2026-11-22T21:00:00Z",
};
const START_MS = Date.parse("2026-11-22T19:30:00.250Z") + 0.5;

test("an instant keeps its microseconds", () => {
  assert.ok(Math.abs(instantMs("2026-11-22T19:30:00.250500Z") - START_MS) < 1e-3);
  assert.equal(instantMs("2026-11-22T19:30:00Z"), Date.parse("2026-11-22T19:30:00Z"));
  assert.ok(Number.isNaN(instantMs("yesterday")));
});

test("a phase includes its first instant and not its last", () => {
  const times = timesOf(TICKET);
  const previews = times.previewsStartMs;
  assert.equal(phaseAt(times, previews - 1), "upcoming");
  assert.equal(phaseAt(times, previews), "previews");
  assert.equal(phaseAt(times, times.movieStartMs), "feature");
  assert.equal(phaseAt(times, times.creditsEndMs - 1), "feature");
  assert.equal(phaseAt(times, times.creditsEndMs), "ended");
  assert.equal(phaseAt({ ...times, cancelled: true }, previews), "cancelled");
});

test("film time is negative before the film, and the track may begin later than it", () => {
  const times = timesOf(TICKET);
  assert.equal(offsetS(times, times.movieStartMs - 1500), -1.5);
  assert.equal(trackPositionS(offsetS(times, times.movieStartMs + 60_000), 20), 40);
});

test("each ticket belongs on one screen", () => {
  const cases = [
    [{}, 0, "showing"],
    [{ described: false }, 0, "not-described"],
    [{ state: "accepted", movie_start: null }, 0, "accepted"],
    [{ state: "parked", movie_start: null }, 0, "parked"],
    [{ state: "cancelled" }, 0, "cancelled"],
    [{ phase: "cancelled" }, 0, "cancelled"],
    [{ described: null }, 0, "showing"],
    [{}, 2 * 3_600_000, "ended"],
  ];
  for (const [change, later, screen] of cases) {
    assert.equal(screenOf({ ...TICKET, ...change }, START_MS + later), screen);
  }
});
