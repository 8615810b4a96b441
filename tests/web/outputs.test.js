import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { Adjustments } from "../../gateway/web/js/adjustments.js";
import { currentOutput, watchOutputs } from "../../gateway/web/js/outputs.js";

const real = Object.getOwnPropertyDescriptor(globalThis, "navigator");
afterEach(() => {
  // Older Nodes have none.
  if (real) Object.defineProperty(globalThis, "navigator", real);
  else delete globalThis.navigator;
});

/** A browser whose default output is of that name, or that tells no name. */
class MediaDevices extends EventTarget {
  label = "";
  groupId = "";
  enumerateDevices = async () => [
    { kind: "audioinput", deviceId: "default", groupId: "m", label: "Microphone" },
    { kind: "audiooutput", deviceId: "default", groupId: this.groupId, label: this.label },
  ];

  change(label) {
    this.label = label;
    this.dispatchEvent(new Event("devicechange"));
  }
}

function browser(mediaDevices) {
  Object.defineProperty(globalThis, "navigator", { value: { mediaDevices }, configurable: true });
  return mediaDevices;
}

const settled = () => new Promise((done) => setImmediate(done));

test("each output that the browser names keeps a trim of its own", async () => {
  const devices = browser(new MediaDevices());
  devices.label = "Speaker";
  const kept = new Map();
  let changes = 0;
  const adjustments = new Adjustments({
    memory: {
      get: (key) => kept.get(key) ?? null,
      set: (key, value) => kept.set(key, value),
      remove: (key) => kept.delete(key),
    },
    ticketId: "t",
    currentOutput,
    watchOutputs,
    onChange: () => (changes += 1),
  });
  await settled();
  adjustments.setTrim(20);
  devices.change("Buds");
  await settled();
  assert.equal(adjustments.trimMs, 0);
  adjustments.setTrim(180);
  devices.change("Speaker");
  await settled();
  assert.equal(adjustments.trimMs, 20);
  devices.change("Buds");
  await settled();
  assert.equal(adjustments.trimMs, 180);
  // Two set, three changes of the output: each moves the sound.
  assert.equal(changes, 5);
  adjustments.close();
  devices.change("Speaker");
  await settled();
  assert.equal(adjustments.trimMs, 180);
});

test("outputs without names, or a browser that tells of none, share one trim", async () => {
  browser(new MediaDevices());
  assert.equal(await currentOutput(), "default");
  browser(undefined);
  assert.equal(await currentOutput(), "default");
  watchOutputs(() => {})();
  browser({
    enumerateDevices: async () => {
      throw new DOMException("by policy", "NotAllowedError");
    },
  });
  assert.equal(await currentOutput(), "default");
});
