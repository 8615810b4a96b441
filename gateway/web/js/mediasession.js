/**
 * The lock screen and the earphone's button (Media Session). Play and pause only: a scrub by
 * accident would lose the film.
 */

const SILENCED = /** @type {const} */ ([
  "seekbackward",
  "seekforward",
  "seekto",
  "previoustrack",
  "nexttrack",
  "skipad",
  "stop",
]);
/** Where a film has no poster, or it does not come. */
const ICON = { src: "/app/icons/tell-512.png", sizes: "512x512", type: "image/png" };

/** @param {{ onPlay: () => void, onPause: () => void }} handlers */
export function connect({ onPlay, onPause }) {
  const session = navigator.mediaSession;
  if (!session) return;
  session.setActionHandler("play", onPlay);
  session.setActionHandler("pause", onPause);
  for (const action of SILENCED) {
    try {
      session.setActionHandler(/** @type {MediaSessionAction} */ (action), null);
    } catch {
      // An action that this browser does not know cannot happen in it.
    }
  }
}

/** @param {{ title: string, theater: string, poster: string | null }} what */
export function describe({ title, theater, poster }) {
  if (!navigator.mediaSession) return;
  navigator.mediaSession.metadata = new MediaMetadata({
    title,
    artist: theater,
    artwork: [...(poster ? [{ src: poster }] : []), ICON],
  });
}

/** @param {boolean} on playing, or armed to play */
export function state(on) {
  const session = navigator.mediaSession;
  if (!session) return;
  session.playbackState = on ? "playing" : "paused";
  try {
    // Without an end (Media Session, setPositionState): a bar of its length could be dragged.
    if (on) session.setPositionState({ duration: Infinity });
  } catch {
    // A browser that knows no such sound shows its own bar; what is dragged is steered back.
  }
}

/** No ticket is open any more. */
export function clear() {
  const session = navigator.mediaSession;
  if (!session) return;
  session.playbackState = "none";
  session.metadata = null;
  session.setPositionState?.();
}
