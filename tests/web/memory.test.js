import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { memory } from "../../gateway/web/js/memory.js";

/** A browser's storage that is full, or not. */
class Storage {
  full = false;
  values = new Map();
  getItem = (key) => this.values.get(key) ?? null;
  removeItem = (key) => void this.values.delete(key);
  setItem = (key, value) => {
    if (this.full) throw new DOMException("full", "QuotaExceededError");
    this.values.set(key, value);
  };
}

afterEach(() => {
  memory.remove("tell.x");
  delete globalThis.localStorage;
});

function browser() {
  const storage = new Storage();
  Object.defineProperty(globalThis, "localStorage", { value: storage, configurable: true });
  return storage;
}

test("what could not be stored goes before what was stored earlier", () => {
  const storage = browser();
  memory.set("tell.x", "old");
  storage.full = true;
  memory.set("tell.x", "new");
  assert.equal(memory.get("tell.x"), "new");
  // Once there is room again what is stored is what counts, and another page may write it.
  storage.full = false;
  memory.set("tell.x", "newer");
  storage.values.set("tell.x", "another page's");
  assert.equal(memory.get("tell.x"), "another page's");
  memory.remove("tell.x");
  assert.equal(memory.get("tell.x"), null);
});

test("a browser that lets nothing be stored remembers until the page closes", () => {
  Object.defineProperty(globalThis, "localStorage", {
    get: () => {
      throw new DOMException("private", "SecurityError");
    },
    configurable: true,
  });
  memory.set("tell.x", "here");
  assert.equal(memory.get("tell.x"), "here");
});
