import assert from "node:assert/strict";
import { test } from "node:test";

import { distance, level } from "../../gateway/web/js/handover.js";

test("level is nearer than an ear can tell, and far below a jump of 20 ms", () => {
  assert.deepEqual(level(0.004), { action: "swap" });
  assert.deepEqual(level(-0.0039), { action: "swap" });
});

test("where it does not succeed less is asked for, and never so little that a jump is heard", () => {
  assert.equal(level(0.007).action, "bend");
  assert.deepEqual(level(0.007, 4), { action: "swap" });
  assert.equal(level(0.0121, 99).action, "bend");
});

test("a bend takes away what it was planned for, in the right direction", () => {
  for (const aheadS of [0.005, -0.005, 0.03, -0.06, 0.1]) {
    const plan = level(aheadS);
    assert.equal(plan.action, "bend");
    const gainedS = (plan.rate - 1) * plan.forS;
    assert.ok(Math.abs(gainedS + aheadS) < 1e-9, `${aheadS}: ${gainedS}`);
    assert.ok(plan.forS <= 1);
  }
});

test("what is far off is begun anew", () => {
  assert.deepEqual(level(0.2), { action: "restart" });
  assert.deepEqual(level(-3), { action: "restart" });
});

test("one reading that went wrong does not count", () => {
  assert.equal(distance([0.002, 0.003, 0.5, 0.001, 0.003]), 0.003);
});
