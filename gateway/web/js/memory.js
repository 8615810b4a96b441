/** What this device remembers. A browser that keeps nothing still works until the page closes. */

/** @type {Map<string, string>} */
const fallback = new Map();

export const memory = {
  /** @param {string} key @returns {string | null} */
  get(key) {
    try {
      return localStorage.getItem(key) ?? fallback.get(key) ?? null;
    } catch {
      return fallback.get(key) ?? null;
    }
  },

  /** @param {string} key @param {string} value */
  set(key, value) {
    fallback.set(key, value);
    try {
      localStorage.setItem(key, value);
    } catch {
      // Private browsing, or storage full: the map above has it.
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
