/**
 * The service worker and its updates: a new version is fetched beside the old one, and takes over
 * only while no page of this phone is listening, so that a film is never disturbed.
 */

const WORKER = "/app/sw.js";
const LISTENING = "tell-listening";
/** An app that stays open for days asks by itself. */
const ASK_EVERY_MS = 6 * 3600 * 1000;

/** Tells `idle` when this page has let go of its listening. */
const pages = new EventTarget();

/**
 * Register it, and follow its versions.
 * @param {(ms: number) => Promise<void>} sleep
 */
export async function keepCurrent(sleep) {
  const container = navigator.serviceWorker;
  // Missing without a secure origin, and in some private windows: then there is only the network.
  if (!container) return;
  let registration;
  try {
    registration = await container.register(WORKER, {
      scope: "/",
      type: "module",
      updateViaCache: "none",
    });
  } catch {
    // Refused by the browser, or no network at the first visit: tried again at the next one.
    return;
  }
  let controlled = container.controller !== null;
  let stale = false;
  container.addEventListener("controllerchange", () => {
    // The first one to control this page is of the version that the page was loaded with.
    stale = controlled;
    controlled = true;
  });
  const look = () => takeOver(registration);
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", look);
  });
  document.addEventListener("visibilitychange", () => {
    look();
    // Never before her eyes, or under her finger.
    if (stale && document.visibilityState === "hidden") whileIdle(() => location.reload());
  });
  // A version that came during a film takes over as soon as it is stopped.
  pages.addEventListener("idle", look);
  look();
  for (;;) {
    await sleep(ASK_EVERY_MS);
    await registration.update().catch(() => {});
  }
}

/** Let the waiting version take over. @param {ServiceWorkerRegistration} registration */
function takeOver(registration) {
  if (registration.waiting) whileIdle(() => registration.waiting?.postMessage("take-over"));
}

/** Do it unless some page of this phone listens. @param {() => void} run */
function whileIdle(run) {
  return navigator.locks.request(LISTENING, { ifAvailable: true }, (lock) => {
    if (lock) run();
  });
}

/** While this page listens, no version changes. */
export class Listening {
  /** @type {(() => void) | null} */ #end = null;

  /** @param {boolean} on */
  set(on) {
    if (on === (this.#end !== null)) return;
    if (on) {
      const ended = /** @type {Promise<void>} */ (new Promise((resolve) => (this.#end = resolve)));
      // Settled once the lock is free again.
      navigator.locks
        ?.request(LISTENING, { mode: "shared" }, () => ended)
        .then(() => pages.dispatchEvent(new Event("idle")));
    } else {
      this.#end?.();
      this.#end = null;
    }
  }
}
