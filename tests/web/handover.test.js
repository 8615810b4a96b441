import assert from "node:assert/strict";
import { test } from "node:test";

import { distance, level } from "../../gateway/web/js/handover.js";

test("level is nearer than an ear can tell, and far below a jump of 20 ms", () => {
  assert.deepEqual(level(0.004), { action: "swap" });
  assert.deepEqual(level(-0.0039), { action: "swap" });
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
