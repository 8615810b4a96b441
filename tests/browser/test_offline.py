"""Downloads in a real browser: cut, damaged, served by ranges; the app's own new versions."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from demo.browser import LISTEN, STOP
from tests.browser.axe import violations_in_all_looks
from tests.browser.faulty import Fault, Faulty, faulty_way
from tests.browser.listening import PATIENCE_S, listen
from tests.browser.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

RUNNING = timedelta(minutes=-12)
WHOLE = "Ready, also without network."
DAMAGED = "The download was damaged. It is being fetched again."

# Digest of the one track that lies on the phone, by the browser's own arithmetic.
_DIGEST = """async () => {
  const tracks = await (await navigator.storage.getDirectory()).getDirectoryHandle("tracks");
  for await (const [name, handle] of tracks) {
    if (!name.endsWith(".mp4")) continue;
    const bytes = await (await handle.getFile()).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return [name.split(".")[0], hex];
  }
}"""
_CUT_BYTES = 100_000
# Once so many bytes of it are on the phone.
_GROWN = """async (bytes) => {
  for (;;) {
    const root = await navigator.storage.getDirectory();
    const tracks = await root.getDirectoryHandle("tracks", { create: true });
    for await (const [name, handle] of tracks) {
      if (name.endsWith(".mp4") && (await handle.getFile()).size >= bytes) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}"""
_FLIP = """async () => {
  const tracks = await (await navigator.storage.getDirectory()).getDirectoryHandle("tracks");
  for await (const [name, handle] of tracks) {
    if (!name.endsWith(".mp4")) continue;
    const at = 500000;
    const byte = new Uint8Array(await (await handle.getFile()).slice(at, at + 1).arrayBuffer());
    byte[0] ^= 1;
    const out = await handle.createWritable({ keepExistingData: true });
    await out.write({ type: "write", position: at, data: byte });
    await out.close();
  }
}"""
_RANGE = """async ([sha256, range]) => {
  const headers = range ? { Range: range } : {};
  const response = await fetch(`/downloads/${sha256}.mp4`, { headers });
  const length = (await response.arrayBuffer()).byteLength;
  return [response.status, response.headers.get("Content-Range"), length];
}"""
_STREAM_ALONE = "localStorage['tell.data-use'] = 'never';"
_CONTROLLED = "() => navigator.serviceWorker.ready.then(() => true)"


@pytest_asyncio.fixture(loop_scope="session")
async def way(world: World) -> AsyncIterator[Faulty]:
    """A way to Tell that breaks downloads as the test asks."""
    async with faulty_way(world.tell.url) as made:
        yield made


def track_line(page: Page) -> Locator:
    """What the readiness check says of the track."""
    return page.locator("[data-about=track]")


async def assert_digest_is_right(page: Page) -> str:
    """The file on the phone is what its name says; returns the digest."""
    name, digest = await page.evaluate(_DIGEST)
    assert name == digest
    return str(digest)


async def assert_accessible_opened(page: Page) -> None:
    """Nothing for axe in the readiness check, unfolded."""
    await page.locator("details.readiness > summary").click()
    assert await violations_in_all_looks(page) == {}


async def test_a_download_that_is_cut_ten_times_resumes(
    world: World, way: Faulty, page: Page
) -> None:
    """Each try goes on where the last one ended, and the digest of what came is right."""
    faults = [Fault(cut_after=_CUT_BYTES) for _ in range(10)]
    way.faults = list(faults)
    sale = await world.sell(RUNNING)
    await page.goto(way.through(sale.listen_url))
    for number, fault in enumerate(faults, 1):
        async with asyncio.timeout(PATIENCE_S):
            await page.evaluate(_GROWN, number * _CUT_BYTES)
        if number == 1:
            await expect(track_line(page)).to_contain_text("is being downloaded: ")
            await assert_accessible_opened(page)
        fault.cut.set()
    await expect(track_line(page)).to_have_text(WHOLE)
    assert way.asked == [number * _CUT_BYTES for number in range(11)]
    await assert_digest_is_right(page)


async def test_a_byte_that_is_flipped_on_the_way_is_found(
    world: World, way: Faulty, page: Page
) -> None:
    """It is said, all is fetched again, and only then is it called ready."""
    release = asyncio.Event()
    way.faults = [Fault(flip=700_001), Fault(held_by=release)]
    sale = await world.sell(RUNNING)
    await page.goto(way.through(sale.listen_url))
    await expect(track_line(page)).to_have_text(DAMAGED)
    await assert_accessible_opened(page)
    release.set()
    await expect(track_line(page)).to_have_text(WHOLE)
    assert way.asked == [0, 0]
    await assert_digest_is_right(page)


async def test_a_byte_that_is_flipped_on_the_phone_is_found_on_show_day(
    world: World, way: Faulty, page: Page
) -> None:
    """The next visit looks the file through: said, announced, and fetched again."""
    sale = await world.sell(timedelta(hours=3))
    await page.goto(way.through(sale.listen_url))
    await expect(track_line(page)).to_have_text(WHOLE)
    await page.evaluate(_FLIP)
    release = asyncio.Event()
    way.faults = [Fault(held_by=release)]
    await page.reload()
    await expect(track_line(page)).to_have_text(DAMAGED)
    await expect(page.locator("#announcer")).to_have_text(DAMAGED)
    release.set()
    await expect(track_line(page)).to_have_text(WHOLE)
    await assert_digest_is_right(page)


async def test_the_service_worker_serves_the_track_by_ranges(world: World, page: Page) -> None:
    """206 with the bytes that were asked, 200 for the whole, 416 and 404 where there is nothing."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(track_line(page)).to_have_text(WHOLE)
    await page.evaluate(_CONTROLLED)
    digest = await assert_digest_is_right(page)
    notes = json.loads(await page.evaluate("localStorage['tell.downloads']"))
    size = notes[0]["sizeBytes"]
    ask = [
        (None, [200, None, size]),
        ("bytes=0-", [206, f"bytes 0-{size - 1}/{size}", size]),
        ("bytes=1000-1999", [206, f"bytes 1000-1999/{size}", 1000]),
        (f"bytes={size}-", [416, f"bytes */{size}", 0]),
    ]
    for header, expected in ask:
        assert await page.evaluate(_RANGE, [digest, header]) == expected
    assert (await page.evaluate(_RANGE, ["0" * 64, None]))[0] == 404


async def test_a_phone_that_is_full(world: World, page: Page) -> None:
    """It says what to free, plays by the network, and downloads once there is room and she asks."""
    protocol = await page.context.new_cdp_session(page)
    quota = {"origin": world.tell.url}
    await page.goto(f"{world.tell.url}/listen")
    await protocol.send("Storage.overrideQuotaForOrigin", {**quota, "quotaSize": 300_000})
    try:
        sale = await world.sell(RUNNING)
        await page.goto(sale.listen_url)
        track = page.locator("[data-about=track]")
        await expect(track).to_have_text(
            re.compile(r"^There is no room for the download\. Free \d+ megabytes? on this phone;")
        )
        await listen(page)
        await assert_accessible_opened(page)
    finally:
        await protocol.send("Storage.overrideQuotaForOrigin", quota)
    await page.get_by_role("button", name="Download it now").click()
    await expect(track).to_have_text(WHOLE)


async def test_the_worker_is_asked_for_nothing_that_it_does_not_answer(
    world: World, page: Page
) -> None:
    """Tell's answers, the clock's and the streams pass it by; the app's own files do not."""
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await page.evaluate(_CONTROLLED)
    asked = await page.evaluate("""async () => {
      const worker = navigator.serviceWorker;
      await new Promise((resolve) => {
        worker.addEventListener("controllerchange", resolve);
        if (worker.controller) resolve();
      });
      // The app clears the list of them after each look at the clock; who observes has them first.
      const paths = ["/time?nonce=x", "/tell/nothing", "/stream/x/y.mp4", "/app/css/tell.css?x"];
      const seen = new Map();
      const all = new Promise((resolve) => {
        const look = (list) => {
          for (const { name, workerMatchedSourceType } of list.getEntries()) {
            seen.set(name.slice(location.origin.length), workerMatchedSourceType);
          }
          if (paths.every((path) => seen.has(path))) resolve();
        };
        new PerformanceObserver(look).observe({ type: "resource" });
      });
      for (const path of paths) await (await fetch(path)).arrayBuffer();
      await all;
      return paths.map((path) => seen.get(path));
    }""")
    assert asked == ["network", "network", "network", ""]


async def test_a_new_version_waits_until_nobody_listens(
    world: World, way: Faulty, page: Page
) -> None:
    """Fetched beside the running one, it takes over after Stop, and the film is not disturbed."""
    # From the stream: a worker that has given out a download's bytes is let finish by Chromium, for
    # up to five minutes, before another one takes over.
    await page.add_init_script(_STREAM_ALONE)
    # The track begins at minute 11 of the film and lasts for six.
    sale = await world.sell(RUNNING)
    await page.goto(way.through(sale.listen_url))
    await page.evaluate(_CONTROLLED)
    await listen(page)
    way.worker_suffix = b"\n// a new version\n"
    waiting = await page.evaluate("""async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      const coming = registration.installing ?? registration.waiting;
      await new Promise((resolve) => {
        const look = () => coming.state === "installed" && resolve();
        coming.addEventListener("statechange", look);
        look();
      });
      document.dispatchEvent(new Event("visibilitychange"));
      await navigator.locks.request("tell-test", () => {});
      window.coming = coming;
      return coming.state;
    }""")
    assert waiting == "installed"
    assert not await page.evaluate("document.getElementById('sound').paused")
    await page.get_by_role("button", name=STOP, exact=True).click()
    state = await page.evaluate("""() => new Promise((resolve) => {
      const look = () => window.coming.state === "activated" && resolve("activated");
      window.coming.addEventListener("statechange", look);
      look();
    })""")
    assert state == "activated"
    await page.get_by_role("button", name=LISTEN, exact=True).click()
    # Chromium takes minutes for that at times, and the track lasts for six.
    goes_on = re.compile("Playing|The description has ended")
    await expect(page.locator("#status")).to_contain_text(goes_on)


async def test_a_page_without_its_worker_stays_with_the_stream(world: World, page: Page) -> None:
    """A whole download is played by ranges or not at all while there is network.

    As a plain file, Chromium leaves out five fragments after some seeks, and does not show it.
    """
    await page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'serviceWorker', { get: () => undefined })"
    )
    sale = await world.sell(RUNNING)
    await page.goto(sale.listen_url)
    await expect(track_line(page)).to_have_text(WHOLE)
    await listen(page)
    assert await page.locator("#sound").get_attribute("data-source") == "stream"


async def test_the_readiness_check_ends_in_one_line(world: World, page: Page) -> None:
    """Before the film: the track is here, the clock is known, she hears the test: ready."""
    sale = await world.sell(timedelta(hours=3))
    await page.goto(sale.listen_url)
    check = page.locator("details.readiness")
    await expect(track_line(page)).to_have_text(WHOLE)
    line = check.locator("summary")
    await expect(line).to_have_text(
        re.compile(r"^Not ready yet for \d+:\d\d [AP]M, auditorium \d+: test the sound$")
    )
    await line.focus()
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Test the sound").click()
    question = page.get_by_role("group", name="Did you hear three rising tones?")
    await expect(question.get_by_role("button", name="Yes, I heard them")).to_be_focused()
    await question.get_by_role("button", name="No", exact=True).click()
    await expect(check).to_contain_text("Turn the volume up")
    await page.get_by_role("button", name="Test the sound").click()
    await question.get_by_role("button", name="Yes, I heard them").click()
    ready = re.compile(r"^Ready for \d+:\d\d [AP]M, auditorium \d+$")
    await expect(line).to_have_text(ready)
    await page.get_by_role("button", name="Check again").click()
    await expect(page.locator("#announcer")).to_have_text(ready)
