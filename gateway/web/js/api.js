/** Tell's HTTP API as the app uses it. Every failure is an ApiError with a stable code. */

export class ApiError extends Error {
  /**
   * @param {string} code the problem's `code` (RFC 9457 extension), or `network`
   * @param {number} status HTTP status, 0 where no answer came
   * @param {string} correlationId what support asks for; empty where unknown
   * @param {number} retryAfterS how long Tell asks to wait; 0 where it did not say
   */
  constructor(code, status, correlationId = "", retryAfterS = 0) {
    super(`${code} (${status})`);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.correlationId = correlationId;
    this.retryAfterS = retryAfterS;
  }
}

const TIMEOUT_MS = 10_000;

export class Api {
  /** @type {string | null} */ #listenerToken;

  /** @param {string | null} listenerToken */
  constructor(listenerToken) {
    this.#listenerToken = listenerToken;
  }

  /** @param {string | null} token */
  use(token) {
    this.#listenerToken = token;
  }

  /**
   * Take up a purchase on this device.
   * @param {string} claimCode @param {string} deviceNonce
   * @returns {Promise<{ listener_token: string, ticket: Record<string, any> }>}
   */
  claim(claimCode, deviceNonce) {
    return this.#json("/tell/claims", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ claim_code: claimCode, device_nonce: deviceNonce }),
    });
  }

  /** @returns {Promise<Record<string, any>[]>} the listener's tickets, by movie_start */
  async tickets() {
    return (await this.#json("/tell/tickets")).tickets;
  }

  /** @param {string} correlationId @returns {Promise<Record<string, any>>} */
  ticket(correlationId) {
    return this.#json(`/tell/tickets/${encodeURIComponent(correlationId)}`);
  }

  /**
   * The grant: signed URLs and where the film is.
   * @param {string} movieId @param {string} correlationId
   * @param {string | null} [language] of the description (BCP 47); else the film's own default
   */
  grant(movieId, correlationId, language = null) {
    const query = new URLSearchParams({ ticket: correlationId, ...(language && { language }) });
    return this.#json(`/media/audio/${encodeURIComponent(movieId)}?${query}`);
  }

  /**
   * The narrator's pauses of a granted track.
   * @param {string} url the grant's `silences`
   * @returns {Promise<[number, number][]>} first sample and sample after the last of each
   */
  async silences(url) {
    return (await this.#json(url)).silences;
  }

  /**
   * One exchange of clocks; see clock.js. Where the browser says when the bytes themselves left
   * and came (Resource Timing 2), its own queues do not count as time on the way.
   * @returns {Promise<import("./clock.js").Exchange>}
   */
  async time() {
    const nonce = randomId();
    const path = `/time?nonce=${nonce}`;
    let sentMs = performance.now();
    const response = await this.#fetch(path, {});
    let receivedMs = performance.now();
    const answer = await body(response);
    if (answer.nonce !== nonce) throw new ApiError("stale-answer", response.status);
    const entry = /** @type {PerformanceResourceTiming | undefined} */ (
      performance.getEntriesByName(new URL(path, location.href).href).at(-1)
    );
    if (entry && entry.requestStart >= sentMs && entry.responseStart >= entry.requestStart) {
      sentMs = entry.requestStart;
      receivedMs = Math.min(receivedMs, entry.responseStart);
    }
    return {
      sentMs,
      receivedMs,
      serverReceivedUs: answer.received_us,
      serverSentUs: answer.sent_us,
      serverBoundUs: answer.bound_us,
    };
  }

  /**
   * Tell how the sound of a ticket stands; it arrives though the page is closed meanwhile.
   * @param {Record<string, unknown>} report see reports.js
   */
  async playback(report) {
    await this.#fetch("/tell/playback", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(report),
      keepalive: true,
    });
  }

  /** Erase the listener at Tell: her tickets, her devices, what was told of her sound. */
  async erase() {
    await this.#fetch("/tell/listener", { method: "DELETE" });
  }

  /**
   * The stream of what happens to the listener's tickets; see events.js. It has no end of its own.
   * @param {string} lastEventId the last event heard of, empty for none
   * @param {AbortSignal} signal ends it
   * @returns {Promise<ReadableStream<Uint8Array>>}
   */
  async events(lastEventId, signal) {
    /** @type {Record<string, string>} */
    const headers = lastEventId ? { "Last-Event-ID": lastEventId } : {};
    const response = await this.#fetch("/tell/events", { headers, signal }, "text/event-stream");
    if (!response.body) throw new ApiError("network", response.status);
    return response.body;
  }

  /** @param {string} path @param {RequestInit} [options] @returns {Promise<any>} */
  async #json(path, options = {}) {
    return body(await this.#fetch(path, options));
  }

  /** @param {string} path @param {RequestInit} options @param {string} [accept] */
  async #fetch(path, options, accept = "application/json") {
    const headers = new Headers(options.headers);
    headers.set("Accept", accept);
    if (this.#listenerToken) headers.set("Authorization", `Bearer ${this.#listenerToken}`);
    let response;
    try {
      response = await fetch(path, {
        ...options,
        headers,
        cache: "no-store",
        signal: options.signal ?? AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      throw new ApiError("network", 0);
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => ({}));
    throw new ApiError(
      problem.code ?? "unknown",
      response.status,
      problem.correlation_id ?? response.headers.get("X-Request-Id") ?? "",
      Number.parseInt(response.headers.get("Retry-After") ?? "0", 10) || 0,
    );
  }
}

/** What came, where all of it did. @param {Response} response @returns {Promise<any>} */
async function body(response) {
  try {
    return await response.json();
  } catch {
    throw new ApiError("network", response.status);
  }
}

/** 22 URL-safe characters of 128 random bits. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
