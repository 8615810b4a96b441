import assert from "node:assert/strict";
import { test } from "node:test";

// Before Node 21 there is none.
globalThis.navigator ??= {};
const { ApiError } = await import("../../gateway/web/js/api.js");
const { Sources } = await import("../../gateway/web/js/sources.js");

const ENDS = "2026-11-22T21:00:00Z";
const LATER = "2026-11-22T21:40:00Z";
const TICKET = { correlation_id: "ticket", movie_id: "film", credits_end: ENDS };
const ADDRESS = "https://tell.example/stream/old/aac-64k.mp4";

function grantOf(token, creditsEnd, more = {}) {
  return {
    correlation_id: "ticket",
    credits_end: creditsEnd,
    hls: "/stream/access/main.m3u8",
    downloads: [
      {
        rendition: "aac-64k",
        codec: "aac",
        codecs: "mp4a.40.2",
        url: `/stream/${token}/aac-64k.mp4`,
        bit_rate_bps: 64_000,
        size_bytes: 1,
        sha256: "digest",
      },
    ],
    ...more,
  };
}

/** Sources that play *first*, what they ask by, and how often Tell was asked. */
async function playing(first, answer) {
  const seen = { grants: 0, asks: null };
  class Hls {
    static Events = { MANIFEST_PARSED: "parsed", ERROR: "error" };
    constructor(config) {
      seen.asks = () => {
        let opened = ADDRESS;
        config.xhrSetup({ open: (_, url) => (opened = url) }, ADDRESS);
        return opened.split("/").at(-2);
      };
    }
    on() {}
    loadSource() {}
    attachMedia() {}
  }
  const sources = new Sources({
    api: {
      grant: async () => {
        seen.grants += 1;
        return answer();
      },
    },
    downloads: { watch() {}, whole: async () => null, playing: null },
    deck: { holding: (source) => source, source: null },
    loadHls: async () => Hls,
    network: () => ({}),
    dataUse: () => "auto",
    canStream: () => true,
    playsHls: () => false,
    sleep: async () => {},
    onProblem: () => {},
  });
  const source = await sources.open(first, TICKET);
  source.attach({}, 0);
  return { sources, seen };
}

test("where the film ends later, what plays goes on by a new token", async () => {
  const answer = () => grantOf("new", LATER);
  const { sources, seen } = await playing(grantOf("old", ENDS), answer);
  await sources.follow(TICKET);
  assert.equal(seen.grants, 0);
  assert.equal(seen.asks(), "old");
  await sources.follow({ ...TICKET, credits_end: LATER });
  assert.equal(seen.asks(), "new");
  // Once for each change.
  await sources.follow({ ...TICKET, credits_end: LATER });
  await sources.follow({ ...TICKET, credits_end: ENDS });
  assert.equal(seen.grants, 1);
});

test("what cannot be renewed plays on as it is, and is tried again", async () => {
  let answer = () => {
    throw new ApiError("network", 0);
  };
  const { sources, seen } = await playing(grantOf("old", ENDS), () => answer());
  const later = { ...TICKET, credits_end: LATER };
  await sources.follow(later);
  answer = () => grantOf("kept", LATER, { kept: true });
  await sources.follow(later);
  const other = grantOf("other", LATER);
  other.downloads[0].sha256 = "another version";
  answer = () => other;
  await sources.follow(later);
  assert.deepEqual([seen.grants, seen.asks()], [3, "old"]);
  answer = () => grantOf("new", LATER);
  await sources.follow(later);
  assert.deepEqual([seen.grants, seen.asks()], [4, "new"]);
});

test("another ticket, and a source that was closed, are none of it", async () => {
  const { sources, seen } = await playing(grantOf("old", ENDS), () => grantOf("new", LATER));
  await sources.follow({ ...TICKET, correlation_id: "another", credits_end: LATER });
  sources.close();
  await sources.follow({ ...TICKET, credits_end: LATER });
  assert.deepEqual([seen.grants, seen.asks()], [0, "old"]);
});
