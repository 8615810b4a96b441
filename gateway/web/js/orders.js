/**
 * Orders to the worker that fetches and checks tracks (downloadworker.js): each has a worker of its
 * own, which ends with it.
 *
 * @typedef {Pick<Worker, "postMessage" | "addEventListener" | "terminate">} WorkerLike
 */

export class Orders {
  #makeWorker;
  /** @type {WorkerLike | null} */ #worker = null;
  /** Whether the one that runs fetches, and does not only look through what is there. */
  fetching = false;

  /** @param {() => WorkerLike} makeWorker */
  constructor(makeWorker) {
    this.#makeWorker = makeWorker;
  }

  /** The one that runs ends soon, with the outcome `stopped`. */
  stop() {
    this.#worker?.postMessage({ order: "stop" });
  }

  /**
   * Carry one out.
   * @param {{ order: "fetch" | "verify" } & Record<string, unknown>} order
   * @param {(news: any) => void} onNews
   * @returns {Promise<string>} the outcome
   */
  run(order, onNews) {
    const worker = this.#makeWorker();
    this.#worker = worker;
    this.fetching = order.order === "fetch";
    return new Promise((/** @type {(outcome: string) => void} */ resolve) => {
      worker.addEventListener("message", (/** @type {any} */ event) => {
        if (event.data.outcome) resolve(event.data.outcome);
        else onNews(event.data);
      });
      // A worker that cannot be had: an old browser, or its files are gone.
      worker.addEventListener("error", () => resolve("no-disk"));
      worker.postMessage(order);
    }).finally(() => {
      worker.terminate();
      this.#worker = null;
    });
  }
}
