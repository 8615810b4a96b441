/**
 * SHA-256 of bytes that come piece by piece (FIPS 180-4). WebCrypto digests a whole message only,
 * and a whole film in memory is too much for a phone. Pure.
 */

/** FIPS 180-4 4.2.2: the cube roots of the first 64 primes, 32 bits of their fractions. */
const K = new Int32Array(roots(64, 1 / 3));
/** FIPS 180-4 5.3.3: the square roots of the first 8 primes. */
const START = new Int32Array(roots(8, 1 / 2));
const BLOCK_BYTES = 64;

/** @param {number} count @param {number} power */
function roots(count, power) {
  const found = [];
  for (let candidate = 2; found.length < count; candidate += 1) {
    let prime = true;
    for (let by = 2; by * by <= candidate; by += 1) prime &&= candidate % by !== 0;
    // The fraction of a double has 52 bits less those of its whole part: 32 are exact.
    if (prime) found.push(((candidate ** power) % 1) * 2 ** 32);
  }
  return found;
}

export class Sha256 {
  #state = Int32Array.from(START);
  #block = new Uint8Array(BLOCK_BYTES);
  #filled = 0;
  #bytes = 0;
  #words = new Int32Array(64);

  /** Take the next piece. @param {Uint8Array} piece */
  update(piece) {
    this.#bytes += piece.length;
    let at = 0;
    if (this.#filled > 0) {
      at = Math.min(BLOCK_BYTES - this.#filled, piece.length);
      this.#block.set(piece.subarray(0, at), this.#filled);
      this.#filled += at;
      if (this.#filled < BLOCK_BYTES) return;
      this.#compress(this.#block, 0);
      this.#filled = 0;
    }
    for (; at + BLOCK_BYTES <= piece.length; at += BLOCK_BYTES) this.#compress(piece, at);
    this.#block.set(piece.subarray(at));
    this.#filled = piece.length - at;
  }

  /** The digest in lower-case hexadecimal; nothing may be added after it. @returns {string} */
  hex() {
    // FIPS 180-4 5.1.1: a one, zeros, and the length in bits as 64 bits.
    const bits = this.#bytes * 8;
    const zeros = (((55 - this.#bytes) % BLOCK_BYTES) + BLOCK_BYTES) % BLOCK_BYTES;
    const end = new Uint8Array(1 + zeros + 8);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(1 + zeros, Math.floor(bits / 2 ** 32));
    view.setUint32(1 + zeros + 4, bits % 2 ** 32);
    this.update(end);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** FIPS 180-4 6.2.2. @param {Uint8Array} bytes @param {number} at */
  #compress(bytes, at) {
    const w = this.#words;
    for (let t = 0; t < 16; t += 1, at += 4) {
      w[t] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    }
    for (let t = 16; t < 64; t += 1) {
      const x = w[t - 15];
      const y = w[t - 2];
      const small0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const small1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[t] = (w[t - 16] + small0 + w[t - 7] + small1) | 0;
    }
    const state = this.#state;
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < 64; t += 1) {
      const big1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + big1 + ((e & f) ^ (~e & g)) + K[t] + w[t]) | 0;
      const big0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
}
