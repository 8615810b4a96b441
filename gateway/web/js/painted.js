/** Waiting for the eye: what can wait does not stand in the way of what she is to see and press. */

/** A hidden page paints nothing: then it is this long. */
const HIDDEN_MS = 300;

/** Resolves once what was put on the screen is there, and the browser has nothing better to do. */
export async function painted() {
  await new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
    setTimeout(resolve, HIDDEN_MS);
  });
  // Not in every browser, and none may make her wait.
  await new Promise((resolve) => {
    if (globalThis.requestIdleCallback) requestIdleCallback(resolve, { timeout: HIDDEN_MS });
    else resolve(undefined);
  });
}
