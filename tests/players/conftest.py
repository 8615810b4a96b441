"""One packaged voice, one server of it and one Chromium for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page

from demo import browser as browsing
from tests.players.site import site
from tests.players.sound import Packaged, package_voice


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def voice(tmp_path_factory: pytest.TempPathFactory) -> Packaged:
    """The voice with the time code, in every rendition."""
    return await package_voice(tmp_path_factory.mktemp("voice"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site_url(voice: Packaged) -> AsyncIterator[str]:
    """Address of a page with the players, and of the track beside it."""
    server = TestServer(site(voice))
    await server.start_server()
    yield str(server.make_url("")).rstrip("/")
    await server.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; its sound is read inside the page, so it needs no sound card."""
    missing = browsing.available()
    if missing is not None:
        if "CI" in os.environ:
            pytest.fail(f"CI is set, so this must run: {missing}")
        pytest.skip(f"NOT TESTED: {missing}")
    async with browsing.chromium() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, site_url: str) -> AsyncIterator[Page]:
    """The page, tapped, so that sound may play; an error of its script fails the test."""
    context = browsing.patient(await browser.new_context())
    made = await context.new_page()
    errors: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    await made.goto(site_url)
    await made.get_by_role("button", name="Sound").click()
    yield made
    await context.close()
    assert errors == []
