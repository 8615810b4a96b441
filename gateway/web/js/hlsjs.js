/**
 * Brings hls.js, which is larger than all of the app: not before the ticket is on the screen, and
 * only where a browser can use it.
 */

import { ApiError } from "./api.js";
import { mediaSource } from "./device.js";

const ADDRESS = "../vendor/hls.mjs";

/** @type {Promise<any> | null} */
let loading = null;
let failures = 0;

/**
 * The class of hls.js; null where this browser has no Media Source that would carry it. Raises
 * ApiError `network` where it cannot be fetched now.
 * @returns {Promise<any | null>}
 */
export function loadHls() {
  if (mediaSource() === null) return Promise.resolve(null);
  loading ??= bring();
  return loading;
}

async function bring() {
  try {
    // Some browsers keep in mind that an address failed, and do not ask again: then it has another.
    const { default: Hls } = await import(failures ? `${ADDRESS}?again=${failures}` : ADDRESS);
    return Hls.isSupported() ? Hls : null;
  } catch {
    loading = null;
    failures += 1;
    throw new ApiError("network", 0);
  }
}
