/**
 * What the sound of a ticket comes from: the downloaded file where it is whole, else the stream;
 * and the change from the one to the other while it plays.
 */

import { ApiError } from "./api.js";
import { chooseElement, chooseStream, levelCap } from "./formats.js";
import { DownloadSource } from "./downloadsource.js";
import { ElementSource } from "./elementsource.js";
import { StreamSource } from "./stream.js";

/** After a hand-over that failed the next one is tried so much later. */
const AGAIN_MS = 60_000;

/**
 * @typedef {import("./stream.js").Source} Source
 * @typedef {import("./stream.js").SourceProblem} SourceProblem
 *
 * @typedef {object} Parts
 * @property {import("./kept.js").KeptApi} api
 * @property {import("./downloads.js").Downloads} downloads
 * @property {import("./deck.js").Deck} deck
 * @property {() => Promise<any | null>} loadHls the class of hls.js, null where it is of no use
 * @property {() => import("./formats.js").Network} network
 * @property {() => import("./formats.js").DataUse} dataUse
 * @property {(codecs: string) => boolean} canStream
 * @property {() => boolean} playsHls whether the browser plays HLS by itself
 * @property {(ms: number) => Promise<void>} sleep
 * @property {(problem: SourceProblem | "codec") => void} onProblem
 */

export class Sources {
  #parts;
  /** @type {Record<string, any> | null} the ticket that is open */ #ticket = null;
  /** Files that were whole and could not be read: not tried again in this visit. */
  #broken = new Set();
  /** What plays, and the grant that opened it. @type {{ source: Source, grant: any } | null} */
  #playing = null;
  #renewing = false;
  #changing = false;
  /** Something came about while the sound was going over. */ #missed = false;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
    parts.downloads.watch(() => this.#look());
    // From then on what is on the phone can be read as a stream is.
    navigator.serviceWorker?.addEventListener("controllerchange", () => this.#look());
  }

  /**
   * The source to open. Raises ApiError `network` where the grant is one of an earlier visit and
   * the track is not on the phone, `no-codec` where nothing of it plays here.
   * @param {Record<string, any>} grant @param {Record<string, any>} ticket
   * @returns {Promise<Source>}
   */
  async open(grant, ticket) {
    this.#ticket = ticket;
    const source = (await this.#download(grant)) ?? (await this.#stream(grant));
    this.#mark(source, grant);
    return this.#parts.deck.holding(source);
  }

  /**
   * The ticket as Tell has it now. Where its film ends later than it was to, the address of what
   * plays would open nothing before that end: it is signed anew, and the sound goes on.
   * @param {Record<string, any>} ticket
   */
  async follow(ticket) {
    const playing = this.#playing;
    if (this.#renewing || !(playing?.source instanceof StreamSource)) return;
    if (playing.grant.correlation_id !== ticket.correlation_id) return;
    if (!(Date.parse(ticket.credits_end) > Date.parse(playing.grant.credits_end))) return;
    this.#renewing = true;
    try {
      const grant = await this.#parts.api.grant(ticket.movie_id, ticket.correlation_id);
      // Of an earlier visit it has nothing new; of another version it opens other bytes.
      if (grant.kept || playing !== this.#playing || !sameTrack(grant, playing.grant)) return;
      playing.source.renew(grant.downloads[0].url);
      playing.grant = grant;
    } catch (error) {
      // With the next look at the ticket it is tried again.
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#renewing = false;
    }
  }

  /** Nothing is open any more. */
  close() {
    this.#ticket = null;
    this.#playing = null;
    this.#parts.downloads.playing = null;
  }

  /** @param {Record<string, any>} grant @returns {Promise<DownloadSource | null>} */
  async #download(grant) {
    const track = await this.#parts.downloads.whole(grant.correlation_id);
    if (track === null || this.#broken.has(track.sha256)) return null;
    const named = grant.downloads.some((/** @type {any} */ one) => one.sha256 === track.sha256);
    // The film's track was published anew: what is on the phone is of an older one.
    if (!named) return null;
    const lastResort = Boolean(grant.kept);
    return DownloadSource.open(track, this.#parts, lastResort, (source) => this.#gone(source));
  }

  /** @param {Record<string, any>} grant @returns {Promise<Source>} */
  async #stream(grant) {
    const { loadHls, sleep, onProblem, network, dataUse, canStream, playsHls } = this.#parts;
    if (grant.kept) throw new ApiError("network", 0);
    const choice = chooseStream(grant.downloads, canStream, network(), dataUse());
    const url = choice && grant[choice.playlist];
    if (!choice || !url) throw new ApiError("no-codec", 0);
    const Hls = await loadHls();
    if (!Hls) {
      const { address, playing } = chooseElement(grant, choice, playsHls());
      return new ElementSource(address, { playing, sleep, onProblem });
    }
    return new StreamSource(url, {
      Hls,
      sleep,
      onProblem,
      guessBps: choice.guessBps,
      capOf: (levels) => levelCap(levels, choice.ceilingBps),
    });
  }

  /** @param {Source} source @param {Record<string, any>} grant */
  #mark(source, grant) {
    this.#playing = { source, grant };
    this.#parts.downloads.playing = source instanceof DownloadSource ? source.sha256 : null;
  }

  /** The file cannot be read: it is looked through, and the sound opened anew. @param {DownloadSource} source */
  #gone(source) {
    this.#broken.add(source.sha256);
    this.#parts.downloads.distrust(source.sha256);
    // One that was only being prepared is missed by nobody.
    if (this.#parts.deck.source === source) this.#parts.onProblem("refused");
  }

  /** A download came, or one was found damaged: is what plays still the best there is? */
  async #look() {
    const { deck, downloads, api, sleep } = this.#parts;
    const ticket = this.#ticket;
    if (this.#changing) this.#missed = true;
    if (this.#changing || ticket === null || deck.source === null) return;
    const { state } = downloads.standing(ticket.correlation_id);
    const toDownload = state === "whole" && deck.source.kind === "stream";
    const toStream = state === "damaged" && deck.source.kind === "download";
    if (!toDownload && !toStream) return;
    this.#changing = true;
    this.#missed = false;
    try {
      const grant = await api.grant(ticket.movie_id, ticket.correlation_id);
      const source = await (toDownload ? this.#download(grant) : this.#stream(grant));
      if (source && ticket === this.#ticket) {
        if (await deck.handOver(source)) this.#mark(source, grant);
        else sleep(AGAIN_MS).then(() => this.#look());
      }
    } catch (error) {
      // Without network it plays on from what it has.
      if (!(error instanceof ApiError)) throw error;
    } finally {
      this.#changing = false;
    }
    // A damaged download may be whole again by now, or this page have its service worker.
    if (this.#missed) this.#look();
  }
}

/** Whether two grants open the same bytes. @param {Record<string, any>} one @param {Record<string, any>} other */
function sameTrack(one, other) {
  const digests = (/** @type {Record<string, any>} */ grant) =>
    grant.downloads.map((/** @type {any} */ each) => each.sha256).join();
  return digests(one) === digests(other);
}
