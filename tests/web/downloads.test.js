import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../gateway/web/js/api.js";
import { Downloads } from "../../gateway/web/js/downloads.js";

const HOUR = 3600_000;
const NOW = Date.parse("2026-11-22T18:00:00Z");
const MB = 1e6;

function ticket(id, inHours, more = {}) {
  const at = (hours) => new Date(NOW + hours * HOUR).toISOString();
  return {
    correlation_id: id,
    movie_id: `film-${id}`,
    state: "enriched",
    described: true,
    previews_start: at(inHours - 0.3),
    movie_start: at(inHours),
    credits_end: at(inHours + 2),
    ...more,
  };
}

/** A phone: its memory, its files, and a worker that does what the test says. */
class Phone {
  memory = new Map();
  files = new Map();
  orders = [];
  /** What the worker answers to an order, by digest; "whole" where nothing is said. */
  outcomes = {};
  news = {};
  sizeBytes = 60 * MB;
  network = { saveData: false, effectiveType: null, bandwidthBps: null };
  dataUse = "auto";
  quota = 1e12;
  canKeep = true;
  /** Whether its place for files lets nothing be kept. */
  refuses = false;
  nowMs = NOW;
  /** Grants by ticket; an ApiError is thrown. */
  grants = {};
  said = [];
  /** Ends the wait for the next try; null while nothing waits. @type {(() => void) | null} */
  wait = null;

  visit(limitMb = 300) {
    const phone = this;
    const downloads = new Downloads({
      api: {
        async grant(movieId, id) {
          const grant = phone.grants[id] ?? phone.grantOf(id);
          if (grant instanceof ApiError) throw grant;
          return grant;
        },
      },
      memory: {
        get: (key) => phone.memory.get(key) ?? null,
        set: (key, value) => phone.memory.set(key, value),
        remove: (key) => phone.memory.delete(key),
      },
      store: {
        canKeep: () => phone.canKeep,
        wholeFile: async (sha256) => phone.files.get(sha256) ?? null,
        remove: async (sha256) => void phone.files.delete(sha256),
        removeOthers: async (known) => {
          if (phone.refuses) throw new DOMException("not in a private window", "SecurityError");
          for (const name of phone.files.keys()) if (!known.has(name)) phone.files.delete(name);
        },
      },
      makeWorker: () => phone.worker(),
      canPlay: (codecs) => codecs === "mp4a.40.2",
      network: () => phone.network,
      dataUse: () => phone.dataUse,
      nowMs: () => phone.nowMs,
      storage: async () => ({ quota: phone.quota, usage: 0, persisted: true }),
      alone: (run) => run(),
      // What is tried again later is tried when the test says so.
      sleep: () => new Promise((resolve) => (phone.wait = resolve)),
      limitBytes: limitMb * MB,
    });
    downloads.watch(() => {
      for (const id of ["a", "b", "c"]) {
        const { state } = downloads.standing(id);
        const told = `${id} ${state}`;
        if (state !== "none" && !this.said.includes(told)) this.said.push(told);
      }
    });
    return downloads;
  }

  grantOf(id, digest = `digest-${id}`) {
    const rendition = { rendition: "aac-64k", codec: "aac", codecs: "mp4a.40.2" };
    const [size_bytes, bit_rate_bps] = [this.sizeBytes, 64_000];
    return { downloads: [{ ...rendition, sha256: digest, size_bytes, bit_rate_bps, url: `/${id}` }] };
  }

  worker() {
    const phone = this;
    let tell = () => {};
    return {
      addEventListener(name, listener) {
        if (name === "message") tell = (data) => listener({ data });
      },
      async postMessage({ order, sha256, sizeBytes }) {
        phone.orders.push(`${order} ${sha256}`);
        for (const news of phone.news[sha256] ?? []) tell(news);
        const planned = phone.outcomes[sha256];
        const outcome = (Array.isArray(planned) ? planned.shift() : planned) ?? "whole";
        if (outcome === "whole") phone.files.set(sha256, { size: sizeBytes });
        else if (order === "verify" || outcome === "damaged") phone.files.delete(sha256);
        tell({ outcome });
      },
      terminate() {},
    };
  }
}

const states = (downloads, ...ids) => ids.map((id) => downloads.standing(id).state);

test("tracks come by themselves, the soonest film's first", async () => {
  const phone = new Phone();
  const downloads = phone.visit();
  await downloads.take([ticket("b", 50), ticket("a", 3), ticket("c", 80, { described: false })]);
  assert.deepEqual(phone.orders, ["fetch digest-a", "fetch digest-b"]);
  assert.deepEqual(states(downloads, "a", "b", "c"), ["whole", "whole", "none"]);
  assert.equal((await downloads.whole("a"))?.sha256, "digest-a");
});

test("a track that came in this visit is news until it was told; in the next visit it is none", async () => {
  const phone = new Phone();
  const downloads = phone.visit();
  assert.equal(downloads.isNews("a"), false);
  await downloads.take([ticket("a", 3), ticket("b", 50)]);
  downloads.told("b");
  assert.deepEqual([downloads.isNews("a"), downloads.isNews("b")], [true, false]);
  const next = phone.visit();
  await next.take([ticket("a", 3)]);
  assert.deepEqual([states(next, "a"), next.isNews("a")], [["whole"], false]);
});

test("how far it is, is told; what the network gave is remembered", async () => {
  const phone = new Phone();
  phone.news["digest-a"] = [{ news: "progress", bytes: 30 * MB, bandwidthBps: 8e6 }];
  const downloads = phone.visit();
  let percent = 0;
  downloads.watch(() => (percent ||= downloads.standing("a").percent));
  await downloads.take([ticket("a", 3)]);
  assert.equal(percent, 50);
  assert.equal(phone.memory.get("tell.bandwidth-bps"), "8000000");
});

test("the same tickets again start nothing anew, a moved film does", async () => {
  const phone = new Phone();
  const downloads = phone.visit();
  await downloads.take([ticket("a", 30)]);
  await downloads.take([ticket("a", 30)]);
  assert.deepEqual(phone.orders, ["fetch digest-a"]);
  // Now it is shown today: what came in this visit was looked through when it came.
  await downloads.take([ticket("a", 3)]);
  assert.deepEqual(phone.orders, ["fetch digest-a"]);
});

test("on show day it is looked through in each visit; damaged, it is fetched again and said", async () => {
  const phone = new Phone();
  await phone.visit().take([ticket("a", 3)]);
  await phone.visit().take([ticket("a", 3)]);
  assert.deepEqual(phone.orders, ["fetch digest-a", "verify digest-a"]);
  phone.outcomes["digest-a"] = ["damaged", "whole"];
  phone.said = [];
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3)]);
  assert.deepEqual(phone.orders.slice(2), ["verify digest-a", "fetch digest-a"]);
  assert.deepEqual(phone.said, ["a whole", "a damaged"]);
  assert.deepEqual(states(downloads, "a"), ["whole"]);
});

test("before show day it is not read again and again", async () => {
  const phone = new Phone();
  await phone.visit().take([ticket("a", 30)]);
  await phone.visit().take([ticket("a", 30)]);
  assert.deepEqual(phone.orders, ["fetch digest-a"]);
});

test("a page that stays open looks through it when show day comes", async () => {
  const phone = new Phone();
  const downloads = phone.visit();
  await downloads.take([ticket("a", 30)]);
  phone.nowMs = NOW + 7 * HOUR;
  await downloads.take([ticket("a", 30)]);
  await downloads.take([ticket("a", 30)]);
  assert.deepEqual(phone.orders, ["fetch digest-a", "verify digest-a"]);
});

test("a place for files that refuses is said, and said anew when she asks", async () => {
  const phone = new Phone();
  phone.refuses = true;
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3)]);
  assert.deepEqual(states(downloads, "a"), ["no-disk"]);
  phone.refuses = false;
  await downloads.ask("a");
  assert.deepEqual(states(downloads, "a"), ["whole"]);
});

test("without network a whole track stays whole, and one that is missing waits", async () => {
  const phone = new Phone();
  await phone.visit().take([ticket("a", 3)]);
  const gone = new ApiError("network", 0);
  phone.grants = { a: gone, b: gone };
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3), ticket("b", 30)]);
  assert.deepEqual(states(downloads, "a", "b"), ["whole", "offline"]);
});

for (const [code, status] of [["network", 0], ["rate-limited", 429], ["internal", 500]]) {
  test(`what fails by ${code} is tried again`, async () => {
    const phone = new Phone();
    phone.grants = { a: new ApiError(code, status) };
    const downloads = phone.visit();
    await downloads.take([ticket("a", 3)]);
    assert.notEqual(downloads.standing("a").state, "whole");
    phone.grants = {};
    const whole = new Promise((resolve) => {
      downloads.watch(() => downloads.standing("a").state === "whole" && resolve(undefined));
    });
    phone.wait();
    await whole;
  });
}

test("a phone that saves data downloads when it is asked to", async () => {
  const phone = new Phone();
  phone.network = { ...phone.network, saveData: true };
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3)]);
  assert.deepEqual([phone.orders, states(downloads, "a")], [[], ["sparing"]]);
  await downloads.ask("a");
  assert.deepEqual(states(downloads, "a"), ["whole"]);
});

test("room is made by the policy, and what does not fit is said", async () => {
  const phone = new Phone();
  await phone.visit(150).take([ticket("a", 30), ticket("b", 60)]);
  const downloads = phone.visit(150);
  await downloads.take([ticket("a", 30), ticket("b", 60), ticket("c", 3)]);
  assert.deepEqual([...phone.files.keys()].sort(), ["digest-a", "digest-c"]);
  assert.deepEqual(states(downloads, "a", "b", "c"), ["whole", "no-room", "whole"]);
});

test("a phone that is full is said before a byte is fetched", async () => {
  const phone = new Phone();
  phone.quota = 70 * MB;
  phone.sizeBytes = 65 * MB;
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3)]);
  assert.deepEqual([phone.orders, states(downloads, "a")], [[], ["no-room"]]);
});

test("a newer version of the track replaces the older one, which then goes", async () => {
  const phone = new Phone();
  await phone.visit().take([ticket("a", 3)]);
  phone.grants.a = phone.grantOf("a", "digest-new");
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3)]);
  assert.deepEqual([...phone.files.keys()], ["digest-new"]);
  assert.equal((await downloads.whole("a"))?.sha256, "digest-new");
});

test("two tickets of one film share its track", async () => {
  const phone = new Phone();
  phone.grants.b = phone.grantOf("b", "digest-a");
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3), ticket("b", 60)]);
  assert.deepEqual(phone.orders, ["fetch digest-a"]);
  assert.deepEqual(states(downloads, "a", "b"), ["whole", "whole"]);
});

test("what the browser threw away is fetched again", async () => {
  const phone = new Phone();
  await phone.visit().take([ticket("a", 3)]);
  phone.files.clear();
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3)]);
  assert.deepEqual(phone.orders, ["fetch digest-a", "fetch digest-a"]);
  assert.deepEqual(states(downloads, "a"), ["whole"]);
});

test("each end that is not good has its own state", async () => {
  for (const [outcome, state] of [
    ["damaged", "failed"], ["no-room", "no-room"], ["no-disk", "no-disk"], ["refused", "none"],
  ]) {
    const phone = new Phone();
    phone.outcomes["digest-a"] = outcome;
    const downloads = phone.visit();
    await downloads.take([ticket("a", 3)]);
    assert.deepEqual(states(downloads, "a"), [state], outcome);
    assert.equal(await downloads.whole("a"), null);
  }
});

test("a browser that keeps nothing, and a codec that does not play, are said", async () => {
  const phone = new Phone();
  phone.canKeep = false;
  const none = phone.visit();
  await none.take([ticket("a", 3)]);
  assert.deepEqual(states(none, "a"), ["unsupported"]);
  phone.canKeep = true;
  phone.grants.a = { downloads: [{ ...phone.grantOf("a").downloads[0], codecs: "opus" }] };
  const mute = phone.visit();
  await mute.take([ticket("a", 3)]);
  assert.deepEqual(states(mute, "a"), ["no-codec"]);
});

test("cleared, nothing is left on the phone", async () => {
  const phone = new Phone();
  const downloads = phone.visit();
  await downloads.take([ticket("a", 3), ticket("b", 30)]);
  await downloads.clear();
  assert.deepEqual([phone.files.size, phone.memory.get("tell.downloads")], [0, "[]"]);
  assert.deepEqual(states(downloads, "a", "b"), ["none", "none"]);
});
