import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../gateway/web/js/api.js";
import { Clock } from "../../gateway/web/js/clock.js";
import { Exchanges } from "../../gateway/web/js/exchanges.js";

const TELL_MS = 1_795_000_000_000;
const SLEEP_MS = 20 * 60_000;

/** A phone whose own clock may stand still, and a Tell that may be out of reach; nothing runs by itself. */
function phone() {
  const it = { deviceMs: 5000, wallMs: TELL_MS - 300_000, tellMs: TELL_MS, reachable: true, asked: 0, wayMs: 2 };
  performance.now = () => it.deviceMs;
  Date.now = () => it.wallMs;
  it.pass = (ms, { asleep = false } = {}) => {
    if (!asleep) it.deviceMs += ms;
    it.wallMs += ms;
    it.tellMs += ms;
  };
  const kept = new Map();
  it.memory = { get: (key) => kept.get(key) ?? null, set: (key, value) => kept.set(key, value) };
  it.api = {
    time: async () => {
      it.asked += 1;
      if (!it.reachable) throw new ApiError("network", 0);
      const [sentMs, atUs] = [it.deviceMs, (it.tellMs + it.wayMs) * 1000];
      it.pass(2 * it.wayMs);
      return { sentMs, receivedMs: it.deviceMs, serverReceivedUs: atUs, serverSentUs: atUs, serverBoundUs: 0 };
    },
  };
  it.clock = new Clock();
  it.exchanges = new Exchanges(it);
  it.errorMs = () => it.clock.tellMs(it.deviceMs) - it.tellMs;
  return it;
}

const settled = () => new Promise((done) => setImmediate(done));

test("a phone that slept in airplane mode has the time again, by its wall clock, and says so", async () => {
  const it = phone();
  await it.exchanges.known();
  await settled();
  assert.ok(it.clock.measured && Math.abs(it.errorMs()) < 3);
  it.reachable = false;
  it.pass(SLEEP_MS, { asleep: true });
  it.exchanges.tick();
  await settled();
  assert.ok(Math.abs(it.errorMs()) < 3, String(it.errorMs()));
  assert.equal(it.clock.measured, false);
  // Asked again soon; and what Tell says then counts.
  const before = it.asked;
  it.reachable = true;
  it.pass(2100);
  it.exchanges.tick();
  await settled();
  assert.ok(it.asked > before && it.clock.measured);
});

test("a network that is gone for a while leaves a clock that nobody doubts as it is", async () => {
  const it = phone();
  await it.exchanges.known();
  await settled();
  it.reachable = false;
  it.pass(60_000);
  it.exchanges.tick();
  await settled();
  assert.equal(it.clock.measured, true);
  assert.ok(Math.abs(it.errorMs()) < 3);
});

test("where the way is long the first bursts follow each other soon, and only those", async () => {
  for (const [wayMs, soon] of [[2, 0], [40, 2]]) {
    const it = phone();
    it.wayMs = wayMs;
    await it.exchanges.known();
    await settled();
    const once = it.asked;
    // Ticked each second; what was asked within the half minute after the first burst.
    for (let count = 0; count < 25; count += 1) {
      it.pass(1000);
      it.exchanges.tick();
      await settled();
    }
    assert.equal(it.asked, once * (1 + soon), `${wayMs} ms`);
  }
});
