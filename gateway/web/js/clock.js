/**
 * The device's clock against Tell's, by four-timestamp exchanges. Pure: no DOM, no fetch.
 *
 * Device time is `performance.now()`, which no person and no operator can set; its origin is
 * unknown, so the offset is a large number: Tell's epoch milliseconds minus device milliseconds.
 */

/** A crystal is off by up to 50 ppm, and a server's clock is slewed by up to as much again. */
const DRIFT_PPM = 100;
/** `performance.now()` is coarsened to 0.1 ms in Chromium and to 1 ms elsewhere. */
const DEVICE_PRECISION_MS = 0.5;
const KEPT = 64;

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

/** Keeps the readings and answers what time it is, within what bound. */
export class Clock {
  /** @type {Reading[]} */
  #readings = [];

  /** @param {Reading} reading */
  add(reading) {
    // Two readings that exclude each other mean that a clock was stepped, or that the device
    // slept while performance.now() stood still: what was known before is of no use.
    this.#readings = this.#readings.filter(
      (old) =>
        Math.abs(old.offsetMs - reading.offsetMs) <=
        boundAt(old, reading.atMs) + reading.boundMs,
    );
    this.#readings.push(reading);
    if (this.#readings.length > KEPT) this.#readings.shift();
  }

  /**
   * The reading with the smallest bound *now*: the lowest round trip, aged by the drift.
   * @param {number} deviceMs
   * @returns {{offsetMs: number, boundMs: number} | null} null before the first exchange
   */
  estimate(deviceMs) {
    let best = null;
    for (const reading of this.#readings) {
      const boundMs = boundAt(reading, deviceMs);
      if (best === null || boundMs < best.boundMs) best = { offsetMs: reading.offsetMs, boundMs };
    }
    return best;
  }

  /**
   * Tell's time at the device's time *deviceMs*, epoch milliseconds; null before the first exchange.
   * @param {number} deviceMs
   */
  tellMs(deviceMs) {
    const best = this.estimate(deviceMs);
    return best === null ? null : deviceMs + best.offsetMs;
  }
}

/** @param {Reading} reading @param {number} deviceMs */
function boundAt(reading, deviceMs) {
  return reading.boundMs + (Math.max(0, deviceMs - reading.atMs) * DRIFT_PPM) / 1e6;
}
