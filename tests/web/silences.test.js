import assert from "node:assert/strict";
import { test } from "node:test";

import { Silences } from "../../gateway/web/js/silences.js";

const S = 48_000;
const silences = new Silences([[1 * S, 2 * S], [10 * S, 10.5 * S], [20 * S, 30 * S]]);

test("the next pause is told by how far it is and how long it lasts", () => {
  assert.deepEqual(silences.next(0), { inS: 1, forS: 1 });
  assert.deepEqual(silences.next(9.75), { inS: 0.25, forS: 0.5 });
});

test("within a pause it is here, for what is left of it", () => {
  assert.deepEqual(silences.next(1), { inS: 0, forS: 1 });
  assert.deepEqual(silences.next(25), { inS: 0, forS: 5 });
});

test("a pause does not include its last instant", () => {
  assert.deepEqual(silences.next(2), { inS: 8, forS: 0.5 });
});

test("before the track begins the first pause is farther off", () => {
  assert.deepEqual(silences.next(-4), { inS: 5, forS: 1 });
});

test("after the last pause, and in a track that was not measured, none is known", () => {
  assert.deepEqual(silences.next(30), { inS: Infinity, forS: 0 });
  assert.deepEqual(new Silences(null).next(3), { inS: Infinity, forS: 0 });
  assert.deepEqual(new Silences([]).next(3), { inS: Infinity, forS: 0 });
});
