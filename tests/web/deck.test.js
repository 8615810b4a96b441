import assert from "node:assert/strict";
import { test } from "node:test";

import { Deck } from "../../gateway/web/js/deck.js";

globalThis.HTMLMediaElement = { HAVE_FUTURE_DATA: 3 };

let nowMs = 0;
/** Time passes by waiting alone; for ever is longer than a test. */
const sleep = (ms) => {
  if (ms >= 10_000) return new Promise(() => {});
  nowMs += ms;
  return Promise.resolve();
};

/** An <audio> element as far as a deck needs it. */
class Sound extends EventTarget {
  paused = true;
  readyState = 4;
  seeking = false;
  seeksSlowly = false;
  volume = 1;
  muted = false;
  dataset = {};
  src = "x";
  error = null;
  #baseS = 0;
  #sinceMs = 0;
  #rate = 1;

  constructor(id) {
    super();
    this.id = id;
  }

  get currentTime() {
    return this.#baseS + (this.paused ? 0 : ((nowMs - this.#sinceMs) / 1000) * this.#rate);
  }

  get playbackRate() {
    return this.#rate;
  }

  set playbackRate(rate) {
    this.#baseS = this.currentTime;
    this.#sinceMs = nowMs;
    this.#rate = rate;
  }

  set currentTime(seconds) {
    this.#baseS = seconds;
    this.#sinceMs = nowMs;
    this.seeking = this.seeksSlowly;
  }

  async play() {
    if (this.paused) this.#sinceMs = nowMs;
    this.paused = false;
  }

  pause() {
    this.#baseS = this.currentTime;
    this.paused = true;
  }

  arrive() {
    this.seeksSlowly = false;
    this.seeking = false;
    this.dispatchEvent(new Event("seeked"));
  }
}

const download = { kind: "download", playing: {}, attach() {}, detach() {} };
const turns = () => new Promise((resolve) => setImmediate(resolve));

test("nothing sounds: the other one is put to the same place, and stays silent too", async () => {
  const [first, second] = [new Sound("sound"), new Sound("")];
  const deck = new Deck(first, second, sleep);
  first.currentTime = 7;
  assert.equal(await deck.handOver(download), true);
  assert.deepEqual([deck.paused, deck.currentTime, second.id], [true, 7, "sound"]);
});

test("led to another place while the other one is put to its own, both are there", async () => {
  const [first, second] = [new Sound("sound"), new Sound("")];
  const deck = new Deck(first, second, sleep);
  first.currentTime = 7;
  second.seeksSlowly = true;
  const over = deck.handOver(download);
  await turns();
  deck.currentTime = 30;
  second.arrive();
  assert.equal(await over, true);
  assert.deepEqual([second.id, second.currentTime, deck.currentTime], ["sound", 30, 30]);
});

test("pressed while the other one is put to its place, the sound goes on", async () => {
  const [first, second] = [new Sound("sound"), new Sound("")];
  const deck = new Deck(first, second, sleep);
  second.seeksSlowly = true;
  const over = deck.handOver(download);
  await turns();
  assert.equal(second.seeking, true);
  await deck.play();
  second.arrive();
  assert.equal(await over, true);
  await turns();
  assert.deepEqual([second.id, second.paused, second.volume], ["sound", false, 1]);
  assert.equal(deck.paused, false);
});

test("a bend that ends while the other one comes level ends for both", async () => {
  const [first, second] = [new Sound("sound"), new Sound("")];
  const deck = new Deck(first, second, (ms) => {
    // What is heard is bent but while the two are measured, and once the sound went over.
    if (second.id === "") deck.playbackRate = ms === 20 ? 1 : 0.985;
    return sleep(ms);
  });
  await deck.play();
  deck.playbackRate = 0.985;
  assert.equal(await deck.handOver(download), true);
  assert.deepEqual([second.id, deck.playbackRate], ["sound", 1]);
  assert.ok(Math.abs(first.currentTime - second.currentTime) < 0.005);
});

test("a bend that lasts goes over with the sound, and ends with the one that is heard", async () => {
  const [first, second] = [new Sound("sound"), new Sound("")];
  const deck = new Deck(first, second, sleep);
  await deck.play();
  deck.playbackRate = 1.03;
  assert.equal(await deck.handOver(download), true);
  assert.equal(second.playbackRate, 1.03);
  deck.playbackRate = 1;
  assert.deepEqual([second.playbackRate, first.playbackRate], [1, 1.03]);
});
