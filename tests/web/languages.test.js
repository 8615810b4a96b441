import assert from "node:assert/strict";
import { test } from "node:test";

import { directionOf, localeOf, match } from "../../gateway/web/js/languages.js";

test("the nearest of what is offered, in the order in which she wants it", () => {
  assert.equal(match(["en", "es"], ["es-MX", "en-US"]), "es");
  assert.equal(match(["en-GB", "es-419"], ["es-MX"]), "es-419");
  assert.equal(match(["zh-Hans", "zh"], ["zh-Hans-CN"]), "zh-Hans");
  assert.equal(match(["EN"], ["en-US"]), "EN");
  assert.equal(match(["en", "fr"], ["de", "it"]), null);
  assert.equal(match([], ["en"]), null);
  assert.equal(match(["en"], []), null);
});

test("the app speaks what she chose, with the region of her phone", () => {
  const offered = ["en", "es"];
  assert.equal(localeOf(offered, "es", ["en-US", "es-MX"]), "es-MX");
  assert.equal(localeOf(offered, "es", ["en-US"]), "es");
  assert.equal(localeOf(offered, null, ["fr-CA", "es-US", "en-US"]), "es-US");
  assert.equal(localeOf(offered, null, ["fr"]), "en");
  assert.equal(localeOf(offered, "xx", ["fr"]), "en");
});

test("which way a language is written", () => {
  assert.equal(directionOf("ar-EG"), "rtl");
  assert.equal(directionOf("he"), "rtl");
  assert.equal(directionOf("es-MX"), "ltr");
});
