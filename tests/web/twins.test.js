// The app's side of the cases that the Python modules keep too (tests/cases/test_twins.py).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Clock, read } from "../../gateway/web/js/clock.js";
import {
  heldPositionS,
  instantMs,
  offsetS,
  phaseAt,
  timesOf,
} from "../../gateway/web/js/timeline.js";

const cases = (name) =>
  JSON.parse(readFileSync(new URL(`../cases/${name}.json`, import.meta.url), "utf8"));
const near = (value, expected, by) =>
  assert.ok(Math.abs(value - expected) <= by, `${value} is not ${expected}`);

/** Half a millisecond: how coarse performance.now() is (clock.js). */
const PRECISION_US = 500;

for (const one of cases("clock").exchanges) {
  test(`exchange: ${one.name}`, () => {
    const reading = read({
      sentMs: one.sent_us / 1000,
      receivedMs: one.received_us / 1000,
      serverReceivedUs: one.server_received_us,
      serverSentUs: one.server_sent_us,
      serverBoundUs: one.server_bound_us,
    });
    near(reading.offsetMs * 1000, one.offset_us, 1e-3);
    near(reading.roundTripMs * 1000, one.round_trip_us, 1e-3);
    near(reading.boundMs * 1000, one.bound_us + PRECISION_US, 1e-3);
  });
}

for (const one of cases("clock").runs) {
  test(`run: ${one.name}`, () => {
    const clock = new Clock();
    for (const reading of one.readings) {
      clock.add({
        atMs: reading.at_us / 1000,
        offsetMs: reading.offset_us / 1000,
        boundMs: reading.bound_us / 1000,
        roundTripMs: (2 * reading.bound_us) / 1000,
      });
    }
    const { offsetMs, boundMs } = clock.estimate(one.now_us / 1000);
    assert.ok(Math.abs(offsetMs * 1000 - one.true_offset_us) <= boundMs * 1000);
    assert.ok(boundMs * 1000 <= one.at_most_bound_us, `${boundMs} ms`);
  });
}

for (const one of cases("timeline").instants) {
  test(`instant: ${one.now} is in ${one.phase}`, () => {
    const ticket = { ...cases("timeline").screening, phase: one.cancelled ? "cancelled" : "" };
    const times = timesOf(ticket);
    const nowMs = instantMs(one.now);
    // Epoch milliseconds are good to a fraction of a microsecond in a double.
    assert.equal(phaseAt(times, nowMs), one.phase);
    near(offsetS(times, nowMs), one.offset_s, 1e-6);
  });
}

for (const one of cases("playhead")) {
  test(`playhead: ${one.name}`, () => {
    const durationS = 4000;
    const expected = one.ends_at ? durationS : one.position_s;
    near(heldPositionS(one.offset_s, one.track_offset_s, durationS), expected, 1e-9);
  });
}
