/**
 * The service worker: the app itself without network, and the downloaded tracks by ranges.
 *
 * What it does not answer goes to the network as if it were not there: Tell's API, the clock's
 * exchanges above all, and the streams.
 */

import { byteRange } from "./js/byteranges.js";
import { askedBy, playlist, wholeFile } from "./js/store.js";

/** The app's files with their digests; gateway/pages.py fills it in. */
const SHELL = { version: "", files: {} };

const CACHE = `tell-shell-${SHELL.version}`;
const PAGE = "/listen";
const MEDIA_TYPE = "audio/mp4";
const POSTERS = "tell-posters";

/**
 * What this worker never answers. By the Static Routing API it is not even asked: a stream need not
 * wake it, and what the page asks for all the time does not keep it from giving way to a new version.
 */
const PASSED = ["/tell/*", "/time", "/stream/*"];

self.addEventListener("install", (event) => {
  // Refused by a browser, each of them passes through the fetch event.
  event.addRoutes?.(PASSED.map(toTheNetwork)).catch(() => {});
  event.waitUntil(install());
});
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  if (event.data === "take-over") self.skipWaiting();
});
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const asked = askedBy(url.pathname);
  if (asked?.what === "mp4") event.respondWith(track(event.request, asked.sha256));
  else if (asked) event.respondWith(mediaPlaylist(asked.sha256));
  else if (event.request.mode === "navigate" && [PAGE, "/"].includes(url.pathname)) {
    event.respondWith(shell(event.request, PAGE));
  } else if (url.pathname in SHELL.files) {
    event.respondWith(shell(event.request, url.pathname));
  } else if (url.pathname.startsWith("/posters/")) {
    event.respondWith(poster(event.request));
  }
});

/** @param {string} pathname */
function toTheNetwork(pathname) {
  return { condition: { urlPattern: { pathname } }, source: "network" };
}

/** Have every file of this version, or do not become this version. */
async function install() {
  const cache = await caches.open(CACHE);
  await Promise.all(
    Object.entries(SHELL.files).map(async ([path, digest]) => {
      if (await cache.match(path)) return;
      // Asked by its tag: what the page has just loaded is not sent a second time.
      const response = await fetch(path, { cache: "no-cache" });
      const bytes = await response.clone().arrayBuffer();
      // While Tell is updated one replica may send this worker and another one the old file.
      if (!response.ok || (await sha256(bytes)) !== digest) {
        throw new Error(`${path} is not of this version`);
      }
      await cache.put(path, response);
    }),
  );
}

/** Older versions go; open pages have read all of theirs, and downloaded tracks are of none. */
async function activate() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("tell-shell-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** @param {Request} request @param {string} path */
async function shell(request, path) {
  const cached = await (await caches.open(CACHE)).match(path);
  return cached ?? fetch(request);
}

/** A poster that js/posters.js has kept. @param {Request} request */
async function poster(request) {
  return (await caches.match(request, { cacheName: POSTERS })) ?? fetch(request);
}

/**
 * A downloaded track, whole (200) or the range that was asked (206: RFC 9110 15.3.7). Players ask
 * by ranges; Safari plays nothing from an answer without them.
 * @param {Request} request @param {string} digest
 */
async function track(request, digest) {
  const file = await wholeFile(digest);
  if (file === null) return new Response(null, { status: 404 });
  const headers = { "Accept-Ranges": "bytes", "Content-Type": MEDIA_TYPE, ETag: `"${digest}"` };
  const range = byteRange(request.headers.get("Range"), file.size);
  if (range === "unsatisfiable") {
    return new Response(null, {
      status: 416,
      headers: { ...headers, "Content-Range": `bytes */${file.size}` },
    });
  }
  const { start, end } = range ?? { start: 0, end: file.size };
  return new Response(file.slice(start, end), {
    status: range === null ? 200 : 206,
    headers: {
      ...headers,
      "Content-Length": String(end - start),
      ...(range && { "Content-Range": `bytes ${start}-${end - 1}/${file.size}` }),
    },
  });
}

/** Where the segments of a downloaded track are. @param {string} digest */
async function mediaPlaylist(digest) {
  const text = await playlist(digest);
  if (text === null) return new Response(null, { status: 404 });
  return new Response(text, { headers: { "Content-Type": "application/vnd.apple.mpegurl" } });
}

/** As gateway/pages.py names a file: 32 hexadecimal digits. @param {ArrayBuffer} bytes */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
