/** Puts together what the app needs to work without network: the tracks, and what plays them. */

import { Deck } from "./deck.js";
import * as device from "./device.js";
import { Downloads } from "./downloads.js";
import { keepPosters } from "./posters.js";
import { Sources } from "./sources.js";
import * as store from "./store.js";

const DEFAULT_MB = 300;

/**
 * @param {object} means
 * @param {HTMLAudioElement} means.audio the page's own
 * @param {import("./kept.js").KeptApi} means.api
 * @param {import("./clock.js").Clock} means.clock
 * @param {import("./kept.js").Memory} means.memory
 * @param {() => Promise<any | null>} means.loadHls
 * @param {(ms: number) => Promise<void>} means.sleep
 * @param {(problem: import("./stream.js").SourceProblem) => void} means.onProblem
 * @param {(tickets: Record<string, any>[]) => void} means.onTickets
 */
export function goOffline({ audio, api, clock, memory, loadHls, sleep, onProblem, onTickets }) {
  const spare = new Audio();
  spare.preload = "auto";
  audio.after(spare);
  // The description is for one ear, never for a television; and Managed Media Source asks for it.
  for (const element of [audio, spare]) element.disableRemotePlayback = true;
  const deck = new Deck(audio, spare, sleep);
  const network = () => device.network(memory);
  const dataUse = () => device.dataUse(memory);
  const { canPlay, canStream, playsHls, alone, storage } = device;
  const downloads = new Downloads({
    api,
    memory,
    store,
    makeWorker: () => new Worker(new URL("./downloadworker.js", import.meta.url), { type: "module" }),
    canPlay,
    network,
    dataUse,
    nowMs: () => clock.tellMs(performance.now()) ?? Date.now(),
    storage,
    alone,
    sleep,
    limitBytes: limitMb() * 1e6,
  });
  const sources = new Sources({
    api, downloads, deck, loadHls, network, dataUse, canStream, playsHls, sleep, onProblem,
  });
  api.onTickets = (tickets) => {
    onTickets(tickets);
    downloads.take(tickets);
    keepPosters(tickets);
  };
  addEventListener("online", () => downloads.run());
  return { deck, downloads, sources };
}

/** What Tell's page says (config.toml, [app] downloads_mb). */
function limitMb() {
  const meta = document.querySelector('meta[name="tell-downloads-mb"]');
  return Number(meta?.getAttribute("content")) || DEFAULT_MB;
}
