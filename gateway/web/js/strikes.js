/** How often something may go wrong within a while before it is given up. Pure. */

export class Strikes {
  #most;
  #withinMs;
  /** @type {number[]} */ #atMs = [];

  /** @param {number} most so many are too many @param {number} withinMs */
  constructor(most, withinMs) {
    this.#most = most;
    this.#withinMs = withinMs;
  }

  /** One more; whether that is one too many, after which it begins anew. @param {number} nowMs */
  add(nowMs) {
    this.#atMs = [...this.#atMs.filter((atMs) => nowMs - atMs < this.#withinMs), nowMs];
    if (this.#atMs.length < this.#most) return false;
    this.#atMs = [];
    return true;
  }
}
