/**
 * Which downloaded tracks go when room is needed: the policy of docs/downloads.md. Pure.
 */

/**
 * @typedef {object} Kept one track on this phone
 * @property {string} sha256
 * @property {number} sizeBytes what it takes, or will take once it is whole
 * @property {{ movieStartMs: number, creditsEndMs: number }[]} showings of the tickets it serves
 */

/**
 * What to remove so that *need* fits into *limitBytes*, in this order: tracks whose showings have
 * all ended, the one that ended first before the others; then those that are shown latest. A track
 * that is shown before the new one is never removed for it, and neither is the one that plays.
 * Where that is not enough nothing is removed: what does not fit is listened to as a stream.
 * @param {object} ask
 * @param {Kept[]} ask.kept all tracks but the new one
 * @param {Kept} ask.need
 * @param {number} ask.limitBytes
 * @param {number} ask.nowMs
 * @param {string | null} [ask.playing] sha256 of the track that plays
 * @returns {{ fits: boolean, remove: string[] }}
 */
export function makeRoom({ kept, need, limitBytes, nowMs, playing = null }) {
  let used = kept.reduce((sum, track) => sum + track.sizeBytes, 0);
  const remove = [];
  for (const track of inOrder(kept, need, nowMs)) {
    if (used + need.sizeBytes <= limitBytes) break;
    if (track.sha256 === playing) continue;
    remove.push(track.sha256);
    used -= track.sizeBytes;
  }
  return used + need.sizeBytes <= limitBytes
    ? { fits: true, remove }
    : { fits: false, remove: [] };
}

/**
 * When the track is needed next; -Infinity where it has a showing that runs, null where all have
 * ended (or none is known).
 * @param {Kept} track @param {number} nowMs
 * @returns {number | null}
 */
export function neededMs(track, nowMs) {
  const ahead = track.showings.filter(({ creditsEndMs }) => nowMs < creditsEndMs);
  if (ahead.length === 0) return null;
  const soonest = Math.min(...ahead.map(({ movieStartMs }) => movieStartMs));
  return soonest <= nowMs ? -Infinity : soonest;
}

/** @param {Kept[]} kept @param {Kept} need @param {number} nowMs */
function inOrder(kept, need, nowMs) {
  const newMs = neededMs(need, nowMs) ?? Infinity;
  const endedMs = (/** @type {Kept} */ track) =>
    Math.max(-Infinity, ...track.showings.map(({ creditsEndMs }) => creditsEndMs));
  const ended = kept
    .filter((track) => neededMs(track, nowMs) === null)
    .sort((one, other) => endedMs(one) - endedMs(other));
  const later = kept
    .map((track) => ({ track, atMs: neededMs(track, nowMs) }))
    .filter(({ atMs }) => atMs !== null && atMs > newMs)
    .sort((one, other) => Number(other.atMs) - Number(one.atMs))
    .map(({ track }) => track);
  return [...ended, ...later];
}

/** A track is looked through again from a day before its film, once in each visit. */
const SHOW_DAY_MS = 24 * 3600 * 1000;

/**
 * Whether the track is shown today, and was not looked through since that day began.
 * @param {Kept} track @param {number | null} verifiedMs when it was in this visit @param {number} nowMs
 */
export function isDue({ showings }, verifiedMs, nowMs) {
  return showings.some(({ movieStartMs, creditsEndMs }) => {
    const dayMs = movieStartMs - SHOW_DAY_MS;
    return nowMs < creditsEndMs && nowMs >= dayMs && (verifiedMs ?? -Infinity) < dayMs;
  });
}
