import assert from "node:assert/strict";
import { test } from "node:test";

import { failureOf } from "../../gateway/web/js/failures.js";

const CASES = [
  // code, status, correlation id, while claiming -> name, retry, forgotten
  ["network", 0, "", true, "network", true, false],
  ["network", 0, "", false, "network", true, false],
  ["rate-limited", 429, "x", true, "too-many-requests", true, false],
  ["too-many-devices", 409, "x", true, "too-many-devices", true, false],
  ["token-refused", 403, "x", true, "claim-refused", false, false],
  ["not-found", 404, "x", true, "claim-refused", false, false],
  ["token-missing", 401, "x", false, "gone", false, true],
  ["not-found", 404, "x", false, "gone", false, false],
  ["internal", 500, "x", true, "unknown", true, false],
  ["bad-gateway", 502, "", false, "down", true, false],
];

for (const [code, status, correlationId, claiming, name, retry, forgotten] of CASES) {
  test(`${code} ${status}${claiming ? " at a link" : ""} is "${name}"`, () => {
    const failure = failureOf({ code, status, correlationId }, claiming);
    assert.deepEqual(failure, { name, retry, forgotten });
  });
}

test("every failure has its sentence in both languages", async () => {
  const { readFileSync } = await import("node:fs");
  for (const language of ["en", "es"]) {
    const path = new URL(`../../gateway/web/messages/${language}.json`, import.meta.url);
    const messages = JSON.parse(readFileSync(path, "utf8"));
    for (const [, , , , name] of CASES) {
      assert.ok(messages[`${name}.title`] && messages[`${name}.text`], `${language} ${name}`);
    }
  }
});
