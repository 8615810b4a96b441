import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Messages } from "../../gateway/web/js/messages.js";
import { Telling } from "../../gateway/web/js/telling.js";

const ENGLISH = JSON.parse(
  readFileSync(new URL("../../gateway/web/messages/en.json", import.meta.url), "utf8"),
);

/** What is told of a sound that stands as `known` says. */
function told(known) {
  const said = [];
  const announcer = { say: (sentence, how) => said.push([sentence, how.urgency]), withdraw: () => {} };
  const messages = new Messages("en", ENGLISH);
  return { said, telling: new Telling({ announcer, messages, known: () => known }) };
}

const SETTLING = ["Playing. Coming into sync.", "news"];
const SYNCED = ["Playing, in sync with the film.", "news"];

test("that it has come into sync is said once, as news", () => {
  const known = { startFrom: "told", clockMeasured: true, synced: false };
  const { said, telling } = told(known);
  telling.playing();
  known.synced = true;
  telling.synced();
  telling.synced();
  assert.deepEqual(said, [SETTLING, SYNCED]);
  // After a stall it is a new matter.
  known.synced = false;
  telling.playing();
  known.synced = true;
  telling.synced();
  assert.deepEqual(said.slice(2), [SETTLING, SYNCED]);
});

test("what began in sync is not told twice", () => {
  const { said, telling } = told({ startFrom: "told", clockMeasured: true, synced: true });
  telling.playing();
  telling.synced();
  assert.deepEqual(said, [SYNCED]);
});
