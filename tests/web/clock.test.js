import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock, read } from "../../gateway/web/js/clock.js";

const EPOCH_MS = 1_795_000_000_000;

/** An exchange with a server whose clock is `offsetMs` ahead of the device's. */
function exchange({ at, offsetMs = EPOCH_MS, there = 10, inside = 1, back = 10, boundUs = 0 }) {
  return {
    sentMs: at,
    receivedMs: at + there + inside + back,
    serverReceivedUs: (at + there + offsetMs) * 1000,
    serverSentUs: (at + there + inside + offsetMs) * 1000,
    serverBoundUs: boundUs,
  };
}

test("an even way gives the exact offset, and half the round trip as its bound", () => {
  const reading = read(exchange({ at: 1000, there: 10, back: 10, boundUs: 200 }));
  assert.equal(Math.round(reading.offsetMs * 1000), EPOCH_MS * 1000);
  assert.equal(reading.roundTripMs, 20);
  assert.equal(reading.boundMs, 10 + 0.2 + 0.5);
});

test("an uneven way is wrong by half the difference, within the bound", () => {
  const reading = read(exchange({ at: 0, there: 40, back: 0 }));
  assert.ok(Math.abs(reading.offsetMs - EPOCH_MS - 20) < 0.01);
  assert.ok(Math.abs(reading.offsetMs - EPOCH_MS) <= reading.boundMs);
});

test("nothing is known before the first exchange", () => {
  assert.equal(new Clock().estimate(0), null);
  assert.equal(new Clock().tellMs(0), null);
});

test("the lowest round trip of a burst wins", () => {
  const clock = new Clock();
  for (const [there, back] of [[80, 20], [4, 4], [15, 60]]) {
    clock.add(read(exchange({ at: 100, there, back })));
  }
  assert.ok(Math.abs(clock.tellMs(500) - (EPOCH_MS + 500)) < 0.01);
});

test("the bound grows with age, until a newer and worse exchange is the better one", () => {
  const clock = new Clock();
  clock.add(read(exchange({ at: 0, there: 2, back: 2 })));
  const fresh = clock.estimate(5).boundMs;
  const hourLater = clock.estimate(3_600_000).boundMs;
  assert.ok(hourLater > fresh + 300);
  clock.add(read(exchange({ at: 3_600_000, there: 20, back: 20 })));
  assert.ok(clock.estimate(3_600_100).boundMs < 25);
});

test("a stepped clock makes what was known before useless", () => {
  const clock = new Clock();
  clock.add(read(exchange({ at: 0, there: 1, back: 1 })));
  clock.add(read(exchange({ at: 10_000, there: 50, back: 50, offsetMs: EPOCH_MS + 300_000 })));
  assert.ok(Math.abs(clock.tellMs(10_100) - (EPOCH_MS + 310_100)) < 0.01);
});
