"""Two gateways on one database: what is taken back on the one is shut on the other."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from catalog.models import ScreeningStatus
from tests.gateway.delivery.lines import get, get_range, line_to, watch
from tests.gateway.town import PATIENCE_S, Clients, HandClock, Town, bearer, open_town


@pytest.fixture
async def other(
    town: Town,
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> Town:
    """A second Tell, with the keys and the database of the first."""
    return await open_town(tmp_path, media_root, amc, clock, aiohttp_client, database_url)


async def test_a_grant_of_the_one_plays_on_the_other_until_it_is_taken_back(
    town: Town, other: Town
) -> None:
    """Playlists and grants are refused in the very next answer, segments by themselves soon after.

    Nobody tells the other one: it reads the events' log.
    """
    screening = await town.show(starts_in=-6)
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    listener = await town.claim(sold)
    grant = await town.grant(listener, sold)
    file = grant["downloads"][0]["url"]
    media = file.replace(".mp4", ".m3u8")
    courier, usher = watch(other)
    ask = get(
        f"/media/audio/the-general?ticket={sold.correlation_id}",
        f"Authorization: Bearer {listener}",
    )
    async with line_to(other) as line:
        for text in (get(grant["hls"]), get(media), get_range(file), get_range(file), ask):
            assert (await line.ask(text))[0].startswith((b"HTTP/1.1 200", b"HTTP/1.1 206"))
        assert (usher.answered, courier.answered) == (3, 2)
        await town.change_screening(screening.showtime_id, status=ScreeningStatus.CANCELLED)
        for text in (get(grant["hls"]), get(media), ask):
            head, body = await line.ask(text)
            assert head.startswith(b"HTTP/1.1 410"), head
            assert json.loads(body)["code"] == "screening-cancelled"
        async with asyncio.timeout(PATIENCE_S):
            while not (await line.ask(get_range(file)))[0].startswith(b"HTTP/1.1 410"):
                pass


async def test_a_ticket_that_was_let_go_is_no_longer_granted_on_the_other(
    town: Town, other: Town
) -> None:
    """The log tells replicas of it, and no listener."""
    sold, listener = await town.ticket()
    assert (await other.grant(listener, sold))["correlation_id"] == sold.correlation_id
    path = f"/tell/tickets/{sold.correlation_id}/claim"
    async with town.tell.delete(path, headers=bearer(listener)) as answer:
        assert answer.status == 204
    problem = await other.problem(
        f"/media/audio/the-general?ticket={sold.correlation_id}", headers=bearer(listener)
    )
    assert (problem["status"], problem["code"]) == (404, "ticket-not-found")
