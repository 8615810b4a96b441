/**
 * How one element comes level with another that plays the same track, unheard, before it takes
 * over. Pure: the distance between the two in seconds goes in, what to do comes out.
 */

/**
 * Nearer than this they are one: nobody hears a jump below 20 ms. On a busy device, whose readings
 * scatter, it is asked for less with each round: to go over late is worse.
 */
const LEVEL_S = 0.004;
const LEVEL_MORE_S = 0.0008;
const LEVEL_MOST_S = 0.012;
/** From here on a new start, aimed by what was measured, is quicker than a bend. */
const RESTART_S = 0.15;
/** Nobody hears how it is bent. */
const BEND = 0.1;
const LONGEST_BEND_S = 1;

/**
 * @param {number} aheadS the newcomer's place less the other's
 * @param {number} round how often it was tried before
 * @returns {{ action: "swap" } | { action: "restart" } | { action: "bend", rate: number, forS: number }}
 */
export function level(aheadS, round = 0) {
  const size = Math.abs(aheadS);
  if (size <= Math.min(LEVEL_S + LEVEL_MORE_S * round, LEVEL_MOST_S)) return { action: "swap" };
  if (size > RESTART_S) return { action: "restart" };
  const forS = Math.min(size / BEND, LONGEST_BEND_S);
  return { action: "bend", rate: 1 - Math.sign(aheadS) * (size / forS), forS };
}

/**
 * The distance that a run of readings shows: the middle one. Both are read in one breath, so what
 * delays the one reading delays the other too, and the noise has no side.
 * @param {number[]} readings
 */
export function distance(readings) {
  const sorted = [...readings].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)];
}
