import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isNone,
  kept,
  mark,
  NONE,
  nudge,
  parse,
  startMs,
} from "../../gateway/web/js/nudges.js";

const START = { startMs: 1_000_000, source: "schedule" };
const TOLD = { startMs: 1_200_000, source: "partner_event" };

test("without her word the film begins when Tell says", () => {
  assert.equal(startMs(START, NONE), 1_000_000);
  assert.ok(isNone(NONE));
});

test("the film starts now: that is its start, and nudges count from there", () => {
  const marked = mark(START, 1_090_000);
  assert.equal(startMs(START, marked), 1_090_000);
  assert.equal(startMs(START, nudge(nudge(marked, START, -1000), START, 10_000)), 1_099_000);
});

test("a mark ends what was moved by ear before it", () => {
  const moved = nudge(NONE, START, 5000);
  assert.equal(startMs(START, mark(START, 1_090_000)), 1_090_000);
  assert.equal(startMs(START, moved), 1_005_000);
});

test("nudges that take each other back are none, and none go past half an hour", () => {
  assert.ok(isNone(nudge(nudge(NONE, START, 1000), START, -1000)));
  let far = NONE;
  for (let count = 0; count < 500; count += 1) far = nudge(far, START, 10_000);
  assert.equal(startMs(START, far), 1_000_000 + 30 * 60_000);
});

test("another schedule does not take her word away, the cinema's own does", () => {
  const marked = mark(START, 1_090_000);
  assert.equal(kept(marked, { ...START, startMs: 1_500_000 }), marked);
  assert.equal(kept(marked, TOLD), NONE);
  assert.equal(kept(nudge(NONE, START, 3000), TOLD), NONE);
});

test("a nudge against what the cinema told goes with the film when it is moved again", () => {
  const moved = kept(nudge(NONE, TOLD, 2000), { ...TOLD, startMs: 1_300_000 });
  assert.equal(startMs({ ...TOLD, startMs: 1_300_000 }, moved), 1_302_000);
});

test("what was kept is read again, and nonsense is no word", () => {
  const marked = mark(START, 1_090_000.5);
  assert.deepEqual(parse(JSON.stringify(marked)), marked);
  for (const text of [null, "", "null", "{", "7", '{"markMs":"x"}', '{"byMs":null}']) {
    assert.ok(isNone(parse(text)), String(text));
  }
});
