/** Opens a link: its claim code becomes this phone's listener token, and the ticket. */

import { ApiError, randomId } from "./api.js";

export const LISTENER_KEY = "tell.listener";
const NONCE_KEY = "tell.device";

/** @typedef {{ listener_token: string, ticket: Record<string, any> }} Claimed */

export class Claiming {
  #api;
  #memory;
  /** @type {{ code: string, answer: Promise<Claimed> } | null} */ #begun = null;

  /** @param {import("./kept.js").KeptApi} api @param {import("./kept.js").Memory} memory */
  constructor(api, memory) {
    this.#api = api;
    this.#memory = memory;
  }

  /** Ask already, while the page is still being built. @param {string} code */
  begin(code) {
    const answer = this.#ask(code);
    // What fails is said where the answer is waited for.
    answer.catch(() => {});
    this.#begun = { code, answer };
  }

  /** The listener token is in use from then on. Raises ApiError. @param {string} code @returns {Promise<Claimed>} */
  async claim(code) {
    const begun = this.#begun?.code === code ? this.#begun.answer : this.#ask(code);
    this.#begun = null;
    const answer = await begun;
    this.#memory.set(LISTENER_KEY, answer.listener_token);
    return answer;
  }

  /** @param {string} code @returns {Promise<Claimed>} */
  async #ask(code) {
    const nonce = this.#memory.get(NONCE_KEY) ?? randomId();
    this.#memory.set(NONCE_KEY, nonce);
    try {
      return await this.#api.claim(code, nonce);
    } catch (error) {
      // A listener that Tell no longer knows does not stand in the way of a good link.
      const known = this.#memory.get(LISTENER_KEY) !== null;
      if (!(error instanceof ApiError && error.status === 401 && known)) throw error;
      this.#api.use(null);
      return this.#api.claim(code, nonce);
    }
  }
}
