/**
 * A worker that fetches and checks tracks: only a worker may write a file in place, and the digest
 * of a whole film would hold up the page. One order at a time; downloads.js keeps the queue.
 *
 * In: `{ order, ...}` of orders "fetch" and "verify", or "stop". Out: `{ news, ... }` of transfer.js,
 * and at the end `{ outcome }`.
 */

import { fileHandle, keepPlaylist, markWhole, remove, unmark, wholeFile } from "./store.js";
import { isWhole, transfer } from "./transfer.js";

/** @type {AbortController | null} */
let running = null;

/** @param {any} order */
async function fetchTrack(order) {
  running = new AbortController();
  await unmark(order.sha256);
  const file = await open(order.sha256);
  let outcome;
  try {
    outcome = await transfer(order, {
      file,
      fetch: (url, options) => fetch(url, options),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      nowMs: () => performance.now(),
      signal: running.signal,
      tell: (news) => postMessage(news),
    });
  } finally {
    file.close();
    running = null;
  }
  // Without it the track would be played another way, and not in the same time (downloadsource.js).
  if (outcome === "whole") outcome = await fetchPlaylist(order);
  if (outcome === "whole") await markWhole(order.sha256);
  else if (outcome !== "stopped") await remove(order.sha256);
  return outcome;
}

/**
 * The Media Playlist lies beside its file.
 * @param {any} order @returns {Promise<"whole" | "stopped" | "no-room">}
 */
async function fetchPlaylist({ url, sha256 }) {
  const name = /[^/]+\.mp4$/.exec(url)?.[0] ?? "";
  try {
    const response = await fetch(url.replace(/\.mp4$/, ".m3u8"), { cache: "no-store" });
    if (!response.ok) return "stopped";
    // Where to begin is the app's to say, and the file has another name here.
    const text = (await response.text()).replace(/^#EXT-X-START:.*\n/m, "");
    await keepPlaylist(sha256, text.replaceAll(name, `${sha256}.mp4`));
    return "whole";
  } catch (error) {
    if (/** @type {Error} */ (error).name === "QuotaExceededError") return "no-room";
    // The network was lost in between: the track is there, and only this is fetched next time.
    return "stopped";
  }
}

/** @param {any} order */
async function verifyTrack(order) {
  const file = await wholeFile(order.sha256);
  if (file !== null && (await isWhole(file, order))) return "whole";
  // The mark goes and the file stays, until it is fetched anew: it may be playing.
  await unmark(order.sha256);
  return "damaged";
}

/** @param {string} sha256 */
async function open(sha256) {
  const handle = /** @type {any} */ (await fileHandle(sha256));
  return handle.createSyncAccessHandle();
}

const ORDERS = /** @type {Record<string, (order: any) => Promise<string>>} */ ({
  fetch: fetchTrack,
  verify: verifyTrack,
});

self.addEventListener("message", async (event) => {
  if (event.data.order === "stop") {
    running?.abort();
    return;
  }
  try {
    postMessage({ outcome: await ORDERS[event.data.order](event.data) });
  } catch (error) {
    // The disk refused: told as an outcome, for the page to say; the rest is the console's.
    const { name } = /** @type {Error} */ (error);
    postMessage({ outcome: name === "QuotaExceededError" ? "no-room" : "no-disk", detail: String(error) });
  }
});
