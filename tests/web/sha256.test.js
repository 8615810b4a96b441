import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import { Sha256 } from "../../gateway/web/js/sha256.js";

function digest(...pieces) {
  const hash = new Sha256();
  for (const piece of pieces) hash.update(piece);
  return hash.hex();
}

const bytesOf = (text) => new TextEncoder().encode(text);

test("the examples of the standard's author come out right", () => {
  // NIST, Cryptographic Standards and Guidelines, examples for FIPS 180-4.
  const cases = [
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    [
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    ],
  ];
  for (const [text, hex] of cases) assert.equal(digest(bytesOf(text)), hex);
  assert.equal(
    digest(new Uint8Array(1_000_000).fill(97)),
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
  );
});

test("every length around a block, and every cut of it, is Node's own digest", () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) % 256);
    const expected = createHash("sha256").update(bytes).digest("hex");
    assert.equal(digest(bytes), expected, `length ${length}`);
    const cut = (length * 7) % (length + 1);
    assert.equal(digest(bytes.subarray(0, cut), bytes.subarray(cut)), expected, `cut ${cut}`);
  }
});
