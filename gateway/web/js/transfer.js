/**
 * One file from Tell to the phone, however often the network is cut: each try goes on where the
 * last one ended (RFC 9110 14.2), and the digest is built while the bytes come in. Without DOM: it
 * runs in a worker (downloadworker.js), and in tests as it is.
 */

import { Sha256 } from "./sha256.js";
import { waitMs } from "./events.js";

/**
 * @typedef {object} File the part of FileSystemSyncAccessHandle that is needed
 * @property {() => number} getSize
 * @property {(bytes: Uint8Array, options: { at: number }) => number} read
 * @property {(bytes: Uint8Array, options: { at: number }) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void} flush
 *
 * @typedef {object} Order
 * @property {string} url
 * @property {string} sha256
 * @property {number} sizeBytes
 *
 * @typedef {object} Means
 * @property {File} file
 * @property {(url: string, options: RequestInit) => Promise<Response>} fetch
 * @property {(ms: number) => Promise<void>} sleep
 * @property {() => number} nowMs of a clock that nobody sets
 * @property {AbortSignal} signal stops it; what came stays on the phone
 * @property {(news: News) => void} tell
 *
 * @typedef {{ news: "progress", bytes: number, bandwidthBps: number | null } |
 *   { news: "damaged" } | { news: "cut", failures: number, why: string }} News
 *
 * @typedef {"whole" | "damaged" | "refused" | "no-room" | "stopped"} Outcome
 * damaged: it came wrong again and again. refused: the address opens nothing any more.
 */

const PIECE_BYTES = 256 * 1024;
/** What is flushed survives a phone that is switched off; to flush each piece would be slow. */
const FLUSH_BYTES = 2 * 1024 * 1024;
const TRIES_AT_DAMAGE = 3;
const FIRST_WAIT_MS = 500;
const REFUSED = [401, 403, 404, 410];
const TELL_EVERY_MS = 250;
/** A line that gives nothing for so long is dead. */
const STALLED_MS = 20_000;

class Refusal extends Error {}
class Cut extends Error {}
class NoRoom extends Error {
  name = "QuotaExceededError";
}

/** @param {Order} order @param {Means} means @returns {Promise<Outcome>} */
export async function transfer(order, means) {
  return new Transfer(order, means).run();
}

/**
 * Whether the bytes are those of that digest and length. Read piece by piece, and without a lock:
 * the track may be playing.
 * @param {Blob} file @param {Pick<Order, "sha256" | "sizeBytes">} order
 */
export async function isWhole(file, { sha256, sizeBytes }) {
  if (file.size !== sizeBytes) return false;
  const hash = new Sha256();
  for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
    hash.update(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
  }
  return hash.hex() === sha256;
}

/** @param {Pick<File, "read">} file @param {number} bytes @param {Sha256} hash */
function hashFile(file, bytes, hash) {
  const piece = new Uint8Array(PIECE_BYTES);
  for (let at = 0; at < bytes; ) {
    const count = file.read(piece.subarray(0, Math.min(PIECE_BYTES, bytes - at)), { at });
    if (count === 0) break;
    hash.update(piece.subarray(0, count));
    at += count;
  }
}

class Transfer {
  #order;
  #means;
  #hash = new Sha256();
  #have = 0;
  #flushed = 0;
  #toldMs = -Infinity;

  /** @param {Order} order @param {Means} means */
  constructor(order, means) {
    this.#order = order;
    this.#means = means;
  }

  /** @returns {Promise<Outcome>} */
  async run() {
    const { file, sleep, signal, tell } = this.#means;
    const { sha256, sizeBytes } = this.#order;
    if (file.getSize() > sizeBytes) this.#restart();
    this.#have = file.getSize();
    // What came in an earlier visit is read once more: so the digest covers what is on the phone.
    hashFile(file, this.#have, this.#hash);
    let failures = 0;
    let damaged = 0;
    while (!signal.aborted) {
      if (this.#have === sizeBytes) {
        file.flush();
        if (this.#hash.hex() === sha256) return "whole";
        damaged += 1;
        tell({ news: "damaged" });
        this.#restart();
        if (damaged === TRIES_AT_DAMAGE) return "damaged";
      }
      const before = this.#have;
      try {
        await this.#fetchOn();
        failures = 0;
      } catch (error) {
        if (error instanceof Refusal) return "refused";
        if (/** @type {Error} */ (error).name === "QuotaExceededError") return "no-room";
        if (!(error instanceof Cut)) throw error;
        if (signal.aborted) break;
        failures = this.#have > before ? 1 : failures + 1;
        tell({ news: "cut", failures, why: String(error) });
        await sleep(waitMs(failures, FIRST_WAIT_MS, 0.5));
      }
    }
    file.flush();
    return "stopped";
  }

  #restart() {
    this.#means.file.truncate(0);
    this.#have = 0;
    this.#flushed = 0;
    this.#hash = new Sha256();
  }

  async #fetchOn() {
    const { nowMs, signal } = this.#means;
    const line = new AbortController();
    const stop = () => line.abort();
    signal.addEventListener("abort", stop);
    // A timer, not the shared sleep: it is renewed with every piece.
    let watch = setTimeout(stop, STALLED_MS);
    try {
      const startedMs = nowMs();
      const from = this.#have;
      const response = await this.#ask(line.signal);
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      for (;;) {
        const { done, value } = await cutOr(reader.read());
        if (done || value === undefined) break;
        clearTimeout(watch);
        watch = setTimeout(stop, STALLED_MS);
        this.#take(value);
        this.#progress(startedMs, from);
      }
      this.#toldMs = -Infinity;
      this.#progress(startedMs, from);
    } finally {
      clearTimeout(watch);
      signal.removeEventListener("abort", stop);
      // A body that is not read to its end keeps its connection.
      line.abort();
    }
    if (this.#have < this.#order.sizeBytes) throw new Cut("ended early");
  }

  async #ask(/** @type {AbortSignal} */ signal) {
    // No If-Range: Tell may send us on to a bucket, which gets these headers too and has a tag of its
    // own, so it would send all of it again (RFC 9110 13.1.5). An address names one version, and the
    // digest of the whole is the proof.
    const range = this.#have > 0 && { Range: `bytes=${this.#have}-` };
    const response = await cutOr(
      this.#means.fetch(this.#order.url, {
        // Says that it is to be kept: a player's ranges stay with Tell (gateway/presigning.py).
        headers: { Accept: "application/octet-stream", ...range },
        // It is kept by us; a second copy in the browser's cache is of no use.
        cache: "no-store",
        signal,
      }),
    );
    if (REFUSED.includes(response.status)) throw new Refusal(String(response.status));
    if (response.status === 206) {
      const start = /^bytes (\d+)-/.exec(response.headers.get("Content-Range") ?? "")?.[1];
      if (Number(start) !== this.#have) throw new Cut("another range than asked");
    } else if (response.status === 200) {
      this.#restart();
    } else {
      throw new Cut(`answered ${response.status}`);
    }
    return response;
  }

  #take(/** @type {Uint8Array} */ piece) {
    const { file } = this.#means;
    const room = this.#order.sizeBytes - this.#have;
    const bytes = piece.length > room ? piece.subarray(0, room) : piece;
    // A full disk shows in either way (File System Standard, FileSystemSyncAccessHandle.write).
    if (file.write(bytes, { at: this.#have }) < bytes.length) throw new NoRoom();
    this.#hash.update(bytes);
    this.#have += bytes.length;
    if (this.#have - this.#flushed >= FLUSH_BYTES) {
      file.flush();
      this.#flushed = this.#have;
    }
  }

  #progress(/** @type {number} */ startedMs, /** @type {number} */ from) {
    const nowMs = this.#means.nowMs();
    if (nowMs - this.#toldMs < TELL_EVERY_MS) return;
    this.#toldMs = nowMs;
    const seconds = (nowMs - startedMs) / 1000;
    const bits = (this.#have - from) * 8;
    // Of a short one the round trip is measured, and not the network.
    const bandwidthBps = seconds > 0.2 && bits > 1e6 ? bits / seconds : null;
    this.#means.tell({ news: "progress", bytes: this.#have, bandwidthBps });
  }
}

/** What the network does to a request is one kind of failure. @template T @param {Promise<T>} promise */
async function cutOr(promise) {
  try {
    return await promise;
  } catch (error) {
    throw new Cut(String(error));
  }
}
