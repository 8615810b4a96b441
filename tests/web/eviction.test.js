import assert from "node:assert/strict";
import { test } from "node:test";

import { isDue, makeRoom, neededMs } from "../../gateway/web/js/eviction.js";

const HOUR = 3600_000;
const NOW = 1000 * HOUR;

/** A track of *sizeBytes* with showings that start so many hours from now and last two. */
function track(sha256, sizeBytes, ...inHours) {
  const showings = inHours.map((hours) => ({
    movieStartMs: NOW + hours * HOUR,
    creditsEndMs: NOW + (hours + 2) * HOUR,
  }));
  return { sha256, sizeBytes, showings };
}

const ask = (kept, need, more = {}) =>
  makeRoom({ kept, need, limitBytes: 300, nowMs: NOW, ...more });

test("what fits removes nothing, to the last byte", () => {
  assert.deepEqual(ask([track("a", 200, -10)], track("new", 100, 5)), { fits: true, remove: [] });
});

test("ended ones go first, the one that ended first before the others", () => {
  const kept = [track("later", 100, 50), track("old", 100, -20), track("older", 100, -30)];
  assert.deepEqual(ask(kept, track("new", 100, 5)), { fits: true, remove: ["older"] });
  assert.deepEqual(ask(kept, track("new", 150, 5)), { fits: true, remove: ["older", "old"] });
});

test("then the latest showing goes, and never one that is before the new one", () => {
  const kept = [track("tonight", 100, 3), track("friday", 100, 60), track("saturday", 100, 90)];
  assert.deepEqual(ask(kept, track("new", 100, 5)), { fits: true, remove: ["saturday"] });
  assert.deepEqual(ask(kept, track("new", 200, 5)), { fits: true, remove: ["saturday", "friday"] });
  assert.deepEqual(ask(kept, track("new", 250, 5)), { fits: false, remove: [] });
  assert.deepEqual(ask(kept, track("new", 100, 120)), { fits: false, remove: [] });
});

test("the one that plays stays, even after its showing", () => {
  const kept = [track("over", 250, -2.1)];
  const need = track("new", 100, 5);
  assert.deepEqual(ask(kept, need, { playing: "over" }), { fits: false, remove: [] });
  assert.deepEqual(ask(kept, need), { fits: true, remove: ["over"] });
});

test("a track that is larger than the limit removes nothing", () => {
  assert.deepEqual(ask([track("a", 100, -10)], track("new", 301, 5)), { fits: false, remove: [] });
});

test("a track of several tickets is as near as its next showing, and ended with its last", () => {
  assert.equal(neededMs(track("a", 1, -10, 4, 9), NOW), NOW + 4 * HOUR);
  assert.equal(neededMs(track("a", 1, -1, 9), NOW), -Infinity);
  assert.equal(neededMs(track("a", 1, -10, -20), NOW), null);
  assert.equal(neededMs(track("a", 1), NOW), null);
});

test("show day is the day before the film until its end", () => {
  assert.equal(isDue(track("a", 1, 24), null, NOW), true);
  assert.equal(isDue(track("a", 1, 24.1), null, NOW), false);
  assert.equal(isDue(track("a", 1, -1.9), null, NOW), true);
  assert.equal(isDue(track("a", 1, -2), null, NOW), false);
});

test("what was looked through before show day began is looked through again, and then no more", () => {
  const tonight = track("a", 1, 20);
  assert.equal(isDue(tonight, NOW - 5 * HOUR, NOW), true);
  assert.equal(isDue(tonight, NOW - 3 * HOUR, NOW), false);
  assert.equal(isDue(track("a", 1, 20, 43), NOW - 3 * HOUR, NOW), false);
});
