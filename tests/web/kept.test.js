import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { KeptApi } from "../../gateway/web/js/kept.js";

const HOUR = 3600_000;
const SOLD = Date.parse("2026-11-22T18:00:00Z");
const TICKET = {
  correlation_id: "a",
  movie_id: "one-week",
  title: "One Week",
  server_time: "2026-11-22T18:00:00.250000Z",
};
const GRANT = { downloads: [], silences: "/stream/x/silences.json", server_time: TICKET.server_time };

const real = globalThis.fetch;
/** What Tell answers by path: a body, a status, or "never"; all else is a network that is gone. */
let answers = {};
let memory;
let wallMs;
/** How long a network that gives nothing is waited for: for ever, until a test says otherwise. */
let patience;

beforeEach(() => {
  patience = new Promise(() => {});
  answers = {};
  memory = new Map();
  wallMs = SOLD;
  globalThis.fetch = async (path) => {
    const answer = answers[path.split("?")[0]];
    if (answer === undefined) throw new TypeError("Failed to fetch");
    if (answer === "never") return new Promise(() => {});
    return typeof answer === "number"
      ? Response.json({ code: "some-problem" }, { status: answer })
      : Response.json(answer);
  };
});

afterEach(() => {
  globalThis.fetch = real;
});

/** The app in a new visit, on the same phone. */
function visit() {
  return new KeptApi("token", {
    memory: {
      get: (key) => memory.get(key) ?? null,
      set: (key, value) => memory.set(key, value),
      remove: (key) => memory.delete(key),
    },
    sleep: () => patience,
    wallMs: () => wallMs,
  });
}

async function visitWithNetwork() {
  answers = {
    "/tell/tickets": { tickets: [TICKET] },
    "/media/audio/one-week": GRANT,
    "/stream/x/silences.json": { silences: [[0, 48_000]] },
  };
  const api = visit();
  await api.tickets();
  await api.grant("one-week", "a");
  await api.silences(GRANT.silences);
}

test("without network the tickets, grants and pauses of the last visit answer", async () => {
  await visitWithNetwork();
  answers = {};
  wallMs += 2 * HOUR;
  const api = visit();
  const [ticket] = await api.tickets();
  // As if Tell said it now: the app reads the time from it.
  assert.deepEqual(ticket, { ...TICKET, server_time: "2026-11-22T20:00:00.250Z" });
  const grant = await api.grant("one-week", "a");
  assert.equal(grant.kept, true);
  assert.deepEqual(await api.silences(grant.silences), [[0, 48_000]]);
  assert.equal(api.online, false);
});

test("a server that is down, or a network that gives nothing, is no network", async () => {
  await visitWithNetwork();
  for (const broken of [502, 503, "never"]) {
    if (broken === "never") patience = Promise.resolve();
    answers = { "/tell/tickets": broken, "/media/audio/one-week": broken };
    assert.equal((await visit().tickets())[0].title, "One Week");
    assert.equal((await visit().grant("one-week", "a")).kept, true);
  }
});

test("a refusal is a refusal, whatever is kept", async () => {
  await visitWithNetwork();
  answers = { "/media/audio/one-week": 410, "/tell/tickets": 401 };
  const api = visit();
  await assert.rejects(api.grant("one-week", "a"), { name: "ApiError", status: 410 });
  await assert.rejects(api.tickets(), { name: "ApiError", status: 401 });
  assert.equal(api.online, true);
});

test("where nothing is kept the network's failure is told", async () => {
  await assert.rejects(visit().tickets(), { name: "ApiError", code: "network" });
});

test("what Tell tells of one ticket replaces that one", async () => {
  await visitWithNetwork();
  const api = visit();
  const told = [];
  api.onTickets = (tickets) => told.push(tickets.map(({ title }) => title));
  api.keep({ ...TICKET, title: "One Week (moved)" });
  api.keep({ ...TICKET, correlation_id: "b", title: "Sherlock, Jr." });
  answers = {};
  const titles = ["One Week (moved)", "Sherlock, Jr."];
  assert.deepEqual((await api.tickets()).map(({ title }) => title), titles);
  assert.deepEqual(told, [["One Week (moved)"], titles, titles]);
  assert.equal(api.keptTicket("b")?.title, "Sherlock, Jr.");
});

test("a ticket that is gone takes what was kept of it along", async () => {
  await visitWithNetwork();
  answers["/tell/tickets"] = { tickets: [] };
  const api = visit();
  await api.tickets();
  assert.equal(api.keptGrant("a"), null);
  assert.equal(api.keptTicket("a"), null);
  await visitWithNetwork();
  visit().forget();
  assert.deepEqual([...memory.keys()], []);
});

test("whoever hears of a claimed ticket may ask for its track at once", async () => {
  answers = { "/tell/claims": { listener_token: "new", ticket: TICKET } };
  const api = visit();
  const sent = [];
  const answering = globalThis.fetch;
  globalThis.fetch = (path, options) => {
    sent.push([path.split("?")[0], new Headers(options?.headers).get("Authorization")]);
    return answering(path);
  };
  answers["/media/audio/one-week"] = GRANT;
  const heard = new Promise((resolve) => {
    api.onTickets = ([ticket]) => resolve(api.grant(ticket.movie_id, ticket.correlation_id));
  });
  await api.claim("code", "nonce");
  await heard;
  assert.deepEqual(sent.at(-1), ["/media/audio/one-week", "Bearer new"]);
});

test("with a ticket that is gone goes what she set for it", async () => {
  await visitWithNetwork();
  memory.set("tell.nudges.a", "{}");
  memory.set("tell.nudges.b", "{}");
  answers["/tell/tickets"] = { tickets: [] };
  await visit().tickets();
  assert.deepEqual([...memory.keys()].filter((key) => key.startsWith("tell.nudges.")), ["tell.nudges.b"]);
});
