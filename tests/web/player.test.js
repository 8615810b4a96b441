import assert from "node:assert/strict";
import { test } from "node:test";

import { Player } from "../../gateway/web/js/player.js";
import { Silences } from "../../gateway/web/js/silences.js";
import { Element } from "./element.js";

const S = 48_000;
const BEGIN_S = 100;
/** With every bound counted, the app's own "in sync". */
const SYNCED_S = 0.04;

function phone(more = {}) {
  const element = new Element();
  const kept = new Map();
  const player = new Player({
    audio: element,
    positionS: (deviceMs) => BEGIN_S + deviceMs / 1000,
    sleep: element.sleep,
    onState: () => {},
    onProblem: () => {},
    memory: { get: (key) => kept.get(key) ?? null, set: (key, value) => kept.set(key, value) },
    ...more,
  });
  return { element, player };
}

/** She listens for five seconds, in sync, to a film that stands at 100 s. */
async function listening(pauses = null, more = {}) {
  const { element, player } = phone(more);
  player.useSilences(new Silences(pauses));
  const errorS = () => element.currentTime - (BEGIN_S + element.nowMs / 1000);
  player.start();
  await element.goOn(5);
  assert.equal(player.state, "playing");
  assert.ok(Math.abs(errorS()) <= 0.01, String(errorS()));
  return { element, player, errorS };
}

/** How long it sounds, once it does again, until it is in sync and stays so; seconds. */
async function untilSynced({ element, errorS }) {
  let returnedMs = null;
  let wrongMs = null;
  await element.goOn(8, () => {
    if (element.sounding) returnedMs ??= element.nowMs;
    if (element.sounding && Math.abs(errorS()) > SYNCED_S) wrongMs = element.nowMs;
  });
  assert.ok(returnedMs !== null);
  return wrongMs === null ? 0 : (wrongMs - returnedMs) / 1000;
}

/** The narrator pauses for half a second, in each so many seconds. */
const pausing = (everyS) =>
  Array.from({ length: 100 }, (_, count) => [(BEGIN_S + count * everyS) * S, (BEGIN_S + count * everyS + 0.5) * S]);

for (const stallMs of [60, 90, 120, 200, 350, 450, 1000, 4000]) {
  test(`a second after data that were missing for ${stallMs} ms it is in sync again`, async () => {
    for (const pauses of [null, pausing(1.4), pausing(3)]) {
      const all = await listening(pauses);
      all.element.starve(true);
      await all.element.goOn(stallMs / 1000);
      all.element.starve(false);
      const tookS = await untilSynced(all);
      assert.ok(tookS <= 0.8, `${stallMs} ms, ${pauses?.length ?? 0} pauses: ${tookS}`);
      assert.equal(all.player.rebuffers, 1);
    }
  });
}

test("data that stop while a bend is under way end the bend, and are caught up with as soon", async () => {
  const all = await listening();
  all.element.hole(60);
  while (all.element.playbackRate === 1) await all.element.goOn(0.05);
  all.element.starve(true);
  await all.element.goOn(0.2);
  all.element.starve(false);
  const tookS = await untilSynced(all);
  assert.ok(tookS <= 0.8, String(tookS));
});

test("a device that slept, which no event tells of, is in sync within a second", async () => {
  for (const holeMs of [250, 600, 5000]) {
    const all = await listening(pausing(1.4));
    all.element.hole(holeMs);
    await all.element.goOn(holeMs / 1000);
    const tookS = await untilSynced(all);
    assert.ok(tookS <= 0.9, `${holeMs} ms: ${tookS}`);
  }
});

test("after a call or a pulled earphone it goes on where the film is, by one play() from outside", async () => {
  const all = await listening(pausing(1.4));
  all.element.pause();
  await all.element.goOn(20);
  assert.equal(all.player.state, "interrupted");
  await all.element.play();
  assert.ok((await untilSynced(all)) <= 0.2);
  assert.equal(all.player.state, "playing");
});

test("where bends are heard as crackles the rate is never written, and it comes into sync all the same", async () => {
  const all = await listening(pausing(3), { bends: false });
  assert.deepEqual(all.element.rates, []);
  for (const holeMs of [30, 90, 200, 350]) {
    all.element.starve(true);
    await all.element.goOn(holeMs / 1000);
    all.element.starve(false);
    const tookS = await untilSynced(all);
    assert.ok(tookS <= 0.8, `${holeMs} ms: ${tookS}`);
    assert.ok(Math.abs(all.errorS()) <= 0.016, String(all.errorS()));
  }
  assert.deepEqual(all.element.rates, []);
});

test("without Tell's time she is told after three seconds, and it begins once there is one", async () => {
  let known = false;
  const problems = [];
  const { element, player } = phone({
    positionS: (deviceMs) => (known ? BEGIN_S + deviceMs / 1000 : null),
    onProblem: (problem) => problems.push(problem),
  });
  player.start();
  await element.goOn(2.5);
  assert.deepEqual(problems, []);
  await element.goOn(20);
  assert.deepEqual(problems, ["clock"]);
  known = true;
  await element.goOn(2);
  assert.equal(player.state, "playing");
});

test("a tap may open the element for a film that runs, and nothing of it is heard", async () => {
  for (const muted of [false, true]) {
    const { element, player } = phone();
    const heard = [];
    element.addEventListener("play", () => heard.push(element.muted));
    player.bless(muted);
    assert.deepEqual(heard, [muted]);
    assert.deepEqual([element.paused, element.muted, player.state], [true, false, "idle"]);
    player.start();
    await element.goOn(2);
    assert.equal(player.state, "playing");
  }
});
