/**
 * Waiting for the eye and for the finger: what can wait does not stand in the way of what she is to
 * see and press.
 */

/** A hidden page paints nothing: then it is this long. */
const HIDDEN_MS = 300;
/** And a page that is never idle waits no longer than this. */
const BUSY_MS = 500;

/** Resolves once what was put on the screen is there. @returns {Promise<void>} */
export function painted() {
  return new Promise((resolve) => {
    // The frame's own work comes after its callbacks, and a task of ours after that.
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, HIDDEN_MS);
  });
}

/** Resolves once it is there and the browser has nothing better to do: for what is not for the sound. */
export async function idle() {
  await painted();
  await new Promise((resolve) => {
    // Not in every browser (Safari).
    if (globalThis.requestIdleCallback) requestIdleCallback(resolve, { timeout: BUSY_MS });
    else setTimeout(resolve, HIDDEN_MS);
  });
}
