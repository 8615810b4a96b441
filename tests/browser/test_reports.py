"""What the app tells Tell of its sound: it comes, it is right, and one switch ends it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from playwright.async_api import BrowserContext, Page, Request, expect

from demo.browser import LISTEN, PATIENCE_MS, STOP
from demo.chain import Sale
from tests.browser.listening import PATIENCE_S, listen
from tests.browser.world import World

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("world"),
]

_PATH = "/tell/playback"
_PLAYING = timedelta(minutes=-12)
# Reports that come closer together than two seconds would say the same, so the app leaves them out;
# no event tells that the time is over.
_APART_MS = 2100
# The stream alone: which of the two would be heard by then is not this test's affair.
_NO_DOWNLOAD = "localStorage.setItem('tell.data-use', 'never')"
_COUNT = "tell_playback_sync_error_seconds_count"


async def _listen(page: Page, sale: Sale) -> None:
    await page.add_init_script(_NO_DOWNLOAD)
    await page.goto(sale.listen_url)
    await listen(page)


async def _measured(page: Page) -> None:
    """Wait until the app knows how far off its sound is."""
    measure = page.locator("details.sync")
    if await measure.get_attribute("open") is None:
        await measure.locator("summary").click()
    await expect(measure.get_by_role("listitem").first).to_contain_text("Tell's clock")


async def _erase(page: Page) -> None:
    await page.get_by_role("button", name="Settings", exact=True).click()
    await page.get_by_role("button", name="Erase everything", exact=True).click()
    await page.get_by_role("button", name="Yes, erase everything").click()


def _row(world: World, sale: Sale) -> dict[str, Any] | None:
    """What Tell has of that ticket's sound."""
    with closing(sqlite3.connect(world.folder / "tell.db")) as database:
        database.row_factory = sqlite3.Row
        row = database.execute(
            "SELECT playback_states.* FROM playback_states"
            " JOIN purchases ON purchases.id = playback_states.purchase_id"
            " WHERE correlation_id = ?",
            (sale.correlation_id,),
        ).fetchone()
        return None if row is None else dict(row)


async def _row_after(world: World, sale: Sale, reported_at: int) -> None:
    """Wait for a later report, from whatever page: one that is closed tells no more of its own."""
    async with asyncio.timeout(PATIENCE_S):
        while (row := _row(world, sale)) is None or row["reported_at"] <= reported_at:  # noqa: ASYNC110
            # It is written in another process.
            await asyncio.sleep(0.05)


async def _counted(world: World, source: str) -> float:
    """How many reports of that source the metrics have."""
    async with (
        aiohttp.ClientSession(world.tell.url) as session,
        session.get("/metrics") as response,
    ):
        text = await response.text()
    lines = [line for line in text.splitlines() if line.startswith(f'{_COUNT}{{source="{source}"')]
    return float(lines[0].rpartition(" ")[2]) if lines else 0.0


async def test_a_report_while_she_listens_and_one_at_stop(world: World, page: Page) -> None:
    """In Tell's database and metrics, with the figures that she could read; told anew at Stop."""
    sale = await world.sell(_PLAYING)
    before = await _counted(world, "hls")
    async with page.expect_response(f"**{_PATH}", timeout=PATIENCE_MS) as coming:
        await _listen(page, sale)
    answer = await coming.value
    assert answer.status == 204
    row = _row(world, sale)
    assert row is not None
    told = answer.request.post_data_json
    assert told is not None
    assert told["correlation_id"] == sale.correlation_id
    names = ("source", "rendition", "phase", "error_ms", "bound_ms", "rebuffers")
    assert {name: told[name] for name in names} == {name: row[name] for name in names}
    assert (row["source"], row["phase"]) == ("hls", "feature")
    assert row["rendition"] in {"aac-32k", "aac-64k"}
    # How small they are is held where the sound is heard alone: test_sound.py.
    assert row["bound_ms"] > 0
    assert await _counted(world, "hls") == before + 1
    await page.wait_for_timeout(_APART_MS)
    async with page.expect_response(f"**{_PATH}", timeout=PATIENCE_MS) as coming:
        await page.get_by_role("button", name=STOP, exact=True).click()
    assert (await coming.value).status == 204
    at_stop = _row(world, sale)
    assert at_stop is not None
    assert at_stop["reported_at"] > row["reported_at"]


async def test_a_download_s_last_report_outlives_the_page(
    world: World, device: BrowserContext, page: Page
) -> None:
    """It is told as what it is; left in mid-film, it arrives though nobody waits for its answer."""
    sale = await world.sell(_PLAYING)
    await page.goto(sale.listen_url)
    await expect(page.locator("[data-about=track]")).to_have_text("Ready, also without network.")
    async with page.expect_response(f"**{_PATH}", timeout=PATIENCE_MS) as coming:
        await listen(page)
    told = (await coming.value).request.post_data_json
    assert told is not None
    assert (told["source"], told["rendition"]) == ("download", "aac-64k")
    row = _row(world, sale)
    assert row is not None
    await page.wait_for_timeout(_APART_MS)
    await page.goto(world.amc.url)
    await _row_after(world, sale, row["reported_at"])


async def test_the_switch_ends_it(world: World, page: Page) -> None:
    """Off, nothing is told while she listens, nor at Stop, nor when she leaves."""
    sale = await world.sell(_PLAYING)
    told: list[Request] = []
    page.on("request", lambda one: told.append(one) if one.url.endswith(_PATH) else None)
    await page.add_init_script("localStorage.setItem('tell.reports', 'off')")
    await _listen(page, sale)
    await _measured(page)
    await page.get_by_role("button", name=STOP, exact=True).click()
    await listen(page)
    await _measured(page)
    await page.goto(f"{world.tell.url}/listen")
    await page.get_by_role("button", name=LISTEN, exact=True).wait_for()
    assert told == []
    assert _row(world, sale) is None


async def test_no_report_after_she_erased_everything(world: World, page: Page) -> None:
    """What plays when she has herself forgotten is told of by nobody."""
    sale = await world.sell(_PLAYING)
    await _listen(page, sale)
    await _measured(page)
    told: list[Request] = []
    async with page.expect_response("**/tell/listener"):
        await _erase(page)
    page.on("request", lambda one: told.append(one) if one.url.endswith(_PATH) else None)
    await expect(page.get_by_role("heading", level=1, name="Everything is erased")).to_be_focused()
    await page.goto(world.amc.url)
    assert told == []
    assert _row(world, sale) is None
