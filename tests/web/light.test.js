import assert from "node:assert/strict";
import { test } from "node:test";

import { isFar, Light } from "../../gateway/web/js/light.js";

const HOUR = 3_600_000;
const NOW = Date.now();
const ticket = (startsInH) => ({
  previews_start: new Date(NOW + startsInH * HOUR - 20 * 60_000).toISOString(),
  movie_start: new Date(NOW + startsInH * HOUR).toISOString(),
  credits_end: new Date(NOW + (startsInH + 2) * HOUR).toISOString(),
  auditorium_number: "7",
});

test("a film is near from an hour before its previews until half an hour after its credits", () => {
  for (const [startsInH, far] of [[1.5, true], [1.2, false], [0, false], [-2.4, false], [-2.6, true]]) {
    assert.equal(isFar([ticket(9), ticket(startsInH)], NOW), far, String(startsInH));
  }
  assert.equal(isFar([], NOW), true);
  assert.equal(isFar([{ movie_start: null }], NOW), false, "not enriched: it may run");
});

/** A page in a scheme, as far as Light sees one. */
function page(light) {
  const classes = new Set();
  globalThis.matchMedia = () => ({ matches: light });
  const meta = { content: "#000000", setAttribute: (_, value) => (meta.content = value) };
  const classList = {
    add: (name) => classes.add(name),
    remove: (name) => classes.delete(name),
    contains: (name) => classes.has(name),
  };
  return { root: { classList }, meta, isLight: () => classes.has("daylight") };
}

test("it begins dark, and lights up only where nothing is near", () => {
  const { root, meta, isLight } = page(true);
  const light = new Light(root, meta, () => new Promise(() => {}));
  assert.equal(isLight(), false);
  light.take([ticket(9)]);
  assert.equal(isLight(), true);
  assert.equal(meta.content, "#fffaf0");
});

test("once dark it stays dark, whatever is told later", () => {
  const { root, meta, isLight } = page(true);
  const light = new Light(root, meta, () => new Promise(() => {}));
  light.take([ticket(0)]);
  light.take([]);
  assert.equal(isLight(), false);
  assert.equal(meta.content, "#000000");
});

test("a film that comes near darkens the page by itself", async () => {
  const { root, meta, isLight } = page(true);
  const ticks = [];
  const light = new Light(root, meta, () => new Promise((resolve) => ticks.push(resolve)));
  const tickets = [ticket(9)];
  light.take(tickets);
  tickets[0] = ticket(0.5);
  ticks.shift()();
  await Promise.resolve();
  assert.equal(isLight(), false);
});
