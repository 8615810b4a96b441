/**
 * Which rendition suits this device: the codec by what it can play, the bit rate by what the
 * network carries and what she wants to spend. Pure: what is known of the device is an argument.
 */

/**
 * @typedef {"auto" | "sparing" | "never"} DataUse what she chose: download by itself, the smallest
 * and only when asked, or never
 *
 * @typedef {object} Network what is known of it; null where the browser does not say
 * @property {boolean} saveData the device asks every page to be sparing (RFC 8674's Save-Data)
 * @property {string | null} effectiveType of the Network Information API: "slow-2g" to "4g"
 * @property {number | null} bandwidthBps as measured by an earlier transfer
 *
 * @typedef {object} Rendition as the grant lists them under `downloads`
 * @property {string} rendition
 * @property {string} codec
 * @property {string} codecs RFC 6381
 * @property {string} url
 * @property {number} size_bytes
 * @property {string} sha256
 * @property {number} bit_rate_bps
 */

/** Speech is clear from here on, and nobody hears more above: what these rates cost, per codec. */
const CLEAR_BPS = /** @type {Record<string, number>} */ ({ aac: 64_000, opus: 48_000 });
/** Of the measured bandwidth, what a stream may take: the rest is for the others in the hall. */
const SHARE = 0.5;
const SLOW = ["slow-2g", "2g"];
/** Before anything was measured: what a full cinema's Wi-Fi still carries. */
const FIRST_GUESS_BPS = 400_000;

/**
 * Whether a download may begin by itself, and if not, why.
 * @param {Network} network @param {DataUse} use @returns {"yes" | "never" | "sparing" | "slow"}
 */
export function mayDownload(network, use) {
  if (use === "never") return "never";
  if (use === "sparing" || network.saveData) return "sparing";
  return network.effectiveType !== null && SLOW.includes(network.effectiveType) ? "slow" : "yes";
}

/**
 * The rendition to keep: of the codecs that play here the clearest that is no more than clear, or
 * the smallest where she is sparing. AAC goes before Opus at the same wish: every device decodes
 * it in hardware. Null where none can be played.
 * @param {Rendition[]} renditions @param {(codecs: string) => boolean} canPlay
 * @param {Network} network @param {DataUse} use
 * @returns {Rendition | null}
 */
export function chooseDownload(renditions, canPlay, network, use) {
  const playable = renditions.filter(({ codecs }) => canPlay(codecs));
  if (playable.length === 0) return null;
  const bySize = [...playable].sort((one, other) => one.bit_rate_bps - other.bit_rate_bps);
  if (network.saveData || use === "sparing") return bySize[0];
  const codec = playable.some((one) => one.codec === "aac") ? "aac" : playable[0].codec;
  const own = bySize.filter((one) => one.codec === codec);
  return nearest(own, CLEAR_BPS[codec] ?? CLEAR_BPS.aac);
}

/**
 * @typedef {object} StreamChoice
 * @property {"hls" | "hls_opus"} playlist which of the grant's playlists
 * @property {number} guessBps what hls.js should take the bandwidth for, to begin with
 * @property {number} ceilingBps no rendition above this
 * @property {boolean} sparing whether she or the phone saves data
 */

/**
 * Which playlist to stream, and between which bounds hls.js may choose; null where none plays.
 * @param {Rendition[]} renditions @param {(codecs: string) => boolean} canStream
 * @param {Network} network @param {DataUse} use
 * @returns {StreamChoice | null}
 */
export function chooseStream(renditions, canStream, network, use) {
  const playable = renditions.filter(({ codecs }) => canStream(codecs));
  if (playable.length === 0) return null;
  const sparing = network.saveData || use === "sparing";
  const codecs = new Set(playable.map(({ codec }) => codec));
  const opus = codecs.has("opus") && (sparing || !codecs.has("aac"));
  const rates = playable
    .filter(({ codec }) => codec === (opus ? "opus" : "aac"))
    .map(({ bit_rate_bps }) => bit_rate_bps);
  const guessBps = (network.bandwidthBps ?? FIRST_GUESS_BPS) * SHARE;
  return {
    playlist: opus ? "hls_opus" : "hls",
    guessBps,
    ceilingBps: sparing ? Math.min(...rates) : Math.max(...rates),
    sparing,
  };
}

/**
 * What an element is given that plays without hls.js. Its own HLS chooses among the renditions by
 * itself and does not say which; so who saves data gets the Media Playlist of the smallest alone.
 * Without HLS it is one file, of the rendition that would be kept.
 * @param {Record<string, any>} grant @param {StreamChoice} choice
 * @param {boolean} playsHls whether the browser plays HLS by itself
 * @returns {{ address: string, playing: import("./stream.js").Playing }}
 */
export function chooseElement(grant, { playlist, ceilingBps, sparing }, playsHls) {
  if (playsHls && !sparing) {
    return { address: grant[playlist], playing: { source: "hls", rendition: null } };
  }
  const codec = playlist === "hls_opus" ? "opus" : "aac";
  const clearBps = sparing ? ceilingBps : CLEAR_BPS[codec];
  const { rendition, url } = nearest(
    grant.downloads.filter((/** @type {Rendition} */ one) => one.codec === codec),
    clearBps,
  );
  return playsHls
    ? { address: url.replace(/\.mp4$/, ".m3u8"), playing: { source: "hls", rendition } }
    : { address: url, playing: { source: "progressive", rendition } };
}

/** Measured rates lie around the nominal ones, so the nearest is meant. @param {Rendition[]} renditions @param {number} bps */
function nearest(renditions, bps) {
  return renditions.reduce((best, one) =>
    Math.abs(one.bit_rate_bps - bps) < Math.abs(best.bit_rate_bps - bps) ? one : best,
  );
}

/**
 * The highest of hls.js's levels that keeps the ceiling: its `autoLevelCapping`.
 * @param {{ bitrate: number }[]} levels @param {number} ceilingBps
 * @returns {number} -1 for no cap
 */
export function levelCap(levels, ceilingBps) {
  // A playlist declares peaks and the overhead, the list of renditions the mean.
  const allowed = levels.map(({ bitrate }, index) => ({ bitrate, index }))
    .filter(({ bitrate }) => bitrate <= ceilingBps * 1.25);
  if (allowed.length === levels.length) return -1;
  const best = allowed.length > 0
    ? allowed.reduce((one, other) => (other.bitrate > one.bitrate ? other : one))
    : levels.map(({ bitrate }, index) => ({ bitrate, index }))
        .reduce((one, other) => (other.bitrate < one.bitrate ? other : one));
  return best.index;
}
