/** WAV files made on the spot (RIFF, PCM, mono, 16 bits): a few sounds need no download. Pure. */

const HEADER_BYTES = 44;

/**
 * @param {number} rateHz
 * @param {number} count of samples
 * @param {(index: number) => number} sample its value, -1 to 1
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function wav(rateHz, count, sample) {
  const size = count * 2;
  const bytes = new Uint8Array(HEADER_BYTES + size);
  const view = new DataView(bytes.buffer);
  const text = (/** @type {number} */ at, /** @type {string} */ word) =>
    [...word].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + size, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, size, true);
  for (let index = 0; index < count; index += 1) {
    view.setInt16(HEADER_BYTES + index * 2, Math.round(sample(index) * 32767), true);
  }
  return bytes;
}
