import assert from "node:assert/strict";
import { test } from "node:test";

import { Strikes } from "../../gateway/web/js/strikes.js";

test("what goes wrong now and then goes on, and what does again and again is given up", () => {
  const strikes = new Strikes(3, 60_000);
  for (const atMs of [0, 50_000, 110_000, 170_000]) assert.equal(strikes.add(atMs), false);
  assert.equal(strikes.add(171_000), false);
  assert.equal(strikes.add(172_000), true);
  // She tries once more: that is a new matter.
  assert.equal(strikes.add(173_000), false);
});
