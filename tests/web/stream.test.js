import assert from "node:assert/strict";
import { test } from "node:test";

import { StreamSource } from "../../gateway/web/js/stream.js";

const OLD = "s1~ticket~1~film~en~0123456789abcdef~6b034510~old";
const NEW = "s2~ticket~1~film~en~0123456789abcdef~6b03ffff~new";

/** hls.js as far as a source needs it; its requests are opened as it would. */
class Hls {
  static Events = { MANIFEST_PARSED: "parsed", ERROR: "error" };
  constructor(config) {
    Hls.last = this;
    this.config = config;
  }
  static ErrorTypes = { MEDIA_ERROR: "media" };
  levels = [];
  asked = [];
  heard = {};
  on(event, hear) {
    this.heard[event] = hear;
  }
  loadSource(url) {
    this.asked.push(url);
  }
  startLoad() {
    this.asked.push("segments");
  }
  attachMedia() {}

  /** The address that is asked for. */
  asks(address) {
    return this.asksWith(address).url;
  }

  /** The address that is asked for, and with which headers. */
  asksWith(address) {
    const asked = { url: address, headers: {} };
    const setRequestHeader = (name, value) => (asked.headers[name] = value);
    this.config.xhrSetup({ open: (_, url) => (asked.url = url), setRequestHeader }, address);
    return asked;
  }
}

function source(onProblem = () => {}) {
  const stream = new StreamSource("/stream/access/main.m3u8", {
    Hls,
    sleep: async () => {},
    onProblem,
    guessBps: 1e6,
    capOf: () => -1,
  });
  stream.attach({}, 0);
  return { stream, hls: Hls.last };
}

test("what a playlist names is asked for as it is named", () => {
  const { hls } = source();
  for (const name of ["aac-64k.mp4", "aac-64k.m3u8"]) {
    const address = `https://tell.example/stream/${OLD}/${name}`;
    assert.equal(hls.asks(address), address);
  }
});

test("after a renewal segments are asked for by the new token, and nothing else is changed", () => {
  const { stream, hls } = source();
  stream.renew(`/stream/${NEW}/aac-32k.mp4`);
  for (const name of ["aac-64k.mp4", "opus-24k.m3u8"]) {
    assert.equal(
      hls.asks(`https://tell.example/stream/${OLD}/${name}`),
      `https://tell.example/stream/${NEW}/${name}`,
    );
  }
  for (const other of ["/stream/access/main.m3u8", "/stream/access/opus.m3u8", "/other/aac-64k.mp4"]) {
    assert.equal(hls.asks(other), other);
  }
  // What is no address of a track takes nothing away.
  stream.renew("/elsewhere");
  assert.equal(hls.asks(`/stream/${OLD}/aac-64k.mp4`), `/stream/${NEW}/aac-64k.mp4`);
});

test("a playlist that Tell could not send is asked for again, and later what its segments lack", async () => {
  const { hls } = source();
  const fails = async () => {
    hls.heard.error(null, { fatal: true, type: "network", response: { code: 503 } });
    await new Promise((resolve) => setImmediate(resolve));
  };
  await fails();
  hls.levels = [{ details: undefined }];
  await fails();
  hls.levels = [{ details: undefined }, { details: {} }];
  await fails();
  const list = "/stream/access/main.m3u8";
  assert.deepEqual(hls.asked, [list, list, list, "segments"]);
});

test("who has left asks for nothing any more", async () => {
  const { stream, hls } = source();
  hls.destroy = () => {};
  hls.heard.error(null, { fatal: true, type: "network", response: { code: 503 } });
  stream.detach();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(hls.asked, ["/stream/access/main.m3u8"]);
});

test("bytes that are no sound are told of, and asked for again past what the browser keeps", () => {
  const problems = [];
  const { hls } = source((problem) => problems.push(problem));
  const address = `https://tell.example/stream/${OLD}/aac-64k.mp4`;
  hls.heard.error(null, { fatal: false, type: "media", details: "bufferStalledError" });
  assert.deepEqual(hls.asksWith(address).headers, {});
  hls.heard.error(null, { fatal: false, type: "media", details: "fragParsingError" });
  assert.deepEqual(problems, ["media"]);
  assert.deepEqual(hls.asksWith(address), { url: address, headers: { "Cache-Control": "no-cache" } });
  assert.deepEqual(hls.asksWith("/stream/access/main.m3u8").headers, {});
});
