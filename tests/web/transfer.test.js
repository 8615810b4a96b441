import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { isWhole, transfer } from "../../gateway/web/js/transfer.js";

const TRACK = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * index) % 251);
const SHA256 = createHash("sha256").update(TRACK).digest("hex");

/** What the server does with each request, in turn; then it sends all that was asked. */
let script = [];
/** First bytes that were asked for. */
let asked = [];
let server;
let url;

before(async () => {
  server = createServer((request, response) => {
    const { range: wanted, accept } = request.headers;
    // Whole, or what is missing; by no condition, since one would be sent on to a bucket too.
    const start = wanted === undefined ? 0 : Number(/^bytes=([1-9]\d*)-$/.exec(wanted)?.[1]);
    assert.equal(accept, "application/octet-stream");
    assert.deepEqual(Object.keys(request.headers).filter((name) => name.startsWith("if-")), []);
    asked.push(start);
    const send = (status, bytes, headers = {}, cutAfter = Infinity) => {
      response.writeHead(status, { "Content-Length": bytes.length, ...headers });
      response.write(bytes.subarray(0, cutAfter), () => {
        if (cutAfter < bytes.length) response.destroy();
      });
      if (cutAfter >= bytes.length) response.end();
    };
    const range = { "Content-Range": `bytes ${start}-${TRACK.length - 1}/${TRACK.length}` };
    const step = script.shift() ?? {};
    if (step.status) return send(step.status, new Uint8Array());
    const whole = step.whole || wanted === undefined;
    const bytes = (step.other ?? TRACK).slice(whole ? 0 : start);
    if (step.flip !== undefined) bytes[step.flip - start] ^= 1;
    send(whole ? 200 : 206, bytes, whole ? {} : range, step.cutAfter);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}/track.mp4`;
});

after(() => {
  server.closeAllConnections();
  server.close();
});

/** A file in memory, as a FileSystemSyncAccessHandle is one; full from *limit* bytes on. */
class MemoryFile {
  bytes = new Uint8Array();

  constructor(bytes = new Uint8Array(), limit = Infinity) {
    this.bytes = bytes;
    this.limit = limit;
  }

  getSize = () => this.bytes.length;
  flush = () => {};

  read(into, { at }) {
    const part = this.bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }

  write(piece, { at }) {
    const room = Math.min(piece.length, this.limit - at);
    const grown = new Uint8Array(Math.max(this.bytes.length, at + room));
    grown.set(this.bytes);
    grown.set(piece.subarray(0, room), at);
    this.bytes = grown;
    return room;
  }

  truncate(size) {
    this.bytes = this.bytes.slice(0, size);
  }
}

async function run(steps, file = new MemoryFile(), signal = new AbortController().signal) {
  script = steps;
  asked = [];
  const news = [];
  const outcome = await transfer(
    { url, sha256: SHA256, sizeBytes: TRACK.length },
    {
      file,
      fetch,
      sleep: async () => {},
      nowMs: () => performance.now(),
      signal,
      tell: (one) => news.push(one),
    },
  );
  return { outcome, file, news };
}

test("a download that is cut ten times resumes, and its digest is right", async () => {
  const cuts = Array.from({ length: 10 }, () => ({ cutAfter: 200_000 }));
  const { outcome, file, news } = await run(cuts);
  assert.equal(outcome, "whole");
  assert.deepEqual(file.bytes, TRACK);
  assert.equal(asked.length, 11);
  // Each goes on where the last one ended: nothing is asked for twice.
  assert.ok(asked.every((start, index) => index === 0 || start > asked[index - 1]));
  assert.equal(news.filter(({ news: kind }) => kind === "cut").length, 10);
});

test("what came in an earlier visit is not fetched again", async () => {
  const { outcome, file } = await run([], new MemoryFile(TRACK.slice(0, 1_234_567)));
  assert.equal(outcome, "whole");
  assert.deepEqual(asked, [1_234_567]);
  assert.deepEqual(file.bytes, TRACK);
});

test("one flipped byte on the way is found, said, and all of it fetched again", async () => {
  const { outcome, file, news } = await run([{ flip: 2_000_001 }]);
  assert.equal(outcome, "whole");
  assert.deepEqual(file.bytes, TRACK);
  assert.deepEqual(asked, [0, 0]);
  assert.equal(news.filter(({ news: kind }) => kind === "damaged").length, 1);
});

test("one flipped byte on the phone is found when the download goes on", async () => {
  const part = TRACK.slice(0, 1_000_000);
  part[17] ^= 0x80;
  const { outcome, file } = await run([], new MemoryFile(part));
  assert.equal(outcome, "whole");
  assert.deepEqual(asked, [1_000_000, 0]);
  assert.deepEqual(file.bytes, TRACK);
});

test("the rest of another file is found, however well it fits, and nothing of it stays", async () => {
  const other = TRACK.map((byte) => byte ^ 0x55);
  const begun = new MemoryFile(TRACK.slice(0, 1_500_000));
  const { outcome, file, news } = await run([{ other }], begun);
  assert.equal(outcome, "whole");
  assert.deepEqual(asked, [1_500_000, 0]);
  assert.equal(news.filter(({ news: kind }) => kind === "damaged").length, 1);
  assert.deepEqual(file.bytes, TRACK);
});

test("what comes wrong three times is given up, and nothing of it is left", async () => {
  const { outcome, file } = await run([{ flip: 1 }, { flip: 1 }, { flip: 1 }]);
  assert.equal(outcome, "damaged");
  assert.equal(file.getSize(), 0);
});

test("a server without ranges sends it whole, from the beginning", async () => {
  const { outcome, file } = await run([{ whole: true }], new MemoryFile(TRACK.slice(0, 500_000)));
  assert.equal(outcome, "whole");
  assert.deepEqual(file.bytes, TRACK);
});

test("a refusal ends it, an overload does not", async () => {
  assert.equal((await run([{ status: 410 }])).outcome, "refused");
  assert.equal((await run([{ status: 503 }, { status: 429 }])).outcome, "whole");
});

test("a phone that is full is said, not tried again", async () => {
  const { outcome } = await run([], new MemoryFile(new Uint8Array(), 700_000));
  assert.equal(outcome, "no-room");
  assert.deepEqual(asked, [0]);
});

test("stopped, it keeps what came", async () => {
  const stop = new AbortController();
  const file = new MemoryFile();
  const write = file.write.bind(file);
  file.write = (piece, place) => {
    const count = write(piece, place);
    if (place.at > 1_000_000) stop.abort();
    return count;
  };
  const { outcome } = await run([], file, stop.signal);
  assert.equal(outcome, "stopped");
  assert.ok(file.getSize() > 1_000_000);
  assert.deepEqual(file.bytes, TRACK.slice(0, file.getSize()));
});

test("whole means every byte", async () => {
  const order = { sha256: SHA256, sizeBytes: TRACK.length };
  assert.equal(await isWhole(new Blob([TRACK]), order), true);
  assert.equal(await isWhole(new Blob([TRACK.slice(1)]), order), false);
  const changed = TRACK.slice();
  changed[2_999_999] ^= 1;
  assert.equal(await isWhole(new Blob([changed]), order), false);
});
