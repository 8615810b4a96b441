/**
 * A stream that the browser plays by itself, where it has no Media Source for hls.js: its own HLS
 * (iPhones before iOS 17.1), or the rendition's one file by ranges where it has not even that.
 */

/** Of MediaError (HTML 4.8.11.1); the fourth code is a refusal, or something that is no sound. */
const NETWORK = 2;
const DECODE = 3;
const RETRY_MS = 2000;

/**
 * @typedef {import("./stream.js").Source} Source
 * @typedef {import("./stream.js").SourceProblem} SourceProblem
 */

/** @implements {Source} */
export class ElementSource {
  kind = /** @type {const} */ ("stream");
  playing;
  #url;
  #sleep;
  #onProblem;
  /** @type {HTMLAudioElement | null} */ #audio = null;
  #atS = 0;

  /**
   * @param {string} url a playlist or a file
   * @param {object} parts
   * @param {import("./stream.js").Playing} parts.playing
   * @param {(ms: number) => Promise<void>} parts.sleep
   * @param {(problem: SourceProblem) => void} parts.onProblem
   */
  constructor(url, { playing, sleep, onProblem }) {
    this.#url = url;
    this.playing = playing;
    this.#sleep = sleep;
    this.#onProblem = onProblem;
  }

  /** @param {HTMLAudioElement} audio @param {number} positionS */
  attach(audio, positionS) {
    this.#audio = audio;
    this.#atS = positionS;
    audio.addEventListener("error", this.#failed);
    audio.addEventListener("loadedmetadata", this.#place);
    audio.src = this.#url;
  }

  detach() {
    const audio = this.#audio;
    this.#audio = null;
    if (audio === null) return;
    audio.removeEventListener("error", this.#failed);
    audio.removeEventListener("loadedmetadata", this.#place);
    // An element lets go of its connections only so (HTML 4.8.11.18).
    audio.removeAttribute("src");
    audio.load();
  }

  /** A browser's own HLS may begin at 0, whatever was set and whatever EXT-X-START says. */
  #place = () => {
    const audio = this.#audio;
    if (audio !== null && audio.currentTime === 0) audio.currentTime = this.#atS;
  };

  #failed = async () => {
    const audio = this.#audio;
    const code = audio?.error?.code;
    if (audio === null || code === undefined) return;
    if (code !== NETWORK && code !== DECODE) {
      this.#onProblem("refused");
      return;
    }
    this.#onProblem(code === NETWORK ? "network" : "media");
    this.#atS = audio.currentTime;
    await this.#sleep(RETRY_MS);
    // An element that failed plays nothing any more until it is given its source anew.
    if (audio === this.#audio && audio.error) audio.src = this.#url;
  };
}
