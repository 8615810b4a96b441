/**
 * What to do about an error of sync. Pure: numbers in, a decision out.
 *
 * The error is (what is heard) - (what should be heard), in seconds: positive means ahead of the
 * film. Silent tabs are ticked rarely, so every decision is made from absolute times alone.
 */

/** From here on a bend would take too long, or be heard: go to the right place. */
export const SEEK_S = 0.1;
/** Smaller errors are left alone: `currentTime` itself is good to 2 ms. */
const KEEP_S = 0.004;
/**
 * Sound that creeps ahead comes from an output whose clock is fast, and will go on: it is put as
 * far to the other side, and crosses the film on its way back. (What creeps behind may be misread.)
 */
const BEYOND_S = KEEP_S;
/** Below this nobody notices the error, so it may wait for the narrator's next pause. */
const NOTICED_S = 0.015;
const PATIENCE_S = 5;
/** While the narrator speaks: half and a quarter of a semitone. In a pause nothing is there to bend. */
const FIRM_BEND = 0.03;
const GENTLE_BEND = 0.015;
const PAUSE_BEND = 0.1;
/** Right after a start she has nothing yet to compare the pitch with, and soon in sync counts more. */
const START_BEND = 0.08;
const START_NOTICED_S = 0.025;
/** After a hole in the sound another small one is not noticed, and a bend of so much lasts too long. */
const GAP_SEEK_S = 0.05;
/** Where a bend would be heard: from here on nobody is spared by waiting, and below it is not noticed. */
export const UNBENT_SEEK_S = 0.04;
/** So long a pause holds a seek. */
const SEEK_TAKES_S = 0.2;
/** A bend is planned for no longer than this, and then measured anew. */
const LONGEST_BEND_S = 1.5;
const SHORTEST_BEND_S = 0.05;
/** A seek waits for a pause this long at most, from when the error was known. */
const SEEK_PATIENCE_S = 1.5;
/** So far off what she hears is of no use, and nothing is lost by cutting it off. */
const USELESS_S = 2;

/** So much less from one half of the readings to the other is more than noise, or a clock that drifts. */
const VANISHED = 0.15;

/** How far ahead of the film a place is cued: time for the seek, and for its data. */
const LEADS_S = [0.25, 0.4, 0.8, 1.5];

/**
 * What the sound has just come out of, null where it has flowed for a while. start: it was begun, or
 * leapt. gap: its data were missing, or the device slept, so it goes on late.
 * @typedef {"start" | "gap" | null} After
 *
 * @typedef {{ action: "keep" } | { action: "wait", forS: number } | { action: "seek" } |
 *   { action: "bend", rate: number, forS: number }} Decision
 */

/**
 * A bend is planned as a whole (so much rate for so long) and then measured anew: to steer by each
 * reading would follow its noise, and write playbackRate, which some players let you hear, often.
 * @param {number} errorS heard - true, in seconds
 * @param {import("./silences.js").Pause} pause the narrator's, from the place that is heard
 * @param {number} knownForS for how long the error has been known
 * @param {After} after what a moment ago was
 * @param {boolean} bends false where each write of playbackRate is heard as a crackle (Safari)
 * @returns {Decision}
 */
export function decide(errorS, pause, knownForS, after = null, bends = true) {
  const size = Math.abs(errorS);
  if (size <= KEEP_S) return { action: "keep" };
  if (after === "gap" && size >= GAP_SEEK_S) return { action: "seek" };
  if (size >= SEEK_S) {
    const patience = SEEK_PATIENCE_S - knownForS;
    const wait = size < USELESS_S && pause.inS > 0 && pause.inS <= patience;
    return wait ? { action: "wait", forS: pause.inS } : { action: "seek" };
  }
  if (!bends) return unbent(size, pause, knownForS, after);
  const beyondS = after === null && errorS > 0 && size <= NOTICED_S ? BEYOND_S : 0;
  if (pause.inS === 0 && pause.forS >= SHORTEST_BEND_S) {
    return bend(errorS, PAUSE_BEND, pause.forS, beyondS);
  }
  if (after !== null && size > START_NOTICED_S) return bend(errorS, START_BEND, Infinity);
  if (size <= NOTICED_S && pause.inS <= PATIENCE_S) return { action: "wait", forS: pause.inS };
  const rate = size > NOTICED_S ? FIRM_BEND : GENTLE_BEND;
  return bend(errorS, rate, Math.max(pause.inS, SHORTEST_BEND_S), beyondS);
}

/**
 * An error that elsewhere would be bent away: sought in a pause, where nobody hears it. A seek lands
 * some milliseconds off, so little errors stay; and none follows the other at once.
 * @param {number} size @param {import("./silences.js").Pause} pause @param {number} knownForS
 * @param {After} after
 * @returns {Decision}
 */
function unbent(size, pause, knownForS, after) {
  if (size <= NOTICED_S) return { action: "keep" };
  const large = size >= UNBENT_SEEK_S;
  if (large && knownForS >= SEEK_PATIENCE_S) return { action: "seek" };
  const inPause = pause.inS === 0 && pause.forS >= SEEK_TAKES_S;
  if (inPause && (large || after === null)) return { action: "seek" };
  if (large) return { action: "wait", forS: Math.min(pause.inS || pause.forS, SEEK_PATIENCE_S - knownForS) };
  return { action: "keep" };
}

/**
 * @param {number} errorS @param {number} by @param {number} roomS
 * @param {number} [beyondS] how far to go to the other side
 * @returns {Decision}
 */
function bend(errorS, by, roomS, beyondS = 0) {
  const forS = Math.min((Math.abs(errorS) + beyondS) / by, LONGEST_BEND_S, roomS);
  return { action: "bend", rate: 1 - Math.sign(errorS) * by, forS };
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
 * Whether the error that a run of readings shows is on its way out by itself. Sound that lost its
 * place stays as far beside it; a guess of the output's delay that went wrong (after a start, and
 * all at once some seconds later) comes back within some ten seconds, as PulseAudio's does.
 * @param {number[]} readings the oldest first
 */
export function vanishes(readings) {
  const half = Math.floor(readings.length / 2);
  const [before, now] = [estimate(readings.slice(0, half)), estimate(readings.slice(half))];
  return before * now > 0 && Math.abs(now) < Math.abs(before) * (1 - VANISHED);
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
