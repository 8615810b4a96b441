/** Waiting that a hidden page keeps: see ticker.js. */

/** @type {Worker | null} */
let worker = null;
let next = 0;
/** @type {Map<number, () => void>} */
const waiting = new Map();

function start() {
  if (typeof Worker === "undefined") return null;
  const made = new Worker(new URL("./ticker.js", import.meta.url));
  made.addEventListener("message", (event) => {
    waiting.get(event.data)?.();
    waiting.delete(event.data);
  });
  // A worker that cannot be had (an old browser, a policy) leaves the page's own timers.
  made.addEventListener("error", () => {
    worker = null;
    for (const done of waiting.values()) done();
    waiting.clear();
  });
  return made;
}

/** Resolves after about *ms*. @param {number} ms @returns {Promise<void>} */
export function sleep(ms) {
  worker ??= start();
  return new Promise((resolve) => {
    if (worker === null) {
      setTimeout(resolve, ms);
      return;
    }
    const id = next++;
    waiting.set(id, resolve);
    worker.postMessage({ id, ms });
  });
}
