/**
 * A downloaded track as a source of sound. Where Media Source is, the file goes the way of the
 * stream, segment by segment from the service worker: the two then sound at the same time. Played
 * as a plain file, Chromium puts AAC out 21 ms late (measured against the stream of the same
 * bytes), and a seek into the first fragment of a segment that it has read ahead leaves out the
 * other five, which its clock does not show. So that is only the way where there is no other.
 */

import { addressOf, playlistAddressOf, wholeFile } from "./store.js";
import { StreamSource } from "./stream.js";

/** No network is behind it: nothing has to be guessed, nothing to be capped. */
const LOCAL = { guessBps: 1e8, capOf: () => -1 };

/** @typedef {import("./stream.js").Source} Source */

/** @implements {Source} */
export class DownloadSource {
  kind = /** @type {const} */ ("download");
  sha256;
  playing;
  #inner;

  /**
   * @param {{ sha256: string, rendition: string }} track
   * @param {Pick<Source, "attach" | "detach">} inner
   */
  constructor({ sha256, rendition }, inner) {
    this.sha256 = sha256;
    this.playing = { source: /** @type {const} */ ("download"), rendition };
    this.#inner = inner;
  }

  /**
   * Open the file through the service worker, which answers by ranges. A page that is not under
   * its control (the very first visit, a forced reload) has no such way, and takes the file itself
   * only as the *lastResort*.
   * @param {{ sha256: string, rendition: string }} track
   * @param {object} parts
   * @param {() => Promise<any | null>} parts.loadHls
   * @param {(ms: number) => Promise<void>} parts.sleep
   * @param {boolean} lastResort there is no network to stream by
   * @param {(source: DownloadSource) => void} onGone its bytes cannot be read
   * @returns {Promise<DownloadSource | null>} null where the file is not there, or not yet of use
   */
  static async open(track, { loadHls, sleep }, lastResort, onGone) {
    const file = await wholeFile(track.sha256);
    if (file === null) return null;
    // What is on the phone plays without network, and so without hls.js too.
    const Hls = await loadHls().catch(() => null);
    const onProblem = () => onGone(source);
    const controlled = Boolean(navigator.serviceWorker?.controller);
    if (Hls && !controlled && !lastResort) return null;
    const inner =
      controlled && Hls
        ? new StreamSource(playlistAddressOf(track.sha256), { Hls, sleep, onProblem, ...LOCAL })
        : new PlainFile(controlled ? addressOf(track.sha256) : fileUrl(file), onProblem);
    const source = new DownloadSource(track, inner);
    return source;
  }

  /** @param {HTMLAudioElement} audio @param {number} positionS */
  attach(audio, positionS) {
    this.#inner.attach(audio, positionS);
  }

  detach() {
    this.#inner.detach();
  }
}

/** One file as the element's own source. */
class PlainFile {
  #url;
  #onProblem;
  /** @type {HTMLAudioElement | null} */ #audio = null;

  /** @param {string} url @param {() => void} onProblem */
  constructor(url, onProblem) {
    this.#url = url;
    this.#onProblem = onProblem;
  }

  /** @param {HTMLAudioElement} audio @param {number} positionS */
  attach(audio, positionS) {
    this.#audio = audio;
    audio.addEventListener("error", this.#onProblem);
    audio.src = this.#url;
    // Kept by the element until its metadata are there (HTML 4.8.11.6, default start position).
    audio.currentTime = positionS;
  }

  detach() {
    const audio = this.#audio;
    this.#audio = null;
    if (audio === null) return;
    audio.removeEventListener("error", this.#onProblem);
    audio.removeAttribute("src");
    audio.load();
    if (this.#url.startsWith("blob:")) URL.revokeObjectURL(this.#url);
  }
}

/** @param {Blob} file */
function fileUrl(file) {
  return URL.createObjectURL(new Blob([file], { type: "audio/mp4" }));
}
