/**
 * The stream as a source of sound, by hls.js over Media Source or Managed Media Source.
 *
 * @typedef {object} Playing what of which kind is heard, as Tell's contract names it
 * @property {"hls" | "progressive" | "download"} source
 * @property {string | null} rendition null while that is not known
 *
 * @typedef {object} Source where the sound comes from; one timeline for all of them
 * @property {"download" | "stream"} kind
 * @property {Playing} playing
 * @property {(audio: HTMLAudioElement, positionS: number) => void} attach open it around there
 * @property {() => void} detach
 *
 * @typedef {"network" | "refused" | "media" | "server"} SourceProblem
 * server: Tell was reached, and could not answer.
 */

const RETRY_MS = 2000;
/** A Media Playlist is named after its rendition. */
const RENDITION = /([a-z0-9]+-[0-9]+k)\.m3u8$/;
const REFUSED = [401, 403, 404, 410];
/** Of hls.js: bytes came and are no sound. It asks again by itself, other renditions too. */
const NO_SOUND = ["fragParsingError", "bufferAppendError"];
/** What a stream token opens: Media Playlists and files, by its place in their addresses. */
const SIGNED = /\/stream\/([^/]+)\/(?=[a-z0-9]+-[0-9]+k\.(?:m3u8|mp4)$)/;

const HLS_CONFIG = {
  // The policy allows no worker made from a blob.
  enableWorker: false,
  // hls.js given a whole film fetches ten minutes of it at once: 9.7 MB.
  maxBufferLength: 12,
  maxMaxBufferLength: 30,
  backBufferLength: 12,
  testBandwidth: false,
  // A cinema's network drops out: ask again soon, for long.
  fragLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 4000,
      maxLoadTimeMs: 20000,
      timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: { maxNumRetry: 6, retryDelayMs: 300, maxRetryDelayMs: 4000 },
    },
  },
};

/** @implements {Source} */
export class StreamSource {
  kind = /** @type {const} */ ("stream");
  #url;
  #Hls;
  #sleep;
  #onProblem;
  #guessBps;
  #capOf;
  /** @type {any} */ #hls = null;
  /** Signed later than the one in the playlist, "" while there is none. */ #token = "";
  /** What came was no sound, and the browser may have kept it. */ #spoilt = false;

  /**
   * @param {string} url the Multivariant Playlist
   * @param {object} parts
   * @param {any} parts.Hls the class of hls.js
   * @param {(ms: number) => Promise<void>} parts.sleep
   * @param {(problem: SourceProblem) => void} parts.onProblem
   * @param {number} parts.guessBps what the bandwidth is taken for, to begin with
   * @param {(levels: { bitrate: number }[]) => number} parts.capOf highest level that may be
   *   chosen, -1 for any
   */
  constructor(url, { Hls, sleep, onProblem, guessBps, capOf }) {
    this.#url = url;
    this.#Hls = Hls;
    this.#sleep = sleep;
    this.#onProblem = onProblem;
    this.#guessBps = guessBps;
    this.#capOf = capOf;
  }

  /** @returns {Playing} */
  get playing() {
    const level = this.#hls?.levels[this.#hls.currentLevel];
    return { source: "hls", rendition: RENDITION.exec(level?.uri ?? "")?.[1] ?? null };
  }

  /** @param {HTMLAudioElement} audio @param {number} positionS */
  attach(audio, positionS) {
    const Hls = this.#Hls;
    this.#hls = new Hls({
      ...HLS_CONFIG,
      startPosition: positionS,
      abrEwmaDefaultEstimate: this.#guessBps,
      xhrSetup: (/** @type {XMLHttpRequest} */ request, /** @type {string} */ address) => {
        if (!SIGNED.test(address) || !(this.#token || this.#spoilt)) return;
        request.open("GET", this.#token ? this.#signed(address) : address, true);
        if (this.#spoilt) request.setRequestHeader("Cache-Control", "no-cache");
      },
    });
    this.#hls.on(Hls.Events.MANIFEST_PARSED, (/** @type {any} */ _, /** @type {any} */ data) => {
      this.#hls.autoLevelCapping = this.#capOf(data.levels);
    });
    this.#hls.on(Hls.Events.ERROR, (/** @type {any} */ _, /** @type {any} */ data) =>
      this.#failed(data),
    );
    this.#hls.loadSource(this.#url);
    this.#hls.attachMedia(audio);
  }

  /**
   * Go on by another token for the same track, unheard: what is asked from now on is asked by it.
   * @param {string} url any address of the track that it opens
   */
  renew(url) {
    this.#token = SIGNED.exec(url)?.[1] ?? this.#token;
  }

  /** @param {string} address */
  #signed(address) {
    return address.replace(SIGNED, () => `/stream/${this.#token}/`);
  }

  detach() {
    this.#hls?.destroy();
    this.#hls = null;
  }

  #failed(/** @type {any} */ data) {
    if (!data.fatal) {
      if (NO_SOUND.includes(data.details)) {
        this.#spoilt = true;
        this.#onProblem("media");
      }
      return;
    }
    const hls = this.#hls;
    if (data.type === this.#Hls.ErrorTypes.MEDIA_ERROR) {
      hls.recoverMediaError();
      this.#onProblem("media");
    } else if (REFUSED.includes(data.response?.code ?? 0)) {
      this.#onProblem("refused");
    } else {
      this.#onProblem((data.response?.code ?? 0) >= 500 ? "server" : "network");
      this.#sleep(RETRY_MS).then(() => hls === this.#hls && this.#again(hls));
    }
  }

  /** Ask once more for what did not come. @param {any} hls */
  #again(hls) {
    // hls.js goes on with segments; a playlist that it gave up it asks for no more by itself.
    if (hls.levels.some((/** @type {any} */ level) => level.details)) hls.startLoad(-1);
    else hls.loadSource(this.#url);
  }
}
