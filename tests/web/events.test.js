import assert from "node:assert/strict";
import { test } from "node:test";

import { EventParser, Events, waitMs } from "../../gateway/web/js/events.js";

const EVENT = 'id: 7\nevent: screening.started\ndata: {"ticket":{"movie_id":"x"}}\n\n';

test("an event is understood wherever the network cuts it", () => {
  for (let cut = 0; cut <= EVENT.length; cut += 1) {
    const parser = new EventParser();
    const events = [...parser.push(EVENT.slice(0, cut)), ...parser.push(EVENT.slice(cut))];
    assert.deepEqual(events, [
      { event: "screening.started", data: '{"ticket":{"movie_id":"x"}}' },
    ]);
    assert.equal(parser.lastEventId, "7");
  }
});

test("a heartbeat moves the position and tells nothing", () => {
  const parser = new EventParser();
  assert.deepEqual(parser.push("id: 41\n\n: a comment\n\n"), []);
  assert.equal(parser.lastEventId, "41");
});

test("lines may end in CR LF, and the server names its own pause", () => {
  const parser = new EventParser();
  const events = parser.push("retry: 2000\r\nevent: reset\r\ndata: {}\r\n\r\n");
  assert.deepEqual(events, [{ event: "reset", data: "{}" }]);
  assert.equal(parser.retryMs, 2000);
});

test("what a cut line left unfinished is not mixed with the next one's", () => {
  const parser = new EventParser();
  parser.push("id: 3\nevent: screening.moved\ndata: {");
  parser.cut();
  assert.deepEqual(parser.push('event: reset\ndata: {}\n\n'), [{ event: "reset", data: "{}" }]);
});

test("waits double up to half a minute, and are drawn apart", () => {
  assert.equal(waitMs(1, 1000, 1), 1000);
  assert.equal(waitMs(1, 1000, 0), 500);
  assert.equal(waitMs(3, 1000, 1), 4000);
  assert.equal(waitMs(50, 1000, 1), 30_000);
});

/** An api whose connections give what they are told, each in turn. */
function apiOf(...streams) {
  const asked = [];
  return {
    asked,
    async events(lastEventId) {
      asked.push(lastEventId);
      const text = streams[asked.length - 1] ?? "";
      return new Blob([text]).stream();
    },
  };
}

test("it reconnects behind the last event, tells each ticket once, and stops when told", async () => {
  const told = [];
  const api = apiOf(`id: 5\n\n${EVENT}`, "event: reset\nid: 9\ndata: {}\n\n");
  const events = new Events({
    api,
    sleep: async () => {},
    onTicket: (ticket) => told.push(ticket.movie_id),
    onGap: () => {
      told.push("gap");
      events.stop();
    },
  });
  events.start();
  while (told.length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(told, ["x", "gap"]);
  assert.deepEqual(api.asked, ["", "7"]);
});
