import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Api, ApiError } from "../../gateway/web/js/api.js";

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
});

test("an answer whose body does not come whole is a network that failed, the time's too", async () => {
  globalThis.fetch = async () => new Response("{\"nonce\":", { status: 200 });
  const api = new Api(null);
  for (const asked of [() => api.time(), () => api.tickets(), () => api.silences("/x")]) {
    await assert.rejects(asked, (error) => error instanceof ApiError && error.code === "network");
  }
});
