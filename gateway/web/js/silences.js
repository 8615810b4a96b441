/**
 * The narrator's pauses, as the packager measured them (track.json, `silences`). Pure.
 *
 * What is cut or bent in a pause is not heard: corrections go there, and so does what the app
 * itself has to say.
 */

const RATE_HZ = 48_000;

/**
 * @typedef {object} Pause seconds from the place asked about
 * @property {number} inS until the pause begins, 0 within one, Infinity where none is known
 * @property {number} forS how long it lasts from there (from here, within one)
 */

/** @type {Pause} */
const NONE = { inS: Infinity, forS: 0 };

export class Silences {
  #pauses;

  /** @param {[number, number][] | null} pauses [first sample, sample after the last], in order */
  constructor(pauses) {
    this.#pauses = pauses ?? [];
  }

  /**
   * The pause at *atS*, a second of the track, or the next one. Before the track begins, and after
   * the last word, nobody speaks where the map says so.
   * @param {number} atS
   * @returns {Pause}
   */
  next(atS) {
    const at = atS * RATE_HZ;
    let [low, high] = [0, this.#pauses.length];
    // The first pause that is not over yet.
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#pauses[middle][1] <= at) low = middle + 1;
      else high = middle;
    }
    if (low === this.#pauses.length) return NONE;
    const [begin, end] = this.#pauses[low];
    const from = Math.max(begin, at);
    return { inS: (from - at) / RATE_HZ, forS: (end - from) / RATE_HZ };
  }
}
