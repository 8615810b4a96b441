// A CDN's edge, written after docs/delivery.md alone and using nothing of Tell: it verifies the token
// in each path, and keeps what the origin sends under the track's own path.
//
//   node verify.mjs <origin>      with EDGE_KEYS='{"s1": "<hexadecimal key>"}', EDGE_NOW_S=<its clock>
//
// prints the port that it listens on.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const origin = process.argv[2];
const keys = new Map(
  Object.entries(JSON.parse(process.env.EDGE_KEYS)).map(([id, key]) => [id, Buffer.from(key, "hex")]),
);
const nowS = Number(process.env.EDGE_NOW_S);
const FILE = /^\/stream\/([A-Za-z0-9._~-]{1,512})\/([a-z0-9]+-[0-9]+k\.mp4)$/;
/** @type {Map<string, Buffer>} */ const kept = new Map();

/** The track's path that a token opens now, null where it opens nothing. */
function opens(token) {
  const end = token.lastIndexOf("~");
  const fields = token.slice(0, end).split("~");
  const key = keys.get(fields[0]);
  if (key === undefined || fields.length !== 7) return null;
  const wanted = createHmac("sha256", key).update(token.slice(0, end)).digest("base64url");
  const said = token.slice(end + 1);
  if (said.length !== wanted.length) return null;
  if (!timingSafeEqual(Buffer.from(said), Buffer.from(wanted))) return null;
  const [, , , movie, language, version, expires] = fields;
  if (nowS >= parseInt(expires, 16)) return null;
  return `tracks/${movie}/${language}/${version}`;
}

const server = createServer(async (request, response) => {
  const [, token, name] = FILE.exec(request.url) ?? [];
  const track = token === undefined ? null : opens(token);
  if (track === null && token !== undefined) {
    response.writeHead(403).end();
    return;
  }
  const key = track === null ? null : `${track}/${name}`;
  let body = key === null ? undefined : kept.get(key);
  response.setHeader("X-Edge", body === undefined ? "miss" : "hit");
  if (body === undefined) {
    // The whole file is fetched by the token of whoever came first.
    const answer = await fetch(`${origin}${request.url}`, { redirect: "manual" });
    body = Buffer.from(await answer.arrayBuffer());
    const mayKeep = answer.headers.get("CDN-Cache-Control")?.startsWith("public");
    if (key !== null && answer.status === 200 && mayKeep) kept.set(key, body);
    else if (answer.status !== 200 || key === null) {
      response.writeHead(answer.status, { "Content-Type": answer.headers.get("Content-Type") ?? "" });
      response.end(body);
      return;
    }
  }
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  const [first, last] = range ? [Number(range[1]), Number(range[2])] : [0, body.length - 1];
  response.writeHead(range ? 206 : 200, {
    "Content-Type": "audio/mp4",
    // What the phone is told, and not what the edge was told.
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Range": `bytes ${first}-${last}/${body.length}`,
  });
  response.end(body.subarray(first, last + 1));
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
