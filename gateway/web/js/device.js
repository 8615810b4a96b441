/** What this device plays, what its network is like, and what its storage promises. */

import { measuredBps } from "./downloads.js";

/** @typedef {import("./kept.js").Memory} Memory */

const DATA_USE_KEY = "tell.data-use";
const MEDIA_TYPE = "audio/mp4";

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

/** Whether a stream of these codecs plays: by Media Source, or as the browser's own HLS. @param {string} codecs */
export function canStream(codecs) {
  const Source = /** @type {any} */ (globalThis).ManagedMediaSource ?? globalThis.MediaSource;
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
