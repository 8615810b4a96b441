import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Messages } from "../../gateway/web/js/messages.js";
import { assess, soundOf, verdict } from "../../gateway/web/js/readiness.js";

const ENGLISH = JSON.parse(
  readFileSync(new URL("../../gateway/web/messages/en.json", import.meta.url), "utf8"),
);
const messages = new Messages("en-US", ENGLISH);
const WHOLE = { state: "whole", percent: 100, sizeBytes: 57.6e6 };
const READY = {
  download: WHOLE,
  online: true,
  clockBoundMs: 3.2,
  clockMeasured: true,
  sound: "heard",
  persisted: true,
};

function line(known) {
  const { key, missing, values } = verdict(assess(known));
  const said = { time: "19:30", number: "7", missing: missing ? messages.text(missing) : "" };
  return messages.text(key, { ...said, ...values });
}

const sentences = (known) => assess(known).map(({ key, values }) => messages.text(key, values));

test("ready is one line", () => {
  assert.equal(line(READY), "Ready for 19:30, auditorium 7");
  // Known from another visit, or not promised by the browser: said, and no reason to wait.
  assert.equal(
    line({ ...READY, online: false, clockMeasured: false, clockBoundMs: 90, persisted: false }),
    "Ready for 19:30, auditorium 7",
  );
});

test("what comes by the network is ready while there is network", () => {
  const loading = { ...WHOLE, state: "loading", percent: 40 };
  assert.equal(
    line({ ...READY, download: loading }),
    "Ready for 19:30, auditorium 7, while there is network",
  );
  assert.equal(
    line({ ...READY, download: loading, online: false }),
    "Not ready yet for 19:30, auditorium 7: no description on this phone, and no network",
  );
});

test("a clock that may be seconds off is said in the line, where no network will mend it", () => {
  const slept = { ...READY, clockMeasured: false, clockBoundMs: 1234 };
  assert.equal(line(slept), "Ready for 19:30, auditorium 7; this phone's clock may be 2 seconds off");
  const streamed = { ...slept, download: { ...WHOLE, state: "never" } };
  assert.equal(line(streamed), "Ready for 19:30, auditorium 7, while there is network");
});

test("the first thing that is missing is said", () => {
  assert.equal(
    line({ ...READY, sound: "untested" }),
    "Not ready yet for 19:30, auditorium 7: test the sound",
  );
  assert.equal(
    line({ ...READY, clockBoundMs: null, sound: "unheard" }),
    "Not ready yet for 19:30, auditorium 7: the clock is not compared yet",
  );
  const mute = { ...READY, download: { ...WHOLE, state: "no-codec" } };
  assert.equal(verdict(assess(mute)).missing, "ready.missing.track");
});

test("each state of a download has its sentence", () => {
  const states = [
    "none", "loading", "whole", "damaged", "offline", "sparing", "never", "slow", "no-room",
    "unsupported", "no-codec", "failed", "no-disk",
  ];
  for (const state of states) {
    for (const sound of ["heard", "untested", "unheard"]) {
      const said = sentences({ ...READY, sound, download: { ...WHOLE, state } });
      assert.equal(said.length, 4);
      for (const sentence of said) assert.ok(!/\{|undefined/.test(sentence), sentence);
    }
  }
  assert.equal(sentences(READY)[0], "Ready, also without network.");
});

test("a sound that was heard counts for the evening, one not heard at once", () => {
  const HOUR = 3600_000;
  assert.equal(soundOf(null, 100 * HOUR, false), "untested");
  assert.equal(soundOf(95 * HOUR, 100 * HOUR, false), "heard");
  assert.equal(soundOf(80 * HOUR, 100 * HOUR, false), "untested");
  assert.equal(soundOf(95 * HOUR, 100 * HOUR, true), "unheard");
  // The phone's clock was set back: that evening is not this one.
  assert.equal(soundOf(101 * HOUR, 100 * HOUR, false), "untested");
});
