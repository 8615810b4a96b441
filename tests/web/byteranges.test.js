import assert from "node:assert/strict";
import { test } from "node:test";

import { byteRange } from "../../gateway/web/js/byteranges.js";

test("a range is its first byte and the one after its last", () => {
  const cases = [
    ["bytes=0-", { start: 0, end: 100 }],
    ["bytes=0-0", { start: 0, end: 1 }],
    ["bytes=10-19", { start: 10, end: 20 }],
    ["bytes=90-1000", { start: 90, end: 100 }],
    ["bytes=-10", { start: 90, end: 100 }],
    ["bytes=-1000", { start: 0, end: 100 }],
    ["Bytes= 5-6 ", { start: 5, end: 7 }],
  ];
  for (const [header, range] of cases) assert.deepEqual(byteRange(header, 100), range, header);
});

test("what lies behind the end cannot be had", () => {
  for (const header of ["bytes=100-", "bytes=100-200", "bytes=-0"]) {
    assert.equal(byteRange(header, 100), "unsatisfiable", header);
  }
  assert.equal(byteRange("bytes=0-", 0), "unsatisfiable");
});

test("several ranges, other units and nonsense ask for the whole", () => {
  for (const header of [null, "", "bytes=", "bytes=-", "bytes=5-4", "bytes=0-1,5-6", "lines=0-1"]) {
    assert.equal(byteRange(header, 100), null, String(header));
  }
});
