import assert from "node:assert/strict";
import { test } from "node:test";

import { cue, decide, estimate, learn } from "../../gateway/web/js/sync.js";

test("a few milliseconds are left alone", () => {
  for (const error of [0, 0.006, -0.006]) assert.deepEqual(decide(error), { action: "keep" });
});

test("a bend takes the error away exactly: slower when ahead, faster when behind", () => {
  for (const error of [0.01, -0.01, 0.03, -0.05, 0.06, -0.14]) {
    const { action, rate, forS } = decide(error);
    assert.equal(action, "bend");
    assert.ok(Math.abs(error + (rate - 1) * forS) < 1e-9);
    assert.ok(Math.abs(rate - 1) <= 0.1 + 1e-9);
    assert.ok(forS <= 1.5);
  }
});

test("what is barely noticed is bent gently", () => {
  assert.ok(Math.abs(decide(0.02).rate - 1) <= 0.03 + 1e-9);
});

test("a large error begins again", () => {
  for (const error of [0.2, -3, 600]) assert.deepEqual(decide(error), { action: "recue" });
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
