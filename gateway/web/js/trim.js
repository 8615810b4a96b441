/**
 * What an output device is late by, set by hand or by tapping (calibration.js). Pure.
 *
 * The browser does not know how long the sound takes to the ear: 10 ms by wire, up to 300 by
 * Bluetooth. A positive trim plays the sound earlier by so much.
 */

export const STEP_MS = 10;
const LARGEST_MS = 500;

/** @param {number} ms @returns {number} in whole steps, within reason */
export function trimmed(ms) {
  const held = Math.min(LARGEST_MS, Math.max(-LARGEST_MS, ms));
  // Never -0, which would be said as such.
  return Math.round(held / STEP_MS) * STEP_MS + 0;
}

/** As it was kept; 0 where that cannot be read. @param {string | null} text */
export function parse(text) {
  const ms = Number.parseFloat(text ?? "");
  return Number.isFinite(ms) ? trimmed(ms) : 0;
}

/**
 * Which output the trim belongs to, from what the browser tells of its devices. Their names are
 * told only to pages that may use the microphone, which Tell does not ask for; then it is the id,
 * and where there is none all outputs share one trim.
 * @param {readonly { kind: string, deviceId: string, groupId: string, label: string }[]} devices
 */
export function outputKey(devices) {
  const outputs = devices.filter((device) => device.kind === "audiooutput");
  const current = outputs.find((device) => device.deviceId === "default") ?? outputs[0];
  return current?.label || current?.groupId || current?.deviceId || "default";
}
