import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { LANGUAGES, Messages } from "../../gateway/web/js/messages.js";
import { changeInWords, describe, when } from "../../gateway/web/js/wording.js";

const WEB = new URL("../../gateway/web/", import.meta.url);
const ENGLISH = JSON.parse(readFileSync(new URL("messages/en.json", WEB), "utf8"));
const messages = new Messages("en-US", ENGLISH);
const MINUTE = 60_000;

test("a span has two units at most, and seconds only in the last two minutes", () => {
  const cases = [
    [0, "0 seconds"],
    [1000, "1 second"],
    [61_000, "1 minute 1 second"],
    [2 * MINUTE, "2 minutes"],
    [12 * MINUTE + 30_000, "12 minutes"],
    [61 * MINUTE, "1 hour 1 minute"],
    [30 * 60 * MINUTE, "30 hours"],
    [72 * 60 * MINUTE, "3 days"],
  ];
  for (const [ms, words] of cases) assert.equal(messages.span(ms), words);
});

test("times are the theater's, and a cinema's day ends at 04:00", () => {
  const now = Date.parse("2026-11-22T23:00:00Z"); // 18:00 in New York
  const zone = "America/New_York";
  const time = (text) => messages.time(Date.parse(text), zone).replace("\u202f", " ");
  const day = (text) => messages.otherDay(Date.parse(text), zone, now);
  assert.equal(time("2026-11-23T00:30:00Z"), "7:30 PM");
  assert.equal(day("2026-11-23T00:30:00Z"), null);
  assert.equal(time("2026-11-23T06:30:00Z"), "1:30 AM");
  assert.equal(day("2026-11-23T06:30:00Z"), null);
  assert.equal(day("2026-11-24T00:30:00Z"), "Monday, November 23");
  assert.equal(day("2026-11-24T06:30:00Z"), "Monday, November 23");
});

test("how far the film is, in words", () => {
  const times = { previewsStartMs: 0, movieStartMs: 20 * MINUTE, creditsEndMs: 120 * MINUTE };
  assert.equal(when(messages, times, 17 * MINUTE), "The film starts in 3 minutes.");
  assert.equal(when(messages, times, 20 * MINUTE + 5), "The film is starting.");
  assert.equal(when(messages, times, 32 * MINUTE + 59_000), "The film started 12 minutes ago.");
});

test("a ticket without a title is named by its film's id", () => {
  const ticket = {
    title: null,
    movie_id: "one-week",
    poster_url: null,
    theater_name: "Lakeshore 10",
    time_zone: "America/Chicago",
    auditorium_number: "7",
    previews_start: "2026-11-22T19:10:00Z",
    movie_start: "2026-11-22T19:30:00Z",
    credits_end: "2026-11-22T21:00:00Z",
  };
  const shown = describe(messages, ticket, Date.parse("2026-11-22T19:00:00Z"));
  assert.equal(shown.title, "one-week");
  assert.deepEqual(shown.places, [["Theater", "Lakeshore 10"]]);
  assert.deepEqual(shown.facts[0], ["Auditorium", "7"]);
});

test("an unknown key is a bug, not an empty sentence", () => {
  assert.throws(() => messages.text("no.such"), /no message no\.such/);
});

test("every message that the code names is there, and none is left over", () => {
  const code = readdirSync(new URL("js/", WEB))
    .map((name) => readFileSync(new URL(`js/${name}`, WEB), "utf8"))
    .join("\n");
  const named = new Set([...code.matchAll(/"([a-z]+\.[a-z-]+)"/g)].map((match) => match[1]));
  for (const prefix of ["opening", "none", "network", "too-many-requests", "too-many-devices"]) {
    assert.ok(`${prefix}.title` in ENGLISH && `${prefix}.text` in ENGLISH, prefix);
  }
  for (const name of named) {
    if (/^(span|time|ticket|when|button|status|announce|sync|app|tickets|settings|stored|erase|reports)\./.test(name)) {
      assert.ok(name in ENGLISH, name);
    }
  }
  // These are put together: by phase, and by screen.
  const composed = new RegExp(
    "^(when|status)\\.(upcoming|previews|feature|ended|cancelled)$|\\.(title|text)$" +
      "|^keep\\.|^ready\\.(missing\\.|sound-)|^settings\\.data-(auto|sparing|never)$",
  );
  for (const key of Object.keys(ENGLISH)) assert.ok(named.has(key) || composed.test(key), key);
});

test("a change that matters is said, and a tremble of the start is not", () => {
  const now = Date.parse("2026-11-23T00:30:00Z");
  const before = {
    previews_start: "2026-11-23T00:20:00Z",
    movie_start: "2026-11-23T00:40:00Z",
    credits_end: "2026-11-23T02:00:00Z",
    auditorium_number: "7",
  };
  const later = { ...before, movie_start: "2026-11-23T00:46:00Z" };
  const trembled = { ...before, movie_start: "2026-11-23T00:40:00.2Z" };
  assert.equal(changeInWords(messages, before, trembled, now), "");
  assert.match(changeInWords(messages, before, later, now), /16 minutes/);
  const elsewhere = { ...before, auditorium_number: "9" };
  assert.match(changeInWords(messages, before, elsewhere, now), /moved to auditorium 9/);
});

const LANGUAGE_FILES = readdirSync(new URL("messages/", WEB)).filter((name) => name !== "en.json");
const placeholders = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("each language has every message, with the same values in it", () => {
  assert.deepEqual(LANGUAGES.map((language) => `${language}.json`).sort(), ["en.json", ...LANGUAGE_FILES]);
  for (const name of LANGUAGE_FILES) {
    const other = JSON.parse(readFileSync(new URL(`messages/${name}`, WEB), "utf8"));
    assert.deepEqual(Object.keys(other).sort(), Object.keys(ENGLISH).sort());
    for (const [key, message] of Object.entries(ENGLISH)) {
      assert.equal(typeof other[key], typeof message, `${name} ${key}`);
      const forms = (entry) => (typeof entry === "string" ? [entry] : Object.values(entry));
      for (const form of forms(other[key])) {
        assert.deepEqual(placeholders(form), placeholders(forms(message)[0]), `${name} ${key}`);
        assert.notEqual(form.trim(), "", `${name} ${key}`);
      }
    }
  }
});

test("what counts has the forms that its language needs", () => {
  for (const language of LANGUAGES) {
    const file = new URL(`messages/${language}.json`, WEB);
    const rules = new Intl.PluralRules(language);
    const needed = new Set(Array.from({ length: 1000 }, (_, count) => rules.select(count)));
    for (const [key, message] of Object.entries(JSON.parse(readFileSync(file, "utf8")))) {
      if (typeof message === "string") continue;
      for (const form of needed) assert.ok(form in message, `${language} ${key} ${form}`);
      // What no form of its own is written for: a million, a half.
      assert.ok("other" in message, `${language} ${key}`);
    }
  }
});

test("Spanish says times, spans and numbers as Spanish does", () => {
  const spanish = JSON.parse(readFileSync(new URL("messages/es.json", WEB), "utf8"));
  const mexican = new Messages("es-MX", spanish);
  const zone = "America/New_York";
  assert.equal(mexican.span(61 * MINUTE), "1 hora 1 minuto");
  assert.match(mexican.time(Date.parse("2026-11-23T00:30:00Z"), zone), /^7:30\sp\.m\.$/);
  assert.equal(
    new Messages("es-ES", spanish).text("sync.clock", { ms: 1.5 }),
    "Tu reloj se conoce con un margen de 1,5 milisegundos.",
  );
  assert.equal(mexican.language("en"), "Inglés");
});
