import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { ApiError } from "../../gateway/web/js/api.js";
import { Claiming, LISTENER_KEY } from "../../gateway/web/js/claiming.js";

/** Tell as far as a claim goes: each answer in its turn, an error where it is one. */
class Tell {
  token = "known";
  asked = [];

  constructor(...answers) {
    this.answers = answers;
  }

  use(token) {
    this.token = token;
  }

  async claim(code, nonce) {
    this.asked.push({ code, nonce, token: this.token });
    const answer = this.answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  }
}

const FIRST = { listener_token: "one", ticket: { correlation_id: "a" } };
const SECOND = { listener_token: "two", ticket: { correlation_id: "b" } };
let kept;
let memory;

beforeEach(() => {
  kept = new Map();
  memory = {
    get: (key) => kept.get(key) ?? null,
    set: (key, value) => kept.set(key, value),
    remove: (key) => kept.delete(key),
  };
});

test("what was asked already is not asked again, and only once", async () => {
  const tell = new Tell(FIRST, SECOND);
  const claiming = new Claiming(tell, memory);
  claiming.begin("code");
  assert.equal(await claiming.claim("code"), FIRST);
  assert.equal(tell.asked.length, 1);
  assert.equal(kept.get(LISTENER_KEY), "one");
  assert.equal(await claiming.claim("code"), SECOND);
  assert.equal(tell.asked.length, 2);
});

test("another link is another claim", async () => {
  const tell = new Tell(FIRST, SECOND);
  const claiming = new Claiming(tell, memory);
  claiming.begin("code");
  assert.equal(await claiming.claim("other"), SECOND);
  assert.deepEqual(
    tell.asked.map(({ code }) => code),
    ["code", "other"],
  );
});

test("one phone is one device, whatever it claims", async () => {
  const tell = new Tell(FIRST, SECOND);
  const claiming = new Claiming(tell, memory);
  await claiming.claim("code");
  await claiming.claim("other");
  assert.equal(tell.asked[0].nonce, tell.asked[1].nonce);
  assert.ok(tell.asked[0].nonce.length >= 16);
});

test("a listener that Tell forgot does not stand in the way of a good link", async () => {
  kept.set(LISTENER_KEY, "forgotten");
  const tell = new Tell(new ApiError("token-refused", 401), FIRST);
  assert.equal(await new Claiming(tell, memory).claim("code"), FIRST);
  assert.deepEqual(
    tell.asked.map(({ token }) => token),
    ["known", null],
  );
});

test("what fails early is said where it is waited for, and kept nowhere", async () => {
  const claiming = new Claiming(new Tell(new ApiError("claim-refused", 403)), memory);
  claiming.begin("code");
  await assert.rejects(claiming.claim("code"), { code: "claim-refused" });
  assert.equal(kept.get(LISTENER_KEY), undefined);
});
