/**
 * A loop of silence. She taps in the previews and puts the phone away: what keeps the page running
 * on a locked phone is that it plays something, so from the tap until the film it plays nothing.
 */

const RATE_HZ = 8000;
const SECONDS = 10;

/** A WAV file of ten silent seconds: 8 bits, where 128 is the middle. */
function wav() {
  const size = RATE_HZ * SECONDS;
  const bytes = new Uint8Array(44 + size).fill(128, 44);
  const view = new DataView(bytes.buffer);
  const text = (/** @type {number} */ at, /** @type {string} */ word) =>
    [...word].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + size, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, RATE_HZ, true);
  view.setUint32(28, RATE_HZ, true);
  view.setUint16(32, 1, true);
  view.setUint16(34, 8, true);
  text(36, "data");
  view.setUint32(40, size, true);
  return new Blob([bytes], { type: "audio/wav" });
}

export class Silence {
  /** @type {HTMLAudioElement | null} */
  #audio = null;

  /** Begin; must be called from a tap or a key, or a browser may refuse it. */
  start() {
    if (this.#audio === null) {
      this.#audio = new Audio(URL.createObjectURL(wav()));
      this.#audio.loop = true;
    }
    // Refused means only that the page may sleep; the film is caught up with when it wakes.
    this.#audio.play().catch(() => {});
  }

  stop() {
    this.#audio?.pause();
  }
}
