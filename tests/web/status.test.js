import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Messages } from "../../gateway/web/js/messages.js";
import { isSynced, playingText, statusText, syncLines, SyncWord } from "../../gateway/web/js/status.js";

const WEB = new URL("../../gateway/web/", import.meta.url);
const ENGLISH = JSON.parse(readFileSync(new URL("messages/en.json", WEB), "utf8"));
const messages = new Messages("en-US", ENGLISH);

/** In sync in every way. */
const KNOWN = {
  state: "playing",
  wanted: true,
  phase: "feature",
  notice: null,
  noticeId: "",
  untilSoundMs: 0,
  startFrom: "told",
  startBoundMs: 5,
  errorS: 0.004,
  clockBoundMs: 3,
  clockMeasured: true,
  trimMs: 0,
};
const said = (change) => {
  const known = { ...KNOWN, ...change };
  return statusText(messages, { ...known, synced: isSynced(known) });
};

test("in sync is said where everything is known, and nowhere else", () => {
  assert.match(said({}), /in sync/);
  const doubts = [
    { startFrom: "schedule" },
    { startFrom: "own" },
    { clockMeasured: false },
    { clockBoundMs: null },
    { clockBoundMs: 60 },
    { startBoundMs: 2000 },
    { errorS: null },
    { errorS: -0.05 },
    { state: "stalled" },
    { state: "waiting" },
    { state: "cueing" },
  ];
  for (const doubt of doubts) assert.doesNotMatch(said(doubt), /in sync/, JSON.stringify(doubt));
});

test("by the schedule alone it says that it may be minutes off, before the film and in it", () => {
  assert.match(said({ startFrom: "schedule" }), /minutes off/);
  assert.match(said({ startFrom: "schedule", state: "waiting" }), /minutes off/);
});

test("her own start is called hers, and a clock from memory is called that", () => {
  assert.match(said({ startFrom: "own" }), /you set/);
  assert.match(said({ startFrom: "own", state: "waiting", untilSoundMs: 90_000 }), /you set.*1 minute/);
  assert.match(playingText(messages, { ...KNOWN, clockMeasured: false }), /phone's own clock/);
});

test("a notice goes before everything", () => {
  assert.equal(said({ notice: "status.stalled" }), messages.text("status.stalled"));
  assert.match(said({ notice: "status.failed", noticeId: "abc" }), /abc/);
});

test("on demand it tells the sound, the clock, the start, and a trim where there is one", () => {
  const lines = syncLines(messages, KNOWN);
  assert.equal(lines.length, 3);
  assert.match(lines[0], /4 milliseconds ahead/);
  assert.match(lines[1], /within 3 milliseconds/);
  const trimmed = syncLines(messages, { ...KNOWN, trimMs: -20, clockMeasured: false });
  assert.match(trimmed[1], /last compared/);
  assert.match(trimmed[3], /20 milliseconds later/);
});

test("in sync is the word at once, and not taken back for a moment in which it could not be told", () => {
  const word = new SyncWord();
  assert.equal(word.look(true, false, 0), false);
  assert.equal(word.look(true, true, 1000), true);
  assert.equal(word.look(true, false, 5900), true);
  assert.equal(word.look(true, true, 6000), true);
  assert.equal(word.look(true, false, 11_000), false);
  assert.equal(word.look(true, false, 11_100), false);
  word.look(true, true, 12_000);
  // Once nothing plays there is nothing that could be in sync.
  assert.equal(word.look(false, false, 12_001), false);
  assert.equal(word.look(true, false, 12_002), false);
});
