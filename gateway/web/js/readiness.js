/**
 * Whether it will work tonight: what is known of the track, the clock, the sound and the phone's
 * storage goes in, one line and a sentence for each comes out. Pure.
 */

/** With every bound counted, sync is promised to this; a clock known worse cannot keep it. */
const CLOCK_MS = 40;
/** A sound that was heard this long ago says nothing of tonight's earphone. */
const HEARD_MS = 12 * 3600 * 1000;
/** From here on she hears it in the line itself: it is more than a syllable. */
const CLOCK_TOLD_MS = 1000;

/**
 * @typedef {object} Known
 * @property {import("./standings.js").Standing} download
 * @property {boolean} online whether Tell answered at the last try
 * @property {number | null} clockBoundMs
 * @property {boolean} clockMeasured whether Tell was asked in this visit
 * @property {"untested" | "unheard" | "heard"} sound
 * @property {boolean | null} persisted whether the browser promised to keep files; null: not asked
 *
 * @typedef {"good" | "fair" | "bad"} Level fair: it works, with a condition that is said
 *
 * @typedef {object} Point
 * @property {"track" | "clock" | "sound" | "storage"} about
 * @property {Level} level
 * @property {string} key of the message
 * @property {Record<string, string | number>} values
 */

/** @param {Known} known @returns {Point[]} in the order in which they matter */
export function assess(known) {
  return [track(known), clock(known), sound(known), storage(known)];
}

/**
 * The one line: ready, ready while there is network, ready by a clock that may be seconds off, or
 * what is missing first.
 * @param {Point[]} points
 * @returns {{ key: string, missing: string | null, values: Record<string, number> }}
 */
export function verdict(points) {
  const missing = points.find(({ level }) => level === "bad");
  if (missing) return { key: "ready.not-yet", missing: `ready.missing.${missing.about}`, values: {} };
  const whole = points.every(({ about, level }) => about !== "track" || level === "good");
  // With network the clock is compared before it is needed.
  if (!whole) return { key: "ready.line-network", missing: null, values: {} };
  const clockMs = Number(points.find(({ about }) => about === "clock")?.values.ms ?? 0);
  if (clockMs < CLOCK_TOLD_MS) return { key: "ready.line", missing: null, values: {} };
  return { key: "ready.line-clock", missing: null, values: { count: Math.ceil(clockMs / 1000) } };
}

/** @param {number | null} heardMs when she last heard the test @param {number} nowMs @param {boolean} unheard */
export function soundOf(heardMs, nowMs, unheard) {
  if (unheard) return "unheard";
  return heardMs !== null && nowMs - heardMs < HEARD_MS && nowMs >= heardMs ? "heard" : "untested";
}

/** @param {Known} known @returns {Point} */
function track({ download, online }) {
  const { state, percent, sizeBytes } = download;
  const megabytes = Math.max(1, Math.round(sizeBytes / 1e6));
  const values = { percent, megabytes, count: megabytes };
  const key = `keep.${state}`;
  if (state === "whole") return { about: "track", level: "good", key, values };
  // What is not on the phone comes by the network, where there is one and something plays.
  const streams = online && state !== "no-codec";
  return { about: "track", level: streams ? "fair" : "bad", key, values };
}

/** @param {Known} known @returns {Point} */
function clock({ clockBoundMs, clockMeasured }) {
  if (clockBoundMs === null) {
    return { about: "clock", level: "bad", key: "sync.clock-unknown", values: {} };
  }
  const values = { ms: clockBoundMs };
  const key = clockMeasured ? "sync.clock" : "sync.clock-remembered";
  return { about: "clock", level: clockBoundMs <= CLOCK_MS ? "good" : "fair", key, values };
}

/** @param {Known} known @returns {Point} */
function sound({ sound: state }) {
  return {
    about: "sound",
    level: state === "heard" ? "good" : "bad",
    key: `ready.sound-${state}`,
    values: {},
  };
}

/** @param {Known} known @returns {Point} */
function storage({ persisted, download }) {
  if (["unsupported", "no-disk"].includes(download.state)) {
    return { about: "storage", level: "fair", key: "ready.storage-none", values: {} };
  }
  return persisted === true
    ? { about: "storage", level: "good", key: "ready.storage-kept", values: {} }
    : { about: "storage", level: "fair", key: "ready.storage-may-go", values: {} };
}
