/** Clicks to tap along with, through the same way as the description: an <audio> element. */

import { BEAT_MS, CLICKS } from "./calibration.js";
import { wav } from "./wav.js";

const RATE_HZ = 16_000;
/** Before the first click: the sound device opens, and a screen reader says what to do. */
const LEAD_MS = 2800;
const CLICK_HZ = 1000;
const CLICK_MS = 12;
const CLICK_PEAK = 0.4;

/** The place in the sound at which click number *index* begins, in milliseconds. */
function clickAt(/** @type {number} */ index) {
  return LEAD_MS + index * BEAT_MS;
}

function sound() {
  const beat = (RATE_HZ * BEAT_MS) / 1000;
  const length = (RATE_HZ * CLICK_MS) / 1000;
  const lead = (RATE_HZ * LEAD_MS) / 1000;
  return wav(RATE_HZ, lead + CLICKS * beat, (index) => {
    const within = (index - lead) % beat;
    if (index < lead || within >= length) return 0;
    const fade = 1 - within / length;
    return CLICK_PEAK * fade * Math.sin((2 * Math.PI * CLICK_HZ * within) / RATE_HZ);
  });
}

/**
 * Play them; must be called from a tap or a key. When each was played is told by the element's
 * own time, as the player reads it too: so both are late by the same.
 */
export class Clicks {
  #audio = new Audio(URL.createObjectURL(new Blob([sound()], { type: "audio/wav" })));
  /** Device time at which the sound's beginning was played, of each reading. */
  #zerosMs = /** @type {number[]} */ ([]);

  /** @returns {Promise<number[]>} device times of the clicks, once they are over or stopped */
  async play() {
    const audio = this.#audio;
    const done = new Promise((resolve) => {
      audio.addEventListener("ended", resolve, { once: true });
      audio.addEventListener("pause", resolve, { once: true });
    });
    audio.addEventListener("timeupdate", () => {
      if (audio.currentTime > 0.5) {
        this.#zerosMs.push(performance.now() - audio.currentTime * 1000);
      }
    });
    await audio.play();
    await done;
    URL.revokeObjectURL(audio.src);
    // A busy device reads late, never early: a low reading is the true one (see sync.js).
    const sorted = [...this.#zerosMs].sort((a, b) => a - b);
    const zeroMs = sorted[Math.floor(sorted.length * 0.15)];
    if (zeroMs === undefined) return [];
    return Array.from({ length: CLICKS }, (_, index) => zeroMs + clickAt(index));
  }

  stop() {
    this.#audio.pause();
  }
}
