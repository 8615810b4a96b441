import assert from "node:assert/strict";
import { test } from "node:test";

import { BEAT_MS, calibrate, CLICKS } from "../../gateway/web/js/calibration.js";
import { outputKey, parse, trimmed } from "../../gateway/web/js/trim.js";

test("a trim goes by steps of 10 ms and stays within half a second", () => {
  assert.equal(trimmed(124), 120);
  assert.equal(trimmed(-126), -130);
  assert.equal(trimmed(9999), 500);
  assert.ok(Object.is(trimmed(-3), 0));
});

test("what was kept is read again, and nonsense is no trim", () => {
  assert.equal(parse("130"), 130);
  for (const text of [null, "", "much", "NaN"]) assert.equal(parse(text), 0);
});

test("an output is known by its name, else by its id, else all share one trim", () => {
  const output = (deviceId, label, groupId = "") => ({ kind: "audiooutput", deviceId, groupId, label });
  const microphone = { kind: "audioinput", deviceId: "default", groupId: "m", label: "Mic" };
  assert.equal(outputKey([microphone, output("7", "Speaker"), output("default", "Buds")]), "Buds");
  assert.equal(outputKey([output("default", "", "g1")]), "g1");
  assert.equal(outputKey([output("abc", "")]), "abc");
  assert.equal(outputKey([microphone]), "default");
  assert.equal(outputKey([]), "default");
});

const CLICKS_MS = Array.from({ length: CLICKS }, (_, index) => 5000 + index * BEAT_MS);
/** People tap 30 ms ahead of what they hear. */
const tapsAt = (lateMs, scatter = () => 0) =>
  CLICKS_MS.map((clickMs, index) => clickMs + lateMs - 30 + scatter(index));

test("taps that come late tell by how much the sound does, though people tap ahead", () => {
  const even = calibrate(CLICKS_MS, tapsAt(180, (index) => (index % 2 ? 15 : -15)));
  assert.ok(Math.abs(even.lateMs - 180) <= 15);
  assert.ok(Math.abs(calibrate(CLICKS_MS, tapsAt(0)).lateMs) < 1e-9);
});

test("the first taps, while she finds the beat, do not count", () => {
  const found = calibrate(CLICKS_MS, tapsAt(100, (index) => (index < 4 ? 200 : 0)));
  assert.equal(Math.round(found.lateMs), 100);
});

test("a beat left out or tapped twice does not spoil the others", () => {
  const taps = tapsAt(150).filter((_, index) => index !== 7);
  taps.push(taps[9] + 80);
  assert.equal(Math.round(calibrate(CLICKS_MS, taps).lateMs), 150);
});

test("taps that belong to no beat tell nothing", () => {
  assert.equal(calibrate(CLICKS_MS, []), null);
  assert.equal(calibrate(CLICKS_MS, tapsAt(100).slice(0, 6)), null);
  const wild = tapsAt(100, (index) => ((index * 137) % 300) - 100);
  assert.equal(calibrate(CLICKS_MS, wild), null);
  assert.equal(calibrate([], [1, 2, 3]), null);
});
