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
]);

/** @param {{ onPlay: () => void, onPause: () => void }} handlers */
export function connect({ onPlay, onPause }) {
  const session = navigator.mediaSession;
  if (!session) return;
  session.setActionHandler("play", onPlay);
  session.setActionHandler("pause", onPause);
  for (const action of SILENCED) {
    try {
      session.setActionHandler(action, null);
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
    artwork: poster ? [{ src: poster }] : [],
  });
}

/** @param {boolean} on playing, or armed to play */
export function state(on) {
  if (navigator.mediaSession) navigator.mediaSession.playbackState = on ? "playing" : "paused";
}
