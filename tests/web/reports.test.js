import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../gateway/web/js/api.js";
import { reporting, reportOf, Reports } from "../../gateway/web/js/reports.js";

/** A sound that is 12.34 ms late. */
const HEARD = {
  correlationId: "q7m2",
  phase: "feature",
  playing: { source: "hls", rendition: "aac-64k" },
  errorS: -0.01234,
  boundMs: 3.21,
  rebuffers: 5,
};

/** Its clock stands until it is moved by `pass`, which wakes who waits. */
function desk({ answer = async () => {}, heard = HEARD } = {}) {
  const kept = new Map();
  const sent = [];
  let nowMs = 1000;
  let sleepers = [];
  const made = {
    sent,
    heard,
    answer,
    memory: {
      get: (key) => kept.get(key) ?? null,
      set: (key, value) => kept.set(key, value),
      remove: (key) => kept.delete(key),
    },
    async pass(ms) {
      for (const endMs = nowMs + ms; nowMs < endMs; ) {
        nowMs = Math.min(endMs, ...sleepers.map(({ atMs }) => atMs));
        const due = sleepers.filter(({ atMs }) => atMs <= nowMs);
        sleepers = sleepers.filter(({ atMs }) => atMs > nowMs);
        for (const { wake } of due) wake();
        // Everything that they do at once is done.
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
  made.reports = new Reports({
    api: {
      playback(report) {
        sent.push({ atS: nowMs / 1000, ...report });
        return made.answer();
      },
    },
    memory: made.memory,
    sleep: (ms) => new Promise((wake) => sleepers.push({ atMs: nowMs + ms, wake })),
    nowMs: () => nowMs,
    heard: () => made.heard,
  });
  return made;
}

test("a report has what the contract asks for, and tenths of a millisecond", () => {
  assert.deepEqual(reportOf(HEARD, 3), {
    correlation_id: "q7m2",
    source: "hls",
    rendition: "aac-64k",
    phase: "feature",
    error_ms: -12.3,
    bound_ms: 3.2,
    rebuffers: 2,
  });
});

test("what was not measured is not told", () => {
  assert.equal(reportOf(null, 0), null);
  for (const name of ["playing", "errorS", "boundMs"]) {
    assert.equal(reportOf({ ...HEARD, [name]: null }, 0), null, name);
  }
  assert.equal(reportOf({ ...HEARD, playing: { source: "hls", rendition: null } }, 0), null);
});

test("ten seconds after the first sound, then each half minute, and once more at the end", async () => {
  const { reports, sent, pass } = desk();
  reports.changed("cueing");
  reports.changed("playing");
  await pass(75_000);
  // A hole in the sound is no end.
  reports.changed("stalled");
  reports.changed("playing");
  reports.changed("idle");
  await pass(300_000);
  assert.deepEqual(sent.map(({ atS }) => atS), [11, 41, 71, 76]);
});

test("rebuffers are counted from the ticket's first sound, over a stop too", async () => {
  const made = desk();
  made.reports.changed("playing");
  made.heard = { ...HEARD, rebuffers: 6 };
  await made.pass(10_000);
  made.reports.changed("idle");
  made.reports.changed("playing");
  made.heard = { ...HEARD, rebuffers: 7 };
  await made.pass(10_000);
  made.reports.changed("idle");
  made.heard = { ...HEARD, correlationId: "other", rebuffers: 7 };
  made.reports.changed("playing");
  await made.pass(10_000);
  assert.deepEqual(made.sent.map(({ rebuffers }) => rebuffers), [1, 2, 0]);
});

test("where nothing is measured just then, the last error is told; a new sound has none", async () => {
  const made = desk();
  made.reports.changed("playing");
  await made.pass(4000);
  made.heard = { ...HEARD, errorS: null, rebuffers: 9 };
  made.reports.changed("over");
  made.reports.changed("playing");
  made.reports.leaving();
  const told = made.sent.map(({ atS, error_ms, rebuffers }) => [atS, error_ms, rebuffers]);
  assert.deepEqual(told, [[5, -12.3, 4]]);
});

test("leaving tells at once, but not twice in a moment, and not when nothing plays", async () => {
  const { reports, sent, pass } = desk();
  reports.leaving();
  reports.changed("playing");
  await pass(5000);
  reports.leaving();
  reports.leaving();
  assert.deepEqual(sent.map(({ atS }) => atS), [6]);
});

test("switched off nothing is told, and on again it is", async () => {
  const { reports, sent, memory, pass } = desk();
  assert.equal(reporting.read(memory), true);
  reporting.write(memory, false);
  assert.equal(reporting.read(memory), false);
  reports.changed("playing");
  await pass(60_000);
  reports.leaving();
  assert.deepEqual(sent, []);
  reporting.write(memory, true);
  reports.leaving();
  assert.equal(sent.length, 1);
});

test("after she had everything erased nothing is told, however it ends", async () => {
  const { reports, sent, pass } = desk();
  reports.changed("playing");
  reports.forget();
  reports.leaving();
  reports.changed("idle");
  await pass(60_000);
  assert.deepEqual(sent, []);
});

test("a Tell that is busy is left alone for a minute, or for as long as it says", async () => {
  for (const [retryAfterS, next] of [[0, 71], [90, 101]]) {
    const made = desk({
      answer: async () => {
        throw new ApiError("rate-limited", 429, "", retryAfterS);
      },
    });
    made.reports.changed("playing");
    await made.pass(10_000);
    made.answer = async () => {};
    await made.pass(95_000);
    assert.deepEqual(made.sent.slice(0, 2).map(({ atS }) => atS), [11, next], `${retryAfterS}`);
  }
});

test("a ticket that is hers no more is told of no more; a lost network ends nothing", async () => {
  const gone = desk({
    answer: async () => {
      throw new ApiError("not-found", 404);
    },
  });
  gone.reports.changed("playing");
  await gone.pass(120_000);
  assert.equal(gone.sent.length, 1);
  const away = desk({
    answer: async () => {
      throw new ApiError("network", 0);
    },
  });
  away.reports.changed("playing");
  await away.pass(45_000);
  assert.equal(away.sent.length, 2);
});
