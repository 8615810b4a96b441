/**
 * The device's clock against Tell's, by four-timestamp exchanges. Pure: no DOM, no fetch. Twin of
 * catalog/partner/clock.py; both are held to tests/cases/clock.json.
 *
 * Device time is `performance.now()`, which no person and no operator can set; its origin is
 * unknown, so the offset is a large number: Tell's epoch milliseconds minus device milliseconds.
 *
 * Each exchange says between which two values the offset lies. What is known is where all of them
 * overlap, each widened by what the clocks may have drifted since: so of a burst the shortest way
 * there and the shortest way back count, even where they belong to different exchanges.
 */

/** The worst device that is believed; a crystal is off by 50 ppm, a phone in the sun by more. */
const DRIFT_PPM = 300;
/** A measured drift may have changed by so much: warmth, and a server's clock that is slewed. */
const WANDER_PPM = 10;
/** So fast what is known of the drift is forgotten. */
const FORGOTTEN_PPM_PER_MS = 1 / 60_000;
/** `performance.now()` is coarsened to 0.1 ms in Chromium and to 1 ms elsewhere. */
const DEVICE_PRECISION_MS = 0.5;
/** Exchanges this near to each other are one burst, and kept as one. */
const BURST_MS = 3000;
/** Two hours of bursts, one each half minute. */
const KEPT = 240;
/** The wall clock is read in whole milliseconds, twice. */
const WALL_PRECISION_MS = 2;
/** A device sleeps for longer than this; a wall clock that goes ahead by less was corrected. */
const SLEPT_MS = 1000;
/** Offsets are of the order of 1e12 ms, where a double is good to 0.0002 ms. */
const ROUNDING_MS = 0.001;

/**
 * @typedef {object} Exchange
 * @property {number} sentMs device time just before the request left
 * @property {number} receivedMs device time just after the answer came
 * @property {number} serverReceivedUs Tell's time at which the request came, epoch microseconds
 * @property {number} serverSentUs Tell's time at which the answer left, epoch microseconds
 * @property {number} serverBoundUs by how much Tell's clock itself may be wrong
 *
 * @typedef {object} Reading
 * @property {number} atMs device time of the exchange
 * @property {number} offsetMs Tell's time minus device time
 * @property {number} boundMs |true offset - offsetMs| is at most this, at `atMs`
 * @property {number} roundTripMs time on the way, both ways, without the server's own
 *
 * @typedef {object} Remembered the clock as kept from one visit to the next, by the wall clock
 * @property {number} wallMs
 * @property {number} tellMinusWallMs
 * @property {number} boundMs
 *
 * @typedef {{ atMs: number, lowMs: number, highMs: number }} Span the offset lies in it, at `atMs`
 */

/**
 * What one exchange says (RFC 5905 8: theta and delta). The bound is half the round trip: all of
 * it may have been spent in one direction.
 * @param {Exchange} exchange
 * @returns {Reading}
 */
export function read(exchange) {
  const { sentMs, receivedMs, serverReceivedUs, serverSentUs, serverBoundUs } = exchange;
  const there = serverReceivedUs / 1000 - sentMs;
  const back = serverSentUs / 1000 - receivedMs;
  const roundTripMs = Math.max(0, receivedMs - sentMs - (serverSentUs - serverReceivedUs) / 1000);
  return {
    atMs: receivedMs,
    offsetMs: (there + back) / 2,
    boundMs: roundTripMs / 2 + serverBoundUs / 1000 + DEVICE_PRECISION_MS,
    roundTripMs,
  };
}

/** Keeps what the readings say and answers what time it is, within what bound. */
export class Clock {
  /** @type {Span[]} oldest first */
  #spans = [];
  /** Drift of the offset, in ms each ms. */
  #drift = { low: -DRIFT_PPM / 1e6, high: DRIFT_PPM / 1e6, atMs: 0 };
  #measured = false;
  #doubted = false;
  /**
   * What the doubts come to: by how much the spans were widened, how much of it was sleep if the
   * wall clock is right, and how much neither of the clocks can decide.
   */
  #doubts = { widenedMs: 0, sleptMs: 0, openMs: 0 };

  /** @param {Reading} reading */
  add({ atMs, offsetMs, boundMs }) {
    // What was remembered from another visit, or is in doubt, is a makeshift: an exchange ends it.
    if (!this.#measured || this.#doubted) this.#spans = [];
    this.#measured = true;
    this.#certain();
    const span = { atMs, lowMs: offsetMs - boundMs, highMs: offsetMs + boundMs };
    // Two readings that exclude each other mean that a clock was stepped, or that the device
    // slept while performance.now() stood still: what was known before is of no use.
    const before = this.#spans.length;
    this.#spans = this.#spans.filter((old) => overlap([widened(old, atMs), span]) !== null);
    if (this.#spans.length < before) this.#forgetDrift(atMs);
    const last = this.#spans.at(-1);
    if (last && atMs - last.atMs < BURST_MS) {
      const both = overlap([widened(last, atMs), span]) ?? span;
      this.#spans[this.#spans.length - 1] = { atMs, ...both };
    } else {
      this.#spans.push(span);
    }
    if (this.#spans.length > KEPT) this.#spans.shift();
    this.#learnDrift();
  }

  /**
   * The device may have slept, or a clock been set, by so much: what was known may be off by that,
   * until Tell is asked again.
   * @param {number} byMs
   */
  doubt(byMs) {
    const size = Math.abs(byMs);
    this.#doubted = true;
    this.#doubts.widenedMs += size;
    // A clock that goes back was set: no device's own clock runs ahead of the time.
    if (byMs >= SLEPT_MS) this.#doubts.sleptMs += byMs;
    else if (byMs > 0) this.#doubts.openMs += byMs;
    for (const span of this.#spans) {
      span.lowMs -= size;
      span.highMs += size;
    }
  }

  /**
   * Tell cannot be asked. So where the wall clock went ahead the device is taken to have slept, with
   * `performance.now()` standing still: a phone that is put away in airplane mode does. That is as
   * good as the wall clock is, as after `recall`; so `measured` is false from then on.
   */
  settle() {
    if (!this.#doubted || this.#spans.length === 0) return;
    const { widenedMs, sleptMs, openMs } = this.#doubts;
    const spareMs = openMs + WALL_PRECISION_MS + (sleptMs * DRIFT_PPM) / 1e6;
    for (const span of this.#spans) {
      span.lowMs += widenedMs + sleptMs - spareMs;
      span.highMs += sleptMs - widenedMs + spareMs;
    }
    this.#certain();
    this.#measured = false;
  }

  #certain() {
    this.#doubted = false;
    this.#doubts = { widenedMs: 0, sleptMs: 0, openMs: 0 };
  }

  /**
   * Tell's time minus the device's, and how far off that may be.
   * @param {number} deviceMs
   * @returns {{ offsetMs: number, boundMs: number } | null} null before the first exchange
   */
  estimate(deviceMs) {
    if (this.#spans.length === 0) return null;
    const known = { ...this.#drift };
    const spare = WANDER_PPM / 1e6;
    const narrow = { low: known.low - spare, high: known.high + spare };
    const span =
      overlap(this.#spans.map((old) => carried(old, deviceMs, narrow))) ??
      // The drift has changed by more than was believed: then the wide bound alone holds.
      overlap(this.#spans.map((old) => widened(old, deviceMs))) ??
      widened(/** @type {Span} */ (this.#spans.at(-1)), deviceMs);
    return {
      offsetMs: (span.lowMs + span.highMs) / 2,
      boundMs: Math.max(0, (span.highMs - span.lowMs) / 2),
    };
  }

  /**
   * Tell's time at the device's time *deviceMs*, epoch milliseconds; null before the first exchange.
   * @param {number} deviceMs
   */
  tellMs(deviceMs) {
    const known = this.estimate(deviceMs);
    return known === null ? null : deviceMs + known.offsetMs;
  }

  /** Whether an exchange of this visit stands behind the answers, and not a memory alone. */
  get measured() {
    return this.#measured;
  }

  /** What the device gains on Tell, negated: how the offset changes. @returns {number} ppm */
  get driftPpm() {
    return ((this.#drift.low + this.#drift.high) / 2) * 1e6;
  }

  /**
   * What to keep for the next visit, where there may be no network; null while nothing is measured.
   * @param {number} deviceMs @param {number} wallMs the device's wall clock at the same moment
   * @returns {Remembered | null}
   */
  remember(deviceMs, wallMs) {
    const known = this.#measured ? this.estimate(deviceMs) : null;
    if (known === null) return null;
    const tellMinusWallMs = deviceMs + known.offsetMs - wallMs;
    return { wallMs, tellMinusWallMs, boundMs: known.boundMs };
  }

  /**
   * Begin with what was kept. It is as good as the wall clock is: who sets that meanwhile is
   * not noticed, so `measured` stays false.
   * @param {Remembered} kept @param {number} deviceMs @param {number} wallMs
   */
  recall(kept, deviceMs, wallMs) {
    const ageMs = wallMs - kept.wallMs;
    if (this.#measured || !(ageMs >= 0)) return;
    const offsetMs = wallMs + kept.tellMinusWallMs - deviceMs;
    const boundMs = kept.boundMs + WALL_PRECISION_MS + (ageMs * DRIFT_PPM) / 1e6;
    this.#spans = [{ atMs: deviceMs, lowMs: offsetMs - boundMs, highMs: offsetMs + boundMs }];
  }

  /** Each earlier span and the newest one leave room for some drifts only. */
  #learnDrift() {
    const newest = /** @type {Span} */ (this.#spans.at(-1));
    let [low, high] = [-DRIFT_PPM / 1e6, DRIFT_PPM / 1e6];
    for (let index = this.#spans.length - 2; index >= 0; index -= 1) {
      const old = this.#spans[index];
      const ageMs = newest.atMs - old.atMs;
      const least = Math.max(low, (newest.lowMs - old.highMs) / ageMs);
      const most = Math.min(high, (newest.highMs - old.lowMs) / ageMs);
      if (least > most) {
        // It drifted otherwise then: what is older misleads.
        this.#spans.splice(0, index + 1);
        break;
      }
      [low, high] = [least, most];
    }
    const forgotten = ((newest.atMs - this.#drift.atMs) * FORGOTTEN_PPM_PER_MS) / 1e6;
    const narrow = {
      low: Math.max(low, this.#drift.low - forgotten),
      high: Math.min(high, this.#drift.high + forgotten),
    };
    const agreed = narrow.low <= narrow.high ? narrow : { low, high };
    this.#drift = { ...agreed, atMs: newest.atMs };
  }

  #forgetDrift(/** @type {number} */ atMs) {
    this.#drift = { low: -DRIFT_PPM / 1e6, high: DRIFT_PPM / 1e6, atMs };
  }
}

/**
 * By how much the wall clock and the device's clock came apart between two looks: the device slept
 * while one of them stood still, or somebody set the wall clock.
 * @param {{ deviceMs: number, wallMs: number }} before @param {{ deviceMs: number, wallMs: number }} now
 */
export function cameApartMs(before, now) {
  return now.wallMs - before.wallMs - (now.deviceMs - before.deviceMs);
}

/** @param {Span} span @param {number} deviceMs @param {{ low: number, high: number }} drift */
function carried({ atMs, lowMs, highMs }, deviceMs, drift) {
  const ageMs = deviceMs - atMs;
  const [least, most] = ageMs >= 0 ? [drift.low, drift.high] : [drift.high, drift.low];
  return { atMs: deviceMs, lowMs: lowMs + ageMs * least, highMs: highMs + ageMs * most };
}

/** @param {Span} span @param {number} deviceMs */
function widened(span, deviceMs) {
  return carried(span, deviceMs, { low: -DRIFT_PPM / 1e6, high: DRIFT_PPM / 1e6 });
}

/** What all of them allow; null where two exclude each other. @param {Span[]} spans */
function overlap(spans) {
  const lowMs = Math.max(...spans.map((span) => span.lowMs));
  const highMs = Math.min(...spans.map((span) => span.highMs));
  return lowMs > highMs + ROUNDING_MS ? null : { lowMs, highMs };
}
