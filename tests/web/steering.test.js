import assert from "node:assert/strict";
import { test } from "node:test";

import { Lateness } from "../../gateway/web/js/lateness.js";
import { Silences } from "../../gateway/web/js/silences.js";
import { Steering } from "../../gateway/web/js/steering.js";

/**
 * A device on which time goes on only while somebody sleeps, with an element that plays, and whose
 * seeks come late. The film stands at `filmS` of the device's time.
 */
class Device {
  nowMs = 0;
  rate = 1;
  heard;
  seekLateS = 0.07;
  seeks = [];
  rates = new Set();
  misreadS = () => 0;
  buffered = { length: 1, start: () => 0, end: () => 1000 };
  seeking = false;

  constructor(startS, errorS) {
    this.filmS = () => startS + this.nowMs / 1000;
    this.heard = startS + errorS;
    performance.now = () => this.nowMs;
  }

  get currentTime() {
    return this.heard - this.misreadS();
  }

  set currentTime(atS) {
    this.seeks.push({ atMs: this.nowMs, toS: atS });
    this.heard = atS - this.seekLateS;
  }

  get playbackRate() {
    return this.rate;
  }

  set playbackRate(rate) {
    this.rate = rate;
    this.rates.add(rate);
  }

  sleep = async (ms) => {
    this.nowMs += ms;
    this.heard += (ms / 1000) * this.rate;
  };

  errorMs() {
    return (this.heard - this.filmS()) * 1000;
  }
}

/** Steer for so many seconds; whether it has to be cued anew. */
function steer(device, seconds, pauses = null, change = () => {}) {
  const memory = new Map();
  const lateness = new Lateness({ get: (key) => memory.get(key) ?? null, set: (k, v) => memory.set(k, v) });
  const steering = new Steering(
    {
      audio: device,
      positionS: () => device.filmS(),
      sleep: device.sleep,
      lateness,
      stalled: () => device.isStalled === true,
    },
    new Silences(pauses),
  );
  const alive = () => {
    change(device, steering);
    return device.nowMs < seconds * 1000;
  };
  return steering.run(alive, device.heard, "warm");
}

const S = 48_000;

test("a start that missed by less than 100 ms is in sync within two seconds", async () => {
  for (const errorS of [-0.09, -0.03, 0.015, 0.06]) {
    const device = new Device(100, errorS);
    await steer(device, 2);
    assert.ok(Math.abs(device.errorMs()) <= 6.5, `${errorS}: ${device.errorMs()}`);
    assert.equal(device.seeks.length, 0);
  }
});

test("a busy device that reads late after the first correction is not believed at once", async () => {
  const device = new Device(100, 0.05);
  // As it was captured: right at first, then 18 ms late for two seconds.
  device.misreadS = () => (device.nowMs > 900 && device.nowMs < 2900 ? 0.018 : 0);
  await steer(device, 3);
  assert.ok(Math.abs(device.errorMs()) <= 6.5, String(device.errorMs()));
});

test("a device that reads late for ten seconds moves the sound by half of it at most", async () => {
  const device = new Device(100, 0);
  // As it was captured: 22 ms late all at once, five seconds after the start, and less and less so.
  device.misreadS = () => (device.nowMs < 4000 ? 0 : 0.022 * Math.exp((4000 - device.nowMs) / 7000));
  let worst = 0;
  await steer(device, 40, null, () => {
    if (device.nowMs > 2000) worst = Math.max(worst, Math.abs(device.errorMs()));
  });
  assert.ok(worst > 6 && worst <= 13, String(worst));
  assert.ok(Math.abs(device.errorMs()) <= 6.5, String(device.errorMs()));
});

test("a reading that goes wrong all at once and comes back moves the sound by little", async () => {
  // As it was captured: 36 ms late two seconds after the start; 70 ms, later.
  for (const [fromMs, lateS] of [[2300, 0.036], [9000, 0.07], [9000, -0.05]]) {
    const device = new Device(100, 0);
    device.misreadS = () => (device.nowMs < fromMs ? 0 : lateS * Math.exp((fromMs - device.nowMs) / 5000));
    let worst = 0;
    await steer(device, 40, null, () => {
      worst = Math.max(worst, Math.abs(device.errorMs()));
    });
    assert.ok(worst <= 10, `${lateS}: ${worst}`);
    assert.equal(device.seeks.length, 0);
  }
});

test("a hole that no event tells of is put right within five seconds", async () => {
  for (const lateS of [0.028, 0.06, 0.09]) {
    const device = new Device(100, 0);
    let hurtMs = null;
    let rightMs = null;
    await steer(device, 30, null, () => {
      if (hurtMs === null && device.nowMs > 6000) {
        hurtMs = device.nowMs;
        device.heard -= lateS;
      }
      if (hurtMs !== null && rightMs === null && Math.abs(device.errorMs()) < 20) rightMs = device.nowMs;
    });
    assert.ok(rightMs !== null && rightMs - hurtMs <= 5500, `${lateS}: ${rightMs - hurtMs} ms`);
    assert.ok(Math.abs(device.errorMs()) <= 6.5, String(device.errorMs()));
  }
});

test("sound that is late indeed is in sync all the same, in two steps", async () => {
  const device = new Device(100, 0);
  let hurt = false;
  await steer(device, 16, null, () => {
    if (hurt || device.nowMs < 4000) return;
    hurt = true;
    device.heard -= 0.022;
  });
  assert.ok(hurt && Math.abs(device.errorMs()) <= 6.5, String(device.errorMs()));
});

test("later on it is bent away within seconds, within half a semitone", async () => {
  for (const errorS of [-0.09, -0.03, 0.015, 0.06]) {
    const device = new Device(100, 0);
    let hurt = false;
    await steer(device, 12, null, () => {
      if (hurt || device.nowMs < 4000) return;
      hurt = true;
      device.heard += errorS;
    });
    assert.ok(hurt && Math.abs(device.errorMs()) <= 6.5, `${errorS}: ${device.errorMs()}`);
    assert.equal(device.seeks.length, 0);
    for (const rate of device.rates) assert.ok(Math.abs(rate - 1) <= 0.03 + 1e-9);
  }
});

test("a larger one is left by one seek, aimed ahead of what seeks are late by", async () => {
  const device = new Device(100, 0.4);
  await steer(device, 4);
  assert.equal(device.seeks.length, 1);
  assert.ok(Math.abs(device.errorMs()) <= 6.5);
});

test("a seek waits for the narrator's pause, where one comes within 1.5 s", async () => {
  const device = new Device(100, 0.4);
  await steer(device, 4, [[101.5 * S, 102 * S]]);
  const [seek] = device.seeks;
  // Heard ahead by 0.4 s: the pause of the track's 101.5 s is heard at 1.1 s.
  assert.ok(seek.atMs >= 1100 && seek.atMs <= 1500, String(seek.atMs));
  assert.ok(Math.abs(device.errorMs()) <= 6.5);
});

test("a device whose seeks are later than believed is aimed better each time", async () => {
  const device = new Device(100, 5);
  device.seekLateS = 0.15;
  let next = 5000;
  await steer(device, 40, null, () => {
    if (device.nowMs < next) return;
    next += 5000;
    device.heard += 3;
  });
  const landed = device.seeks.map(({ atMs, toS }) => toS - device.seekLateS - (100 + atMs / 1000));
  assert.ok(Math.abs(landed.at(-1)) < Math.abs(landed[0]) / 4, String(landed));
});

test("a place whose data are not here is cued, not sought", async () => {
  const device = new Device(100, 30);
  device.buffered = { length: 1, start: () => 120, end: () => 140 };
  assert.equal(await steer(device, 10), true);
  assert.equal(device.seeks.length, 0);
});

test("data that do not come for 400 ms are waited for elsewhere", async () => {
  const device = new Device(100, 0);
  device.isStalled = true;
  assert.equal(await steer(device, 10), true);
  assert.ok(device.nowMs < 700);
});

test("a film that is moved by seconds is followed within one", async () => {
  const device = new Device(100, 0);
  let movedAtMs = null;
  await steer(device, 8, [[0, 0.5 * S]], (_, steering) => {
    if (movedAtMs !== null || device.nowMs < 4000) return;
    movedAtMs = device.nowMs;
    const before = device.filmS;
    device.filmS = () => before() - 20;
    steering.startAfresh();
  });
  const [seek] = device.seeks;
  assert.ok(seek.atMs - movedAtMs <= 1000, String(seek.atMs - movedAtMs));
  assert.ok(Math.abs(device.errorMs()) <= 6.5);
});

test("a page that is ticked once a second is steered all the same", async () => {
  const device = new Device(100, 0.05);
  const sleep = device.sleep;
  device.sleep = (ms) => sleep(Math.max(1000, ms));
  await steer(device, 60);
  assert.ok(Math.abs(device.errorMs()) < 40);
});
