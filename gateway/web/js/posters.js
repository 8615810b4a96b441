/**
 * The posters of her tickets on this phone, so that they are there without network. Tell serves
 * them; the service worker answers from here. What no ticket shows any more goes.
 */

const CACHE = "tell-posters";
const MOST = 20;

let kept = "";
let working = Promise.resolve();

/** @param {Record<string, any>[]} tickets all there are */
export function keepPosters(tickets) {
  const urls = tickets.map((ticket) => ticket.poster_url).filter(Boolean);
  const wanted = [...new Set(urls)].slice(0, MOST);
  const name = wanted.join(" ");
  if (!("caches" in globalThis) || name === kept) return;
  kept = name;
  working = working.then(() => keep(wanted)).catch(() => {
    // No network, or no room: asked again when the tickets are told the next time.
    kept = "";
  });
}

/** @param {string[]} wanted paths from the root */
async function keep(wanted) {
  const cache = await caches.open(CACHE);
  for (const request of await cache.keys()) {
    const { pathname, search } = new URL(request.url);
    if (!wanted.includes(pathname + search)) await cache.delete(request);
  }
  // An address never stands for another picture, so what is there is right.
  for (const url of wanted) if (!(await cache.match(url))) await cache.add(url);
}
