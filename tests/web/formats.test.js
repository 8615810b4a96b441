import assert from "node:assert/strict";
import { test } from "node:test";

import {
  chooseDownload,
  chooseElement,
  chooseStream,
  levelCap,
  mayDownload,
} from "../../gateway/web/js/formats.js";

const rendition = (codec, kbit) => ({
  rendition: `${codec}-${kbit}k`,
  codec,
  codecs: codec === "aac" ? "mp4a.40.2" : "opus",
  bit_rate_bps: kbit * 1000 + 700,
});
const LADDER = [
  rendition("aac", 32), rendition("aac", 64), rendition("aac", 128),
  rendition("opus", 24), rendition("opus", 48),
];
const NETWORK = { saveData: false, effectiveType: null, bandwidthBps: null };
const all = () => true;
const only = (codecs) => (asked) => asked === codecs;
const name = (chosen) => chosen?.rendition ?? null;

test("a download begins by itself unless she, the phone or the network says no", () => {
  assert.equal(mayDownload(NETWORK, "auto"), "yes");
  assert.equal(mayDownload({ ...NETWORK, effectiveType: "4g" }, "auto"), "yes");
  assert.equal(mayDownload({ ...NETWORK, effectiveType: "2g" }, "auto"), "slow");
  assert.equal(mayDownload({ ...NETWORK, saveData: true }, "auto"), "sparing");
  assert.equal(mayDownload(NETWORK, "sparing"), "sparing");
  assert.equal(mayDownload({ ...NETWORK, saveData: true }, "never"), "never");
});

test("what is kept is clear, no more, and of a codec that plays here", () => {
  assert.equal(name(chooseDownload(LADDER, all, NETWORK, "auto")), "aac-64k");
  assert.equal(name(chooseDownload(LADDER, only("opus"), NETWORK, "auto")), "opus-48k");
  assert.equal(name(chooseDownload([LADDER[0]], all, NETWORK, "auto")), "aac-32k");
  assert.equal(chooseDownload(LADDER, () => false, NETWORK, "auto"), null);
});

test("who saves data gets the smallest", () => {
  assert.equal(name(chooseDownload(LADDER, all, { ...NETWORK, saveData: true }, "auto")), "opus-24k");
  assert.equal(name(chooseDownload(LADDER, only("mp4a.40.2"), NETWORK, "sparing")), "aac-32k");
});

test("streams: AAC where it plays, else Opus; bounded where she saves data", () => {
  const free = chooseStream(LADDER, all, { ...NETWORK, bandwidthBps: 2e6 }, "auto");
  assert.deepEqual(free, { playlist: "hls", guessBps: 1e6, ceilingBps: 128_700, sparing: false });
  const opus = chooseStream(LADDER, only("opus"), NETWORK, "auto");
  assert.equal(opus?.playlist, "hls_opus");
  const sparing = chooseStream(LADDER, all, { ...NETWORK, saveData: true }, "auto");
  assert.equal(sparing?.playlist, "hls_opus");
  assert.equal(sparing?.ceilingBps, 24_700);
  assert.equal(chooseStream(LADDER, () => false, NETWORK, "auto"), null);
});

test("hls.js is held below the ceiling, at the lowest where even that is above", () => {
  const levels = [{ bitrate: 40_000 }, { bitrate: 75_000 }, { bitrate: 140_000 }];
  assert.equal(levelCap(levels, 128_700), -1);
  assert.equal(levelCap(levels, 64_700), 1);
  assert.equal(levelCap(levels, 32_700), 0);
  assert.equal(levelCap([...levels].reverse(), 10_000), 2);
});

test("without hls.js the element gets the playlist, the smallest rendition's alone, or a file", () => {
  const downloads = LADDER.map((one) => ({ ...one, url: `/stream/t/${one.rendition}.mp4` }));
  const grant = { hls: "/stream/a/main.m3u8", hls_opus: "/stream/a/opus.m3u8", downloads };
  const aac = only("mp4a.40.2");
  const free = chooseStream(downloads, aac, NETWORK, "auto");
  const sparing = chooseStream(downloads, aac, NETWORK, "sparing");
  assert.deepEqual(chooseElement(grant, free, true), {
    address: "/stream/a/main.m3u8",
    playing: { source: "hls", rendition: null },
  });
  assert.deepEqual(chooseElement(grant, sparing, true), {
    address: "/stream/t/aac-32k.m3u8",
    playing: { source: "hls", rendition: "aac-32k" },
  });
  assert.deepEqual(chooseElement(grant, free, false), {
    address: "/stream/t/aac-64k.mp4",
    playing: { source: "progressive", rendition: "aac-64k" },
  });
  const opus = chooseStream(downloads, only("opus"), NETWORK, "auto");
  assert.equal(chooseElement(grant, opus, false).address, "/stream/t/opus-48k.mp4");
});
