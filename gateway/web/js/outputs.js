/** Where the sound comes out, as far as the browser tells: so that each output keeps its own trim. */

import { outputKey } from "./trim.js";

/** @returns {Promise<string>} a name for the output in use; `default` where nothing is told */
export async function currentOutput() {
  try {
    return outputKey((await navigator.mediaDevices?.enumerateDevices()) ?? []);
  } catch {
    // Refused by a policy, or a page without a secure origin.
    return "default";
  }
}

/** Be told when an output comes or goes. @param {() => void} onChange @returns {() => void} end it */
export function watchOutputs(onChange) {
  const devices = navigator.mediaDevices;
  devices?.addEventListener?.("devicechange", onChange);
  return () => devices?.removeEventListener?.("devicechange", onChange);
}
