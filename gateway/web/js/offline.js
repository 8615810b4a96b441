/** Puts together what the app needs to work without network: the tracks, and what plays them. */

import { Deck } from "./deck.js";
import * as device from "./device.js";
import { Downloads } from "./downloads.js";
import { Sources } from "./sources.js";
import * as store from "./store.js";

const DEFAULT_MB = 300;

/**
 * @param {object} means
 * @param {HTMLAudioElement} means.audio the page's own
 * @param {import("./kept.js").KeptApi} means.api
 * @param {import("./clock.js").Clock} means.clock
 * @param {import("./kept.js").Memory} means.memory
 * @param {any} means.Hls
 * @param {(ms: number) => Promise<void>} means.sleep
 * @param {(problem: import("./stream.js").SourceProblem) => void} means.onProblem
 */
export function goOffline({ audio, api, clock, memory, Hls, sleep, onProblem }) {
  const spare = new Audio();
  spare.preload = "auto";
  audio.after(spare);
  const deck = new Deck(audio, spare, sleep);
  const network = () => device.network(memory);
  const dataUse = () => device.dataUse(memory);
  const { canPlay, canStream, alone, storage } = device;
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
  const sources = new Sources({ api, downloads, deck, Hls, network, dataUse, canStream, sleep, onProblem });
  api.onTickets = (tickets) => downloads.take(tickets);
  addEventListener("online", () => downloads.run());
  return { deck, downloads, sources };
}

/** What Tell's page says (config.toml, [app] downloads_mb). */
function limitMb() {
  const meta = document.querySelector('meta[name="tell-downloads-mb"]');
  return Number(meta?.getAttribute("content")) || DEFAULT_MB;
}
