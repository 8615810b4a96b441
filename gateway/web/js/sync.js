/**
 * What to do about an error of sync. Pure: numbers in, a decision out.
 *
 * The error is (what is heard) - (what should be heard), in seconds: positive means ahead of the
 * film. Silent tabs are ticked rarely, so every decision is made from absolute times alone.
 */

/** Beyond this a bent rate would take too long, or be heard: begin again at the right place. */
const RECUE_S = 0.15;
/** Smaller errors are left alone: `currentTime` itself is good to 2 ms. */
const KEEP_S = 0.006;
/** From here on a stronger bend is worth its sound, because the error itself is noticed. */
const NOTICED_S = 0.02;
const LARGE_S = 0.05;
const GENTLE_BEND = 0.03;
const FIRM_BEND = 0.06;
const STRONG_BEND = 0.1;

/** How far ahead of the film a place is cued: time for the seek, and for its data. */
const LEADS_S = [0.25, 0.4, 0.8, 1.5];

/**
 * @typedef {{ action: "keep" } | { action: "bend", rate: number, forS: number } |
 *   { action: "recue" }} Decision
 */

/**
 * A bend is planned as a whole (so much rate for so long) and then measured anew: to steer by each
 * reading would follow its noise, and write playbackRate, which some players let you hear, often.
 * @param {number} errorS heard - true, in seconds
 * @returns {Decision}
 */
export function decide(errorS) {
  const size = Math.abs(errorS);
  if (size <= KEEP_S) return { action: "keep" };
  if (size > RECUE_S) return { action: "recue" };
  const bend = size > LARGE_S ? STRONG_BEND : size > NOTICED_S ? FIRM_BEND : GENTLE_BEND;
  return { action: "bend", rate: 1 - Math.sign(errorS) * bend, forS: size / bend };
}

/**
 * The error that a run of readings shows. A busy device reads `currentTime` late, never early
 * (late callbacks, a growing guess of the output's delay), by up to 60 ms for seconds on end; so
 * the readings err to one side, and one of the highest is nearest to what is heard.
 * @param {number[]} readings
 */
export function estimate(readings) {
  const sorted = [...readings].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * 0.85)];
}

/**
 * Where to cue, and how long until it must sound.
 * @param {number} positionS where the track should sound now; negative before it begins
 * @param {number} attempt 0 for the first, counting up while the data came too late
 * @returns {{ targetS: number, inS: number }}
 */
export function cue(positionS, attempt) {
  const lead = LEADS_S[Math.min(attempt, LEADS_S.length - 1)];
  const targetS = Math.max(0, positionS + lead);
  return { targetS, inS: targetS - positionS };
}

/**
 * A delay that is learned (of play() until sound, say): half of each surprise is believed, so that
 * one hiccup does not spoil the next start.
 * @param {number} learnedS @param {number} surpriseS how much later than aimed it was
 */
export function learn(learnedS, surpriseS) {
  return Math.min(0.3, Math.max(-0.05, learnedS + surpriseS / 2));
}
