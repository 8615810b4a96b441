/** What this device plays, what its network is like, and what its storage promises. */

import { measuredBps } from "./downloads.js";

/** @typedef {import("./kept.js").Memory} Memory */

export const DATA_USE_KEY = "tell.data-use";
const MEDIA_TYPE = "audio/mp4";
const HLS_TYPE = "application/vnd.apple.mpegurl";

/** What she chose in the settings. @param {Memory} memory @returns {import("./formats.js").DataUse} */
export function dataUse(memory) {
  const chosen = memory.get(DATA_USE_KEY);
  return chosen === "sparing" || chosen === "never" ? chosen : "auto";
}

/** @param {Memory} memory @returns {import("./formats.js").Network} */
export function network(memory) {
  // Network Information API: Chromium's alone.
  const { saveData = false, effectiveType = null } =
    /** @type {any} */ (navigator).connection ?? {};
  return { saveData, effectiveType, bandwidthBps: measuredBps(memory) };
}

/** Whether a file of these codecs plays (RFC 6381). @param {string} codecs */
export function canPlay(codecs) {
  return new Audio().canPlayType(`${MEDIA_TYPE}; codecs="${codecs}"`) !== "";
}

/**
 * What lets a script feed an element (Media Source Extensions 2): on iPhones the managed kind alone,
 * from iOS 17.1 on. Null where there is none.
 * @returns {typeof MediaSource | null}
 */
export function mediaSource() {
  const { ManagedMediaSource, MediaSource } = /** @type {any} */ (globalThis);
  return ManagedMediaSource ?? MediaSource ?? null;
}

/**
 * Whether the media are WebKit's, of which two things cannot be asked for: each write of
 * playbackRate is heard as a crackle, and each element wants a tap of its own. Its picker of outputs
 * tells; that nothing of Chromium's or Gecko's capture stands beside it makes sure.
 * @param {object} element the prototype of media elements
 */
export function isWebKit(element = HTMLMediaElement.prototype) {
  const others = ["captureStream", "mozCaptureStream"];
  return "webkitShowPlaybackTargetPicker" in element && !others.some((name) => name in element);
}

/** Whether the browser says that it plays HLS by itself. */
export function playsHls() {
  return new Audio().canPlayType(HLS_TYPE) !== "";
}

/** Whether a stream of these codecs plays: by Media Source, or by the element alone. @param {string} codecs */
export function canStream(codecs) {
  const Source = mediaSource();
  // HLS as the browser's own is Apple's, and that has no Opus (HLS Authoring Specification 2.1).
  if (!Source && playsHls() && codecs.startsWith("opus")) return false;
  return Source ? Source.isTypeSupported(`${MEDIA_TYPE}; codecs="${codecs}"`) : canPlay(codecs);
}

/** Room on this phone, and whether the browser keeps what is there; asks it to. */
export async function storage() {
  const manager = navigator.storage;
  const { quota, usage } = (await manager?.estimate?.().catch(() => ({}))) ?? {};
  const persisted = (await manager?.persist?.().catch(() => false)) ?? false;
  return { quota, usage, persisted };
}

/** Whether the browser has promised to keep it; null where it does not say. */
export async function persisted() {
  return (await navigator.storage?.persisted?.().catch(() => null)) ?? null;
}

/** Run while no other page of this phone does. @param {() => Promise<void>} run */
export async function alone(run) {
  if (navigator.locks) await navigator.locks.request("tell-downloads", run);
  else await run();
}
