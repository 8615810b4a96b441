/**
 * Tell's API that remembers: the tickets and grants of the last visit answer where the network
 * does not. Only what was read from Tell before is answered, and each answer's `server_time` is
 * brought up to now by the device's clock.
 */

import { Api, ApiError } from "./api.js";
import { NUDGES_KEY } from "./nudges.js";
import { instantMs } from "./timeline.js";

const TICKETS_KEY = "tell.tickets";
const GRANT_KEY = "tell.grant.";
const SILENCES_KEY = "tell.silences.";
/** A network that is there and gives nothing is waited for so long, where something is kept. */
const PATIENCE_MS = 2500;

/**
 * @typedef {{ get(key: string): string | null, set(key: string, value: string): void,
 *   remove(key: string): void }} Memory
 *
 * @typedef {{ answer: Record<string, any>, wallMs: number }} Stamped when it came, by the wall clock
 *
 * @typedef {object} Means
 * @property {Memory} memory
 * @property {(ms: number) => Promise<void>} sleep
 * @property {() => number} wallMs the device's wall clock
 * @property {(offered: readonly string[]) => string | null} [languageOf] which of the film's
 *   languages suits her; null for the film's own default
 */

/** Whether Tell could not be reached, rather than that it refused. @param {unknown} error */
export function isAway(error) {
  return error instanceof ApiError && (error.code === "network" || error.status >= 500);
}

export class KeptApi extends Api {
  #means;
  /** Whether Tell answered when it was asked last. */
  online = true;
  /** Called with all tickets whenever one of them was told. @type {(tickets: any[]) => void} */
  onTickets = () => {};

  /** @param {string | null} listenerToken @param {Means} means */
  constructor(listenerToken, means) {
    super(listenerToken);
    this.#means = means;
  }

  /** @override */
  async claim(/** @type {string} */ claimCode, /** @type {string} */ deviceNonce) {
    const answer = await super.claim(claimCode, deviceNonce);
    // Before anybody hears of the ticket: who does asks for its track at once.
    this.use(answer.listener_token);
    this.keep(answer.ticket);
    return answer;
  }

  /** @override */
  async tickets() {
    const kept = this.#read(TICKETS_KEY);
    const asked = super.tickets().then((tickets) => {
      this.#replace(tickets);
      return tickets;
    });
    return this.#orKept(asked, kept && (() => this.#known(kept)));
  }

  /** @override */
  async ticket(/** @type {string} */ correlationId) {
    const ticket = await this.#noted(super.ticket(correlationId));
    this.keep(ticket);
    return ticket;
  }

  /** @override */
  async grant(/** @type {string} */ movieId, /** @type {string} */ correlationId) {
    const asked = this.#inHerLanguage(movieId, correlationId).then((grant) => {
      this.#write(GRANT_KEY + correlationId, this.#stamped(grant));
      return grant;
    });
    const kept = this.keptGrant(correlationId);
    return this.#orKept(asked, kept && (() => kept));
  }

  /** @override */
  async silences(/** @type {string} */ url) {
    const key = this.#silencesKey(url);
    const asked = super.silences(url).then((silences) => {
      if (key !== null) this.#write(key, silences);
      return silences;
    });
    const kept = key === null ? null : this.#read(key);
    return this.#orKept(asked, kept && (() => kept));
  }

  /**
   * The grant in the language that suits her best. What the film offers is known from an earlier
   * grant, or else from this one, and then it is asked once more.
   * @param {string} movieId @param {string} correlationId
   */
  async #inHerLanguage(movieId, correlationId) {
    const { languageOf = () => null } = this.#means;
    const known = this.#read(GRANT_KEY + correlationId)?.answer;
    const wanted = known ? languageOf(known.languages) : null;
    let grant;
    try {
      grant = await super.grant(movieId, correlationId, wanted);
    } catch (error) {
      // That language was taken back meanwhile.
      if (!(wanted && error instanceof ApiError && error.code === "not-described")) throw error;
      grant = await super.grant(movieId, correlationId);
    }
    const best = languageOf(grant.languages);
    return best === null || best === grant.language
      ? grant
      : super.grant(movieId, correlationId, best);
  }

  /** Every language of which an earlier grant told. @returns {string[]} */
  keptLanguages() {
    const grants = (this.#read(TICKETS_KEY) ?? []).map(
      (/** @type {Stamped} */ { answer }) => this.#read(GRANT_KEY + answer.correlation_id)?.answer,
    );
    return [...new Set(grants.flatMap((/** @type {any} */ grant) => grant?.languages ?? []))].sort();
  }

  /** They are kept for the ticket whose grant names them: their address has a token in it. @param {string} url */
  #silencesKey(url) {
    const named = (this.#read(TICKETS_KEY) ?? []).find(
      (/** @type {Stamped} */ { answer }) =>
        this.#read(GRANT_KEY + answer.correlation_id)?.answer.silences === url,
    );
    return named ? SILENCES_KEY + named.answer.correlation_id : null;
  }

  /**
   * The grant of an earlier answer, null where there was none. `kept` is true in it: its stream may
   * open nothing any more, the track that it names may be on the phone.
   * @param {string} correlationId
   */
  keptGrant(correlationId) {
    const kept = this.#read(GRANT_KEY + correlationId);
    return kept === null ? null : { ...this.#now(kept), kept: true };
  }

  /** A ticket as Tell has it now, by whatever way it came. @param {Record<string, any>} ticket */
  keep(ticket) {
    const kept = this.#read(TICKETS_KEY) ?? [];
    const others = kept.filter((one) => one.answer.correlation_id !== ticket.correlation_id);
    this.#write(TICKETS_KEY, [...others, this.#stamped(ticket)]);
    this.#tell();
  }

  /** The ticket as it was told last, null where it never was. @param {string} correlationId */
  keptTicket(correlationId) {
    const kept = (this.#read(TICKETS_KEY) ?? []).find(
      (/** @type {Stamped} */ { answer }) => answer.correlation_id === correlationId,
    );
    return kept ? this.#now(kept) : null;
  }

  /** This phone is no listener any more. */
  forget() {
    this.#replace([]);
    this.#means.memory.remove(TICKETS_KEY);
  }

  /** @param {Record<string, any>[]} tickets all there are */
  #replace(tickets) {
    const ids = new Set(tickets.map((ticket) => ticket.correlation_id));
    for (const { answer } of this.#read(TICKETS_KEY) ?? []) {
      if (!ids.has(answer.correlation_id)) {
        for (const key of [GRANT_KEY, SILENCES_KEY, NUDGES_KEY]) {
          this.#means.memory.remove(key + answer.correlation_id);
        }
      }
    }
    this.#write(TICKETS_KEY, tickets.map((ticket) => this.#stamped(ticket)));
    this.#tell();
  }

  #tell() {
    this.#known(this.#read(TICKETS_KEY) ?? []);
  }

  /** @param {Stamped[]} kept @returns {Record<string, any>[]} */
  #known(kept) {
    const tickets = kept.map((one) => this.#now(one));
    this.onTickets(tickets);
    return tickets;
  }

  /**
   * @template T @param {Promise<T>} asked @param {(() => T) | null} kept
   * @returns {Promise<T>}
   */
  async #orKept(asked, kept) {
    this.#noted(asked).catch(() => {});
    if (kept === null) return asked;
    try {
      const late = this.#means.sleep(PATIENCE_MS).then(() => LATE);
      const first = await Promise.race([asked, late]);
      if (first !== LATE) return /** @type {T} */ (first);
    } catch (error) {
      if (!isAway(error)) throw error;
    }
    // A late answer is kept for next time; that it fails late is no news.
    asked.catch(() => {});
    return kept();
  }

  /** Note whether Tell answered. @template T @param {Promise<T>} asked @returns {Promise<T>} */
  async #noted(asked) {
    try {
      const answer = await asked;
      this.online = true;
      return answer;
    } catch (error) {
      this.online = !isAway(error);
      throw error;
    }
  }

  /** @param {Record<string, any>} answer @returns {Stamped} */
  #stamped(answer) {
    return { answer, wallMs: this.#means.wallMs() };
  }

  /** The answer as if it came now. @param {Stamped} stamped @returns {Record<string, any>} */
  #now({ answer, wallMs }) {
    const nowMs = instantMs(answer.server_time) + (this.#means.wallMs() - wallMs);
    return { ...answer, server_time: new Date(nowMs).toISOString() };
  }

  /** @param {string} key */
  #read(key) {
    const text = this.#means.memory.get(key);
    return text === null ? null : JSON.parse(text);
  }

  /** @param {string} key @param {unknown} value */
  #write(key, value) {
    this.#means.memory.set(key, JSON.stringify(value));
  }
}

const LATE = Symbol("late");
