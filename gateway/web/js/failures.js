/** What a refusal of Tell means to her: which sentence is shown, and whether trying again helps. Pure. */

/**
 * @typedef {object} Failure
 * @property {string} name what the messages of its screen begin with
 * @property {boolean} retry whether there is a button to try again
 * @property {boolean} forgotten whether Tell no longer knows this phone
 */

/**
 * @param {{ code: string, status: number, correlationId: string }} error
 * @param {boolean} claiming whether a link was being opened
 * @returns {Failure}
 */
export function failureOf({ code, status, correlationId }, claiming) {
  const again = (/** @type {string} */ name) => ({ name, retry: true, forgotten: false });
  const final = (/** @type {string} */ name) => ({ name, retry: false, forgotten: false });
  if (code === "network") return again("network");
  if (status === 429) return again("too-many-requests");
  if (code === "too-many-devices") return again("too-many-devices");
  if (claiming && status < 500) return final("claim-refused");
  if (status === 401) return { ...final("gone"), forgotten: true };
  if (status === 404) return final("gone");
  return again(correlationId ? "unknown" : "down");
}
