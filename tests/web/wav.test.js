import assert from "node:assert/strict";
import { test } from "node:test";

import { wav } from "../../gateway/web/js/wav.js";

test("a WAV file says its rate, its length and its samples", () => {
  const bytes = wav(8000, 3, (index) => [0, 1, -1][index]);
  const view = new DataView(bytes.buffer);
  const text = (at, length) => new TextDecoder().decode(bytes.slice(at, at + length));
  assert.equal(text(0, 4) + text(8, 8), "RIFFWAVEfmt ");
  assert.equal(view.getUint32(4, true), bytes.length - 8);
  assert.equal(view.getUint32(24, true), 8000);
  assert.equal(view.getUint32(40, true), 6);
  assert.deepEqual([44, 46, 48].map((at) => view.getInt16(at, true)), [0, 32767, -32767]);
});
