/** Opens the sound of a ticket: the grant, the clock, the stream, and the narrator's pauses. */

import { ApiError } from "./api.js";
import { Silences } from "./silences.js";

/**
 * @typedef {object} Parts
 * @property {import("./api.js").Api} api
 * @property {import("./player.js").Player} player
 * @property {import("./exchanges.js").Exchanges} exchanges
 * @property {(grant: Record<string, any>, ticket: Record<string, any>) =>
 *   Promise<import("./stream.js").Source> | import("./stream.js").Source} sourceOf
 * @property {import("./filmtime.js").FilmTime} film
 */

export class Opening {
  #parts;
  /** @type {Promise<void> | null} */ #busy = null;
  #closed = false;
  /** When nobody speaks. */
  silences = new Silences(null);

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  close() {
    this.#closed = true;
  }

  get busy() {
    return this.#busy !== null;
  }

  /**
   * Open it, once at a time. Raises ApiError.
   * @param {Record<string, any>} ticket
   */
  open(ticket) {
    this.#busy ??= this.#open(ticket).finally(() => (this.#busy = null));
    return this.#busy;
  }

  /** @param {Record<string, any>} ticket */
  async #open(ticket) {
    const { api, player, exchanges, sourceOf, film } = this.#parts;
    const known = exchanges.known();
    const grant = await api.grant(ticket.movie_id, ticket.correlation_id);
    if (this.#closed) return;
    film.trackOffsetS = grant.track_offset_s;
    const source = await sourceOf(grant, ticket);
    if (this.#closed) return;
    // Opened while the clock is still being asked: where to begin need not be known to the second.
    player.load(source, film.roughPositionS());
    this.#learnSilences(grant.silences);
    await known;
  }

  /** Where they cannot be had, corrections are made while the narrator speaks. @param {string | null} url */
  async #learnSilences(url) {
    if (!url) return;
    try {
      this.silences = new Silences(await this.#parts.api.silences(url));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return;
    }
    if (!this.#closed) this.#parts.player.useSilences(this.silences);
  }
}
