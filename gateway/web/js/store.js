/**
 * The downloaded tracks on this phone: files of the origin's private file system, named by their
 * digest. A track counts as whole when a mark lies beside it, which is written after the digest was
 * found right and removed before anything else is done to the file. Works in pages and workers.
 */

const FOLDER = "tracks";
/** Where the service worker serves a whole track; Tell itself has nothing there. */
const ADDRESS = "/downloads/";

/** @param {string} sha256 @returns {string} path from the root */
export function addressOf(sha256) {
  return `${ADDRESS}${sha256}.mp4`;
}

/** Where its Media Playlist is. @param {string} sha256 @returns {string} path from the root */
export function playlistAddressOf(sha256) {
  return `${ADDRESS}${sha256}.m3u8`;
}

/**
 * What of which track a path asks for; null where it is none of these.
 * @param {string} path @returns {{ sha256: string, what: string } | null}
 */
export function askedBy(path) {
  const [, sha256, what] = /^\/downloads\/([0-9a-f]{64})\.(mp4|m3u8)$/.exec(path) ?? [];
  return what ? { sha256, what } : null;
}

/** Whether this browser can keep tracks at all. */
export function canKeep() {
  return (
    typeof navigator.storage?.getDirectory === "function" &&
    typeof FileSystemFileHandle !== "undefined"
  );
}

async function folder() {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create: true });
}

/** The file of a track, made where it is missing. @param {string} sha256 */
export async function fileHandle(sha256) {
  return (await folder()).getFileHandle(`${sha256}.mp4`, { create: true });
}

/** Write the mark. @param {string} sha256 */
export async function markWhole(sha256) {
  await (await folder()).getFileHandle(`${sha256}.whole`, { create: true });
}

/** Remove the mark: from now on the track is not played. @param {string} sha256 */
export async function unmark(sha256) {
  await removeEntry(`${sha256}.whole`);
}

/**
 * The bytes of a whole track, null where it is not there or not whole. Nothing is read yet.
 * @param {string} sha256
 * @returns {Promise<globalThis.File | null>}
 */
export async function wholeFile(sha256) {
  try {
    const tracks = await folder();
    await tracks.getFileHandle(`${sha256}.whole`);
    return await (await tracks.getFileHandle(`${sha256}.mp4`)).getFile();
  } catch {
    // Missing, or a browser that keeps nothing in this mode (private windows): the same to us.
    return null;
  }
}

/** Keep the track's Media Playlist, which says where its segments are. @param {string} sha256 @param {string} text */
export async function keepPlaylist(sha256, text) {
  const handle = await (await folder()).getFileHandle(`${sha256}.m3u8`, { create: true });
  // In place and by a lock: only a worker may, and Safari knows no other way.
  const file = await /** @type {any} */ (handle).createSyncAccessHandle();
  try {
    const bytes = new TextEncoder().encode(text);
    file.truncate(0);
    file.write(bytes, { at: 0 });
    file.flush();
  } finally {
    file.close();
  }
}

/** The kept playlist, null where there is none. @param {string} sha256 @returns {Promise<string | null>} */
export async function playlist(sha256) {
  try {
    const handle = await (await folder()).getFileHandle(`${sha256}.m3u8`);
    return await (await handle.getFile()).text();
  } catch {
    return null;
  }
}

/** Remove a track and its mark. @param {string} sha256 */
export async function remove(sha256) {
  await unmark(sha256);
  await removeEntry(`${sha256}.m3u8`);
  await removeEntry(`${sha256}.mp4`);
}

/** Remove what no ticket knows of. @param {Set<string>} known digests to keep */
export async function removeOthers(known) {
  const names = [];
  // @ts-expect-error async iteration of directories is not in every type library yet
  for await (const name of (await folder()).keys()) names.push(name);
  for (const name of names) if (!known.has(name.split(".")[0])) await removeEntry(name);
}

/** @param {string} name */
async function removeEntry(name) {
  try {
    await (await folder()).removeEntry(name);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "NotFoundError") throw error;
  }
}
