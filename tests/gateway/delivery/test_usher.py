"""A join on its short way, beside the long one: the same answers, in the same order."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from catalog.models import ScreeningStatus
from gateway import keys
from gateway.settings import DeliverySettings
from media.storage import LocalStorage
from media.track import Track
from tests.gateway.delivery.lines import (
    LONG_WAY,
    WatchedCourier,
    WatchedUsher,
    comparable,
    get,
    get_range,
    line_to,
    watch,
)
from tests.gateway.town import Clients, HandClock, Sold, Town, open_town

PACKED = "Accept-Encoding: gzip, deflate, br"


@dataclass
class Door:
    """A ticket that was claimed, and who answers."""

    town: Town
    sold: Sold
    listener: str
    showtime_id: str
    courier: WatchedCourier
    usher: WatchedUsher

    def grant(self, *lines: str, ticket: str = "", listener: str = "") -> str:
        """A request for the grant."""
        return get(
            f"/media/audio/the-general?ticket={ticket or self.sold.correlation_id}",
            f"Authorization: Bearer {listener or self.listener}",
            *lines,
        )


@pytest.fixture
async def door(town: Town) -> Door:
    """A ticket for a film that runs."""
    screening = await town.show(starts_in=-6)
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    listener = await town.claim(sold)
    return Door(town, sold, listener, screening.showtime_id, *watch(town))


async def test_a_join_is_answered_as_on_the_long_way(door: Door) -> None:
    """Head for head but for its order, and byte for byte, packed and plain."""
    async with line_to(door.town) as line:
        _, body = await line.ask(door.grant())
        grant = json.loads(body)
        media = grant["downloads"][0]["url"].replace(".mp4", ".m3u8")
        wanted: list[Callable[..., str]] = [
            door.grant,
            lambda *more: door.grant("Accept: application/json", *more),
            *(
                lambda *more, url=url, packed=packed: get(url, *packed, *more)
                for url in (grant["hls"], grant["hls_opus"], media)
                for packed in ((), (PACKED,), ("Accept: */*", "Accept-Encoding: identity"))
            ),
        ]
        for number, ask in enumerate(wanted, start=1):
            short_head, short_body = await line.ask(ask())
            assert door.usher.answered == 1 + number
            long_head, long_body = await line.ask(ask(LONG_WAY))
            assert door.usher.answered == 1 + number
            assert comparable(short_head) == comparable(long_head)
            assert short_body == long_body


async def test_a_decision_is_made_as_on_the_long_way(
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> None:
    """For an nginx that sends the bytes: which track, and for how long that is good."""
    delivery = DeliverySettings(mode="nginx", decision_s=45)
    town = await open_town(
        tmp_path, media_root, amc, clock, aiohttp_client, database_url, delivery=delivery
    )
    screening = await town.show(starts_in=-6)
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    grant = await town.grant(await town.claim(sold), sold)
    _, usher = watch(town)
    file = grant["downloads"][0]["url"]
    ask = f"{file.rpartition('/')[0]}/decision"
    async with line_to(town) as line:
        short, _ = await line.ask(get(ask))
        assert usher.answered == 1
        long, _ = await line.ask(get(ask, LONG_WAY))
        assert usher.answered == 1
        assert comparable(short) == comparable(long)
        assert b"X-Accel-Expires: 45" in short
        # As it runs on a connection that is kept, what follows is answered rightly.
        assert (await line.ask(get(file.replace(".mp4", ".m3u8"))))[0].startswith(b"HTTP/1.1 200")
        await town.change_screening(screening.showtime_id, status=ScreeningStatus.CANCELLED)
        assert (await line.ask(get(ask)))[0].startswith(b"HTTP/1.1 410")
    metrics = await town.text("/metrics")
    counted = 'tell_http_requests_total{method="GET",route="/stream/{token}/decision",status='
    assert f'{counted}"204"}} 2.0' in metrics


async def test_nobody_decides_where_the_gateway_sends(door: Door) -> None:
    """There it is no address at all."""
    async with line_to(door.town) as line:
        grant = json.loads((await line.ask(door.grant()))[1])
        file = grant["downloads"][0]["url"]
        head, _ = await line.ask(get(f"{file.rpartition('/')[0]}/decision"))
        assert head.startswith(b"HTTP/1.1 404")


async def test_a_join_never_takes_the_long_way(door: Door, track: Track) -> None:
    """Grant, two playlists, init and first segment: what a phone asks, and what it gets."""
    rendition = track.rendition("aac-64k")
    assert rendition is not None
    async with line_to(door.town) as line:
        grant = json.loads((await line.ask(door.grant()))[1])
        _, packed = await line.ask(get(grant["hls"], PACKED))
        uri = next(
            line
            for line in gzip.decompress(packed).decode().splitlines()
            if line.endswith("/aac-64k.m3u8")
        )
        _, packed = await line.ask(get(uri, PACKED))
        assert b"EXT-X-MAP" in gzip.decompress(packed)
        for piece in (rendition.init, rendition.segments[0]):
            wanted = f"bytes={piece.offset}-{piece.offset + piece.size - 1}"
            head, body = await line.ask(
                get_range(uri.replace(".m3u8", ".mp4"), range_=wanted),
            )
            assert head.startswith(b"HTTP/1.1 206")
            assert len(body) == piece.size
    assert (door.usher.answered, door.courier.answered) == (3, 2)


async def test_what_was_granted_is_played_without_asking_anybody(door: Door) -> None:
    """As long as nobody writes to the database, and where it can tell that: on SQLite."""
    assert door.town.tell.app is not None
    database = door.town.tell.app[keys.DATABASE]
    async with line_to(door.town) as line:
        for _ in range(20):
            grant = json.loads((await line.ask(door.grant()))[1])
            media = grant["downloads"][0]["url"].replace(".mp4", ".m3u8")
            await line.ask(get(grant["hls"]))
            version, before = database.version(), door.usher.at_once
            for ask in (get(grant["hls"], PACKED), get(media, PACKED), get(grant["hls_opus"])):
                assert (await line.ask(ask))[0].startswith(b"HTTP/1.1 200")
            if version is None:
                assert door.usher.at_once == before
                break
            if version == database.version():
                assert door.usher.at_once == before + 3
                break
        else:
            raise AssertionError("somebody wrote all the time")


async def test_what_is_refused_is_told_why(door: Door) -> None:
    """With its own status and code, by either way; then the connection goes on."""
    _, hers = await door.town.ticket()
    refused: dict[str, tuple[int, str]] = {
        door.grant(listener="k1~nobody~x"): (401, "token-refused"),
        door.grant(listener=hers): (404, "ticket-not-found"),
        door.grant(ticket="a" * 20): (404, "ticket-not-found"),
        door.grant("Accept: text/html"): (406, "not-acceptable"),
        door.grant().replace("the-general", "nosferatu"): (403, "wrong-movie"),
    }
    async with line_to(door.town) as line:
        grant = json.loads((await line.ask(door.grant()))[1])
        refused[get(f"{grant['hls'][:-12]}x/main.m3u8")] = (403, "token-refused")
        refused[get(grant["downloads"][0]["url"].replace("aac-", "mp3-")[:-4] + ".m3u8")] = (
            404,
            "not-found",
        )
        for text, expected in refused.items():
            head, body = await line.ask(text)
            problem = json.loads(body)
            assert (int(head.split()[1]), problem["code"]) == expected
        assert (await line.ask(door.grant()))[0].startswith(b"HTTP/1.1 200")
    # A wrong bearer and a wrong token; the others are told by the long way.
    assert (door.usher.answered, door.usher.refused) == (2, 2)


@pytest.mark.parametrize("how", ["cancelled", "ended"])
async def test_what_is_over_is_refused_in_the_very_next_answer(door: Door, how: str) -> None:
    """On a connection that was served the short way a moment ago."""
    async with line_to(door.town) as line:
        grant = json.loads((await line.ask(door.grant()))[1])
        for url in (grant["hls"], grant["downloads"][0]["url"].replace(".mp4", ".m3u8")):
            assert (await line.ask(get(url)))[0].startswith(b"HTTP/1.1 200")
        if how == "cancelled":
            changed = {"status": ScreeningStatus.CANCELLED}
            await door.town.change_screening(door.showtime_id, **changed)
        else:
            door.town.clock.advance(seconds=4680 + 1800)
        head, body = await line.ask(door.grant())
        assert head.startswith(b"HTTP/1.1 410"), body
        media = get(grant["downloads"][0]["url"].replace(".mp4", ".m3u8"))
        expected = b"HTTP/1.1 410" if how == "cancelled" else b"HTTP/1.1 403"
        assert (await line.ask(media))[0].startswith(expected)


async def test_answers_keep_the_order_of_the_requests(door: Door) -> None:
    """What comes while a playlist is made waits, whichever way it will take."""
    async with line_to(door.town) as line:
        grant = json.loads((await line.ask(door.grant()))[1])
        file = grant["downloads"][0]["url"]
        texts = [
            get(grant["hls"]),
            get_range(file),
            door.grant(),
            "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
            get(file.replace(".mp4", ".m3u8")),
            get_range(file),
        ]
        begins = [b"#EXTM3U", b"", b'{"corr', b'{"stat', b"#EXTM3U", b""]
        for text in texts:
            line.writer.write(text.encode())
            await line.writer.drain()
        for begin in begins:
            assert (await line.answer())[1].startswith(begin)
        for text in texts:
            line.writer.write(text.encode()[:30])
            await line.writer.drain()
            line.writer.write(text.encode()[30:])
        for begin in begins:
            assert (await line.answer())[1].startswith(begin)


async def test_an_error_that_nobody_foresaw_is_answered_too(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the library, with a 500 that says nothing; then the connection goes on."""

    async def broken(self: LocalStorage, prefix: str, name: str) -> Any:
        raise RuntimeError("a bug")

    async with line_to(door.town) as line:
        with monkeypatch.context() as patch:
            patch.setattr(LocalStorage, "read_below", broken)
            head, body = await line.ask(door.grant())
        assert head.startswith(b"HTTP/1.1 500")
        assert b"bug" not in body
        assert (await line.ask(door.grant()))[0].startswith(b"HTTP/1.1 200")


async def test_who_goes_away_meanwhile_leaves_nothing_behind(door: Door) -> None:
    """Others are served, and the server counts no request as running."""
    for _ in range(5):
        async with line_to(door.town) as line:
            line.writer.write(door.grant().encode())
            await line.writer.drain()
    async with line_to(door.town) as line:
        assert (await line.ask(door.grant()))[0].startswith(b"HTTP/1.1 200")
    assert "tell_http_requests_running 1.0" in await door.town.text("/metrics")


async def test_a_join_is_counted_as_all_requests(door: Door) -> None:
    """By route and status, whichever way it went."""
    async with line_to(door.town) as line:
        for more in ((), (LONG_WAY,)):
            grant = json.loads((await line.ask(door.grant(*more)))[1])
            await line.ask(get(grant["hls"], *more))
            await line.ask(get(grant["downloads"][0]["url"].replace(".mp4", ".m3u8"), *more))
    metrics = await door.town.text("/metrics")
    for route in (
        "/media/audio/{movieId}",
        "/stream/{token}/main.m3u8",
        "/stream/{token}/{rendition}.m3u8",
    ):
        labels = f'method="GET",route="{route}"'
        assert f'tell_http_requests_total{{{labels},status="200"}} 2.0' in metrics
        assert f"tell_http_request_seconds_count{{{labels}}} 2.0" in metrics
    assert 'tell_grants_total{phase="feature"} 2.0' in metrics
    for kind in ("aac", "media"):
        assert f'tell_playlists_total{{kind="{kind}"}} 2.0' in metrics
