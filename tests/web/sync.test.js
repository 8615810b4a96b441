import assert from "node:assert/strict";
import { test } from "node:test";

import { cue, decide, estimate, learn } from "../../gateway/web/js/sync.js";

/** The narrator speaks, and no pause is near. */
const SPEECH = { inS: Infinity, forS: 0 };
const PAUSE = { inS: 0, forS: 0.8 };
const pauseIn = (inS) => ({ inS, forS: 0.8 });

test("where a bend would be heard it is sought in a pause, and little is left as it is", () => {
  const unbent = (errorS, pause, forS = 0, after = null) => decide(errorS, pause, forS, after, false);
  for (const error of [0.006, -0.014]) assert.equal(unbent(error, PAUSE).action, "keep");
  for (const error of [0.02, -0.035]) {
    assert.equal(unbent(error, SPEECH).action, "keep");
    assert.equal(unbent(error, PAUSE).action, "seek");
    // One seek does not follow the other at once: it may have landed so.
    assert.equal(unbent(error, PAUSE, 0, "start").action, "keep");
  }
  for (const error of [0.05, -0.09]) {
    assert.deepEqual(unbent(error, pauseIn(1.2)), { action: "wait", forS: 1.2 });
    assert.deepEqual(unbent(error, SPEECH, 0.5), { action: "wait", forS: 1 });
    assert.equal(unbent(error, SPEECH, 1.5).action, "seek");
    assert.equal(unbent(error, PAUSE, 0, "start").action, "seek");
    assert.equal(unbent(error, { inS: 0, forS: 0.1 }).action, "wait");
    assert.equal(unbent(error, SPEECH, 0, "gap").action, "seek");
  }
  assert.deepEqual(unbent(0.4, pauseIn(1.2)), decide(0.4, pauseIn(1.2), 0));
});

test("a few milliseconds are left alone", () => {
  for (const error of [0, 0.004, -0.004]) {
    assert.deepEqual(decide(error, SPEECH, 0), { action: "keep" });
  }
});

test("sound that crept ahead is put as far to the other side, since it will creep on", () => {
  for (const pause of [SPEECH, PAUSE]) {
    const { rate, forS } = decide(0.005, pause, 0);
    assert.ok(Math.abs(0.005 + (rate - 1) * forS + 0.004) < 1e-9);
  }
  // Neither what just began, nor what is behind: a busy device reads late.
  for (const [error, after] of [[0.005, "start"], [-0.005, null]]) {
    const { rate, forS } = decide(error, SPEECH, 0, after);
    assert.ok(Math.abs(error + (rate - 1) * forS) < 1e-9);
  }
  assert.ok(decide(0.005, { inS: 0, forS: 0.06 }, 0).forS <= 0.06);
});

test("while the narrator speaks a bend stays within half a semitone, and goes the right way", () => {
  for (const error of [0.016, -0.01, 0.03, -0.05, 0.099, -0.099]) {
    const { action, rate, forS } = decide(error, SPEECH, 0);
    assert.equal(action, "bend");
    assert.ok(Math.abs(rate - 1) <= 0.03 + 1e-9);
    assert.ok(forS <= 1.5);
    const left = error + (rate - 1) * forS;
    assert.ok(Math.abs(left) < Math.abs(error) && left * error >= -1e-12);
  }
});

test("right after a start what would be noticed goes within a second and a quarter", () => {
  for (const error of [0.03, -0.05, 0.099]) {
    const { action, rate, forS } = decide(error, SPEECH, 0, "start");
    assert.equal(action, "bend");
    assert.ok(forS <= 1.25 && Math.abs(rate - 1) <= 0.08 + 1e-9);
    assert.ok(Math.abs(error + (rate - 1) * forS) < 1e-9);
  }
  assert.deepEqual(decide(0.02, SPEECH, 0, "start"), decide(0.02, SPEECH, 0));
});

test("in a pause it is bent away at once, and not beyond the pause", () => {
  const { rate, forS } = decide(-0.05, PAUSE, 0);
  assert.ok(Math.abs(-0.05 + (rate - 1) * forS) < 1e-9);
  assert.ok(decide(0.09, { inS: 0, forS: 0.3 }, 0).forS <= 0.3);
});

test("what nobody notices waits for the narrator's next pause", () => {
  assert.deepEqual(decide(0.012, pauseIn(2), 0), { action: "wait", forS: 2 });
  assert.equal(decide(0.012, pauseIn(60), 0).action, "bend");
  assert.equal(decide(0.05, pauseIn(2), 0).action, "bend");
});

test("a bend in speech ends where the pause begins", () => {
  assert.ok(decide(0.09, pauseIn(0.4), 0).forS <= 0.4);
});

test("a large error is left by a seek: in a pause at once, else in the next one", () => {
  assert.deepEqual(decide(0.1, PAUSE, 0), { action: "seek" });
  assert.deepEqual(decide(-0.4, pauseIn(1.2), 0), { action: "wait", forS: 1.2 });
  assert.deepEqual(decide(-0.4, pauseIn(1.6), 0), { action: "seek" });
  assert.deepEqual(decide(0.4, SPEECH, 0), { action: "seek" });
});

test("a large error is left 1.5 seconds after it was known at the latest", () => {
  assert.equal(decide(0.4, pauseIn(0.5), 0.9).action, "wait");
  assert.equal(decide(0.4, pauseIn(0.5), 1.1).action, "seek");
});

test("where she hears quite another place nothing is waited for", () => {
  for (const error of [2.5, -600]) assert.deepEqual(decide(error, pauseIn(0.5), 0), { action: "seek" });
});

test("late readings of a busy device do not draw the estimate", () => {
  assert.equal(estimate([0.001, -0.06, 0, -0.04, 0.001, -0.02]), 0.001);
  assert.equal(estimate([-0.02]), -0.02);
});

test("a cue lies ahead of the film, and farther when data came too late", () => {
  const first = cue(100, 0);
  assert.ok(Math.abs(first.targetS - 100 - first.inS) < 1e-9);
  assert.ok(cue(100, 2).inS > first.inS);
  assert.equal(cue(100, 99).inS, cue(100, 3).inS);
});

test("before the track begins the cue is its first sample, at its instant", () => {
  assert.deepEqual(cue(-90, 0), { targetS: 0, inS: 90 });
});

test("a learned delay believes half of a surprise and stays within reason", () => {
  assert.ok(Math.abs(learn(0.1, 0.02) - 0.11) < 1e-9);
  assert.ok(Math.abs(learn(0.1, -0.02) - 0.09) < 1e-9);
  assert.equal(learn(0.2, 5), 0.3);
});
