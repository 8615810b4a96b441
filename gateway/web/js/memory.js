/** What this device remembers. A browser that keeps nothing still works until the page closes. */

/** What could not be stored: newer than what is. @type {Map<string, string>} */
const fallback = new Map();

export const memory = {
  /** @param {string} key @returns {string | null} */
  get(key) {
    const unstored = fallback.get(key);
    if (unstored !== undefined) return unstored;
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  },

  /** @param {string} key @param {string} value */
  set(key, value) {
    try {
      localStorage.setItem(key, value);
      // Another page may write it from now on.
      fallback.delete(key);
    } catch {
      // Private browsing, or storage full.
      fallback.set(key, value);
    }
  },

  /** @param {string} key */
  remove(key) {
    fallback.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      // As above.
    }
  },

  /** Forget everything that Tell wrote on this device. */
  clear() {
    fallback.clear();
    try {
      const ours = Object.keys(localStorage).filter((key) => key.startsWith("tell."));
      for (const key of ours) localStorage.removeItem(key);
    } catch {
      // As above.
    }
  },
};
