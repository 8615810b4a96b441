/** Three rising tones through the same way as the description: whether she hears them, she says. */

import { wav } from "./wav.js";

const RATE_HZ = 16_000;
const TONES_HZ = [440, 554, 659];
const TONE_S = 0.35;
/** The sound device opens, and fades in on some earphones: nothing is lost meanwhile. */
const LEAD_S = 0.4;
/** As loud as speech, and no louder: she may have the earphone turned up. */
const PEAK = 0.25;
const EDGE_S = 0.02;

function sound() {
  const count = Math.round(RATE_HZ * (LEAD_S + TONES_HZ.length * TONE_S));
  return wav(RATE_HZ, count, (index) => {
    const atS = index / RATE_HZ - LEAD_S;
    const tone = TONES_HZ[Math.floor(atS / TONE_S)];
    if (atS < 0 || tone === undefined) return 0;
    const withinS = atS % TONE_S;
    const edge = Math.min(1, withinS / EDGE_S, (TONE_S - withinS) / EDGE_S);
    return PEAK * edge * Math.sin(2 * Math.PI * tone * atS);
  });
}

/** Play them; called from a tap or a key. Resolves when they are over, false where it was refused. */
export async function playTones() {
  const audio = new Audio(URL.createObjectURL(new Blob([sound()], { type: "audio/wav" })));
  const over = new Promise((resolve) => {
    for (const name of ["ended", "error", "pause"]) audio.addEventListener(name, resolve, { once: true });
  });
  try {
    await audio.play();
    await over;
    return true;
  } catch {
    return false;
  } finally {
    URL.revokeObjectURL(audio.src);
  }
}
