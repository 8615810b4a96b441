/**
 * A loop that nobody hears. She taps in the previews and puts the phone away: what keeps the page
 * running on a locked phone is that it plays something; and a page whose sound is digital silence
 * is slowed down to a tick a minute, as if it played nothing. Description is mostly silence.
 *
 * So it plays a hum of 20 Hz at -70 dBFS: more than the -72 dBFS below which Chromium calls a page
 * silent. The loudest earphones make 40 dB of it, and of so low a tone an ear hears nothing below
 * 78 dB (ISO 226).
 */

import { wav } from "./wav.js";

const RATE_HZ = 8000;
const SECONDS = 10;
const HUM_HZ = 20;
const HUM_PEAK = 4.5e-4;

export class Silence {
  /** @type {HTMLAudioElement | null} */
  #audio = null;
  #wanted = false;

  /** Make it while nobody waits, so that a tap on a slow phone is answered at once. */
  prepare() {
    if (this.#audio !== null) return;
    // One period, again and again: 80,000 sines would be felt.
    const period = Array.from(
      { length: RATE_HZ / HUM_HZ },
      (_, index) => HUM_PEAK * Math.sin((2 * Math.PI * HUM_HZ * index) / RATE_HZ),
    );
    const bytes = wav(RATE_HZ, RATE_HZ * SECONDS, (index) => period[index % period.length]);
    this.#audio = new Audio(URL.createObjectURL(new Blob([bytes], { type: "audio/wav" })));
    this.#audio.loop = true;
  }

  /** Begin; must be called from a tap or a key, or a browser may refuse it. */
  start() {
    this.prepare();
    this.#wanted = true;
    this.keep();
  }

  /** A call may have paused it: go on, where that is allowed. */
  keep() {
    // Refused means only that the page may sleep; the film is caught up with when it wakes.
    if (this.#wanted && this.#audio?.paused) this.#audio.play().catch(() => {});
  }

  stop() {
    this.#wanted = false;
    this.#audio?.pause();
  }
}
