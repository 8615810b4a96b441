import assert from "node:assert/strict";
import { test } from "node:test";

import { cameApartMs, Clock, read } from "../../gateway/web/js/clock.js";

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

/** Ways drawn alike in each run: a generator with a seed (Park and Miller, 1988). */
function drawing(seed = 1) {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Exchanges in bursts of 8, each half minute, over ways that tremble; the truth is told. */
function listened({ minutes, driftPpm, least, jitterMs, draw, from = 0 }) {
  const clock = new Clock();
  const offsetAt = (at) => EPOCH_MS + (at * driftPpm) / 1e6;
  for (let at = from; at < from + minutes * 60_000; at += 30_000) {
    for (let count = 0; count < 8; count += 1) {
      const begun = at + count * 60;
      const there = least.there + jitterMs * draw() ** 3;
      const back = least.back + jitterMs * draw() ** 3;
      clock.add(read(exchange({ at: begun, offsetMs: offsetAt(begun), there, back })));
    }
  }
  return { clock, errorAt: (at) => clock.estimate(at).offsetMs - offsetAt(at) };
}

test("the shortest way there and the shortest way back count, of whichever exchanges", () => {
  const clock = new Clock();
  clock.add(read(exchange({ at: 0, there: 2, back: 80 })));
  clock.add(read(exchange({ at: 100, there: 90, back: 2 })));
  const { offsetMs, boundMs } = clock.estimate(300);
  assert.ok(Math.abs(offsetMs - EPOCH_MS) < 1);
  assert.ok(boundMs < 4);
});

test("the truth lies within the bound under jitter, one-sided ways and drift", () => {
  for (const driftPpm of [-200, -30, 0, 50, 200]) {
    for (const least of [{ there: 5, back: 5 }, { there: 30, back: 10 }]) {
      const draw = drawing(7);
      const { clock, errorAt } = listened({ minutes: 10, driftPpm, least, jitterMs: 150, draw });
      for (const at of [600_000, 605_000, 1_200_000, 7_200_000]) {
        assert.ok(Math.abs(errorAt(at)) <= clock.estimate(at).boundMs, `${driftPpm} at ${at}`);
      }
      // What the ways differ by cannot be known; beyond half of it little is left.
      const unknowable = Math.abs(least.there - least.back) / 2;
      assert.ok(Math.abs(errorAt(600_000)) < unknowable + 4);
    }
  }
});

test("a drift that was measured keeps the time when the network is gone", () => {
  const { clock, errorAt } = listened({
    minutes: 20,
    driftPpm: 120,
    least: { there: 3, back: 3 },
    jitterMs: 20,
    draw: drawing(3),
  });
  assert.ok(Math.abs(clock.driftPpm - 120) < 10);
  const hourLater = 80 * 60_000;
  assert.ok(Math.abs(errorAt(hourLater)) < 40);
  assert.ok(clock.estimate(hourLater).boundMs < 120);
});

test("the bound grows with age, and never stands still", () => {
  const { clock } = listened({
    minutes: 20,
    driftPpm: 0,
    least: { there: 3, back: 3 },
    jitterMs: 20,
    draw: drawing(5),
  });
  let before = 0;
  for (const at of [1_200_000, 1_260_000, 2_000_000, 4_000_000]) {
    const { boundMs } = clock.estimate(at);
    assert.ok(boundMs > before);
    before = boundMs;
  }
});

test("a drift that changes is believed within minutes", () => {
  const clock = new Clock();
  let offsetMs = EPOCH_MS;
  for (let at = 0; at < 3_600_000; at += 30_000) {
    offsetMs += 30_000 * (at < 1_800_000 ? 40e-6 : -40e-6);
    clock.add(read(exchange({ at, offsetMs, there: 2, back: 2 })));
    assert.ok(Math.abs(clock.estimate(at + 5).offsetMs - offsetMs) <= 4);
  }
  assert.ok(clock.driftPpm < 0);
});

test("after a sleep in which the device's clock stood still, the next exchange is believed", () => {
  const clock = new Clock();
  clock.add(read(exchange({ at: 0, there: 4, back: 4 })));
  const apart = cameApartMs({ deviceMs: 0, wallMs: 0 }, { deviceMs: 1000, wallMs: 601_000 });
  assert.equal(apart, 600_000);
  clock.doubt(apart);
  assert.ok(clock.estimate(1000).boundMs >= 600_000);
  const slept = EPOCH_MS + apart;
  clock.add(read(exchange({ at: 1000, offsetMs: slept, there: 6, back: 6 })));
  assert.ok(Math.abs(clock.estimate(1100).offsetMs - slept) < 0.1);
  assert.ok(clock.estimate(1100).boundMs < 8);
});

test("a device that slept without network goes on by its wall clock, and says so", () => {
  const clock = new Clock();
  clock.add(read(exchange({ at: 0, there: 4, back: 4 })));
  const slept = 20 * 60_000;
  clock.doubt(slept / 2);
  clock.doubt(slept / 2);
  clock.settle();
  const { offsetMs, boundMs } = clock.estimate(1000);
  assert.ok(Math.abs(offsetMs - (EPOCH_MS + slept)) < 1);
  assert.ok(boundMs > 300 && boundMs < 400, String(boundMs));
  assert.equal(clock.measured, false);
  assert.equal(clock.remember(1000, 0), null);
  clock.add(read(exchange({ at: 2000, offsetMs: EPOCH_MS + slept + 50, there: 4, back: 4 })));
  assert.equal(clock.measured, true);
  assert.ok(Math.abs(clock.estimate(2100).offsetMs - (EPOCH_MS + slept + 50)) < 0.1);
});

test("without network a wall clock that was set back, or corrected a little, moves nothing", () => {
  for (const [byMs, leastMs] of [[-3_600_000, 0], [400, 400]]) {
    const clock = new Clock();
    clock.add(read(exchange({ at: 0, there: 4, back: 4 })));
    clock.doubt(byMs);
    clock.settle();
    const { offsetMs, boundMs } = clock.estimate(1000);
    assert.ok(Math.abs(offsetMs - EPOCH_MS) < 1);
    assert.ok(boundMs >= leastMs && boundMs < leastMs + 10, String(boundMs));
    assert.equal(clock.measured, false);
  }
});

test("what is not in doubt is not touched by a network that is gone", () => {
  const clock = new Clock();
  clock.settle();
  assert.equal(clock.estimate(0), null);
  clock.add(read(exchange({ at: 0, there: 4, back: 4 })));
  const before = clock.estimate(1000);
  clock.settle();
  assert.deepEqual(clock.estimate(1000), before);
  assert.equal(clock.measured, true);
});

test("a wall clock that was set costs nothing once Tell was asked again", () => {
  const clock = new Clock();
  clock.add(read(exchange({ at: 0, there: 4, back: 4 })));
  clock.doubt(cameApartMs({ deviceMs: 0, wallMs: 300_000 }, { deviceMs: 1000, wallMs: 1000 }));
  clock.add(read(exchange({ at: 1000, there: 9, back: 9 })));
  assert.ok(Math.abs(clock.estimate(1100).offsetMs - EPOCH_MS) < 0.1);
});

test("the clock is remembered from one visit to the next, and said to be", () => {
  const before = new Clock();
  assert.equal(before.remember(0, 0), null);
  before.add(read(exchange({ at: 5000, there: 5, back: 5 })));
  const wallMs = EPOCH_MS - 300_000; // The device's wall clock is five minutes behind.
  const kept = before.remember(10_000, wallMs + 10_000);
  const after = new Clock();
  // An hour later in another page, whose own clock began anew.
  after.recall(kept, 700, wallMs + 10_000 + 3_600_000);
  const { offsetMs, boundMs } = after.estimate(700);
  assert.ok(Math.abs(700 + offsetMs - (EPOCH_MS + 10_000 + 3_600_000)) < 0.1);
  assert.ok(boundMs > 1000 && boundMs < 1200);
  assert.equal(after.measured, false);
  assert.equal(after.remember(800, wallMs), null);
  after.add(read(exchange({ at: 900, there: 5, back: 5, offsetMs: EPOCH_MS + 4e6 })));
  assert.equal(after.measured, true);
  assert.ok(after.estimate(1000).boundMs < 7);
});

test("a memory from the future is of a clock that was set back: it tells nothing", () => {
  const clock = new Clock();
  clock.recall({ wallMs: 1000, tellMinusWallMs: 5, boundMs: 1 }, 0, 500);
  assert.equal(clock.estimate(0), null);
});
