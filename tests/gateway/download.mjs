// The app's own download (gateway/web/js/transfer.js) as a program, for tests of what it meets.
// Arguments: the module, address, SHA-256, size, and a file with what came before.
// Prints the outcome, and what it told meanwhile.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [module, url, sha256, size, before] = process.argv.slice(2);
const { transfer } = await import(pathToFileURL(module).href);

let bytes = new Uint8Array(readFileSync(before));
const file = {
  getSize: () => bytes.length,
  flush: () => {},
  read(into, { at }) {
    const part = bytes.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  },
  write(piece, { at }) {
    const grown = new Uint8Array(Math.max(bytes.length, at + piece.length));
    grown.set(bytes);
    grown.set(piece, at);
    bytes = grown;
    return piece.length;
  },
  truncate(length) {
    bytes = bytes.slice(0, length);
  },
};
const news = [];
const outcome = await transfer(
  { url, sha256, sizeBytes: Number(size) },
  {
    file,
    fetch,
    sleep: async () => {},
    nowMs: () => performance.now(),
    signal: AbortSignal.timeout(60_000),
    tell: (one) => news.push(one.news),
  },
);
console.log(JSON.stringify({ outcome, news: news.filter((one) => one !== "progress") }));
