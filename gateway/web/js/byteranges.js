/** One byte range of a whole that is at hand (RFC 9110 14). Pure. */

/**
 * What a Range header asks of *size* bytes: the first byte and the one after the last. `null` asks
 * for the whole: no header, several ranges, or one that is not understood (RFC 9110 14.2 lets a
 * server pass over it).
 * @param {string | null} header @param {number} size
 * @returns {{ start: number, end: number } | null | "unsatisfiable"}
 */
export function byteRange(header, size) {
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return null;
  if (match[1] === "") {
    // The last so many bytes (RFC 9110 14.1.2); none of them cannot be sent.
    const length = Number(match[2]);
    return length === 0 || size === 0
      ? "unsatisfiable"
      : { start: Math.max(0, size - length), end: size };
  }
  const start = Number(match[1]);
  const last = match[2] === "" ? size - 1 : Number(match[2]);
  if (last < start && match[2] !== "") return null;
  return start >= size ? "unsatisfiable" : { start, end: Math.min(last + 1, size) };
}
