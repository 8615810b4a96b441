import assert from "node:assert/strict";
import { test } from "node:test";

import { isWebKit } from "../../gateway/web/js/device.js";

test("WebKit's media are known by what it alone has", () => {
  const webkitShowPlaybackTargetPicker = () => {};
  assert.equal(isWebKit({ webkitShowPlaybackTargetPicker }), true);
  assert.equal(isWebKit({ captureStream: () => {} }), false);
  assert.equal(isWebKit({ mozCaptureStream: () => {} }), false);
  assert.equal(isWebKit({ webkitShowPlaybackTargetPicker, captureStream: () => {} }), false);
  assert.equal(isWebKit({}), false);
});
