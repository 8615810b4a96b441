/**
 * From taps to a trim: clicks sound, she taps along, and what her taps are late by is what the
 * sound is late by. Pure.
 */

/** Even, so that she can feel the next one come; slower and faster beats are tapped less evenly. */
export const BEAT_MS = 700;
export const CLICKS = 16;
/** While she finds the beat, nothing counts. */
const FOUND_AFTER = 4;
const ENOUGH_TAPS = 6;
/** Taps that scatter more than this belong to no beat. */
const LARGEST_SPREAD_MS = 60;
/**
 * People who tap along tap a little ahead of the beat, by 20 to 80 ms, musicians less (B. Repp,
 * Sensorimotor synchronization: a review of the tapping literature, 2005, section 1).
 */
const AHEAD_MS = 30;

/**
 * @param {readonly number[]} clicksMs when each click was played, device time
 * @param {readonly number[]} tapsMs device time
 * @returns {{ lateMs: number, spreadMs: number } | null} null where the taps tell nothing
 */
export function calibrate(clicksMs, tapsMs) {
  const counted = clicksMs.slice(FOUND_AFTER);
  const lates = [];
  for (const clickMs of counted) {
    const near = tapsMs.map((tapMs) => tapMs - clickMs).filter(isOfThisBeat);
    if (near.length === 1) lates.push(near[0]);
  }
  if (lates.length < ENOUGH_TAPS) return null;
  const middle = median(lates);
  const spreadMs = median(lates.map((late) => Math.abs(late - middle)));
  return spreadMs > LARGEST_SPREAD_MS ? null : { lateMs: middle + AHEAD_MS, spreadMs };
}

/** Sound is late, rarely early: a beat's taps lie more behind its click than before it. */
function isOfThisBeat(/** @type {number} */ lateMs) {
  return lateMs >= -BEAT_MS * 0.3 && lateMs < BEAT_MS * 0.7;
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
