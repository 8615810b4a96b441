import assert from "node:assert/strict";
import { test } from "node:test";

import { Held } from "../../gateway/web/js/held.js";

const SPEECH = { inS: Infinity, forS: 0 };
const PAUSE = { inS: 0, forS: 2 };

test("while nothing plays, and as it begins, what is true is shown at once", () => {
  const held = new Held();
  assert.deepEqual(held.pass("Starting.", null, 0), { sentence: "Starting.", againMs: null });
  assert.equal(held.pass("Playing.", SPEECH, 1000).sentence, "Playing.");
  assert.equal(held.pass("Stopped.", null, 1100).sentence, "Stopped.");
});

test("while it plays it changes in a pause, and after twenty seconds without one", () => {
  const held = new Held();
  held.pass("Settling.", SPEECH, 0);
  assert.deepEqual(held.pass("Synced.", { inS: 3, forS: 1 }, 1000), { sentence: "Settling.", againMs: 3000 });
  assert.deepEqual(held.pass("Synced.", PAUSE, 4000), { sentence: "Synced.", againMs: null });
  assert.deepEqual(held.pass("Settling.", SPEECH, 5000), { sentence: "Synced.", againMs: 20_000 });
  assert.equal(held.pass("Settling.", SPEECH, 25_000).sentence, "Settling.");
  // What came back to what is shown waits for nothing.
  held.pass("Synced.", SPEECH, 26_000);
  assert.deepEqual(held.pass("Settling.", SPEECH, 27_000), { sentence: "Settling.", againMs: null });
});
