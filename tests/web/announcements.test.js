import assert from "node:assert/strict";
import { test } from "node:test";

import { Announcements, spokenMs } from "../../gateway/web/js/announcements.js";
import { Silences } from "../../gateway/web/js/silences.js";

const SPEAKING = { inS: Infinity, forS: 0 };
const LONG_PAUSE = { inS: 0, forS: 10 };
const item = (sentence, urgency, kind = urgency) => ({ sentence, urgency, kind, felt: false });

/** What is said while the narrator of *silences* speaks, and when: at most *forMs* of it. */
function saidDuring(queue, silences, forMs) {
  const said = [];
  let nowMs = 0;
  while (nowMs <= forMs) {
    const step = queue.next(nowMs, silences.next(nowMs / 1000));
    if (step === null) break;
    if (step.say) said.push([nowMs, step.say.sentence]);
    else nowMs += Math.max(1, Math.ceil(step.waitMs));
  }
  return said;
}

const S = 48_000;
const pauses = (...spans) => new Silences(spans.map(([from, to]) => [from * S, to * S]));

test("while nothing plays it is said at once", () => {
  for (const urgency of ["alarm", "answer", "news", "aside"]) {
    const queue = new Announcements();
    queue.add(item("Playing.", urgency), 0);
    assert.equal(queue.next(0, null).say.sentence, "Playing.");
    assert.equal(queue.next(0, null), null);
  }
});

test("news wait for a pause that holds them, and pass one that does not", () => {
  const queue = new Announcements();
  const sentence = "Playing by the schedule, which may be minutes off.";
  assert.ok(spokenMs(sentence) > 3000 && spokenMs(sentence) < 5000);
  queue.add(item(sentence, "news"), 0);
  assert.deepEqual(saidDuring(queue, pauses([2, 3], [6, 12]), 30_000), [[6000, sentence]]);
});

test("within a pause that is nearly over they wait for the next one", () => {
  const queue = new Announcements();
  queue.add(item("Playing, in sync with the film.", "news"), 0);
  assert.equal(queue.next(0, { inS: 0, forS: 0.4 }).waitMs, 400);
});

test("late in their time news take a pause that holds half of them", () => {
  const queue = new Announcements();
  const sentence = "Playing by the schedule, which may be minutes off.";
  queue.add(item(sentence, "news"), 0);
  const narrow = pauses([3, 5], [12, 14], [17, 25]);
  assert.deepEqual(saidDuring(queue, narrow, 30_000), [[12_000, sentence]]);
});

test("where no pause comes in time, waiting would spare her nothing", () => {
  const queue = new Announcements();
  queue.add(item("The film starts in 2 minutes.", "news"), 0);
  assert.ok(queue.next(0, SPEAKING).say);
  queue.add(item("The film starts in 1 minute.", "news"), 60_000);
  assert.ok(queue.next(70_000, { inS: 15, forS: 9 }).say);
});

test("news are said in their last moment, though the pauses that came were too short", () => {
  const queue = new Announcements();
  queue.add(item("Playing by the schedule, which may be minutes off.", "news"), 0);
  const short = pauses(...Array.from({ length: 60 }, (_, second) => [second, second + 0.5]));
  const [[atMs]] = saidDuring(queue, short, 60_000);
  assert.ok(atMs > 19_000 && atMs <= 20_000, String(atMs));
});

test("an aside is left out where nobody pauses for it", () => {
  const queue = new Announcements();
  queue.add(item("Ready, also without network.", "aside"), 0);
  assert.deepEqual(saidDuring(queue, pauses(), 300_000), []);
  assert.equal(queue.next(300_000, LONG_PAUSE), null);
});

test("an aside waits longer than news would", () => {
  const queue = new Announcements();
  queue.add(item("Ready, also without network.", "aside"), 0);
  const said = saidDuring(queue, pauses([60, 70]), 120_000);
  assert.deepEqual(said, [[60_000, "Ready, also without network."]]);
});

test("an alarm is said over the narrator, before everything else", () => {
  const queue = new Announcements();
  queue.add(item("Playing.", "news"), 0);
  queue.add(item("The cinema has cancelled One Week.", "alarm"), 0);
  assert.equal(queue.next(0, SPEAKING).say.sentence, "The cinema has cancelled One Week.");
});

test("an answer waits for a pause, but not for long", () => {
  const queue = new Announcements();
  queue.add(item("You moved it.", "answer"), 0);
  assert.equal(queue.next(0, { inS: 0.5, forS: 4 }).waitMs, 500);
  assert.ok(queue.next(500, LONG_PAUSE).say);
  queue.add(item("You moved it back.", "answer"), 1000);
  assert.ok(queue.next(1000, { inS: 2, forS: 4 }).say);
});

test("a newer sentence takes the place of an older one of its kind, and its patience", () => {
  const queue = new Announcements();
  queue.add(item("The film starts in 5 minutes.", "news", "ticket"), 0);
  queue.add(item("The film starts in 9 minutes.", "news", "ticket"), 19_000);
  assert.deepEqual(queue.next(20_000, { inS: 5, forS: 0.1 }).say.sentence, "The film starts in 9 minutes.");
  assert.equal(queue.next(20_000, null), null);
});

test("what is withdrawn is not said", () => {
  const queue = new Announcements();
  queue.add(item("Playing.", "news", "standing"), 0);
  queue.withdraw("standing");
  assert.equal(queue.next(0, LONG_PAUSE), null);
});

test("the same sentence is not said twice in a row, unless it may be", () => {
  const queue = new Announcements();
  queue.add(item("There is no network.", "news"), 0);
  assert.ok(queue.next(0, null).say);
  queue.add(item("There is no network.", "alarm"), 9000);
  assert.equal(queue.next(9000, null), null);
  queue.forget();
  queue.add(item("There is no network.", "alarm"), 9000);
  assert.ok(queue.next(9000, null).say);
});

test("what became true again meanwhile takes what was to contradict it away", () => {
  const queue = new Announcements();
  queue.add(item("Playing.", "news", "standing"), 0);
  assert.ok(queue.next(0, null).say);
  queue.add(item("The network is slow.", "news", "standing"), 9000);
  queue.add(item("Playing.", "news", "standing"), 9500);
  assert.equal(queue.next(9500, null), null);
});

test("one sentence at a time: the next one waits until the first is spoken", () => {
  const queue = new Announcements();
  queue.add(item("Playing, in sync with the film.", "news"), 0);
  queue.add(item("Ready, also without network.", "aside"), 0);
  assert.equal(queue.next(0, LONG_PAUSE).say.sentence, "Playing, in sync with the film.");
  const { waitMs } = queue.next(0, LONG_PAUSE);
  assert.equal(waitMs, spokenMs("Playing, in sync with the film."));
  assert.ok(queue.next(waitMs, LONG_PAUSE).say);
});

test("what answers her cuts off what is being spoken", () => {
  const queue = new Announcements();
  queue.add(item("Playing, in sync with the film.", "news"), 0);
  assert.ok(queue.next(0, null).say);
  queue.add(item("Stopped.", "answer"), 300);
  assert.ok(queue.next(300, null).say);
});

test("a shorter sentence does not wait behind one that does not fit", () => {
  const queue = new Announcements();
  queue.add(item("Playing by the schedule, which may be minutes off.", "news"), 0);
  queue.add(item("Ready.", "aside"), 0);
  assert.equal(queue.next(0, { inS: 0, forS: 1.2 }).say.sentence, "Ready.");
});
