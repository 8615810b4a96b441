"""Posters, fetched from a real image server, kept, and served on while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.errors import PosterNotFoundError, PosterUnavailableError
from gateway.posters import Posters, picture_type, poster_url
from gateway.settings import PostersSettings
from tests.gateway.town import HandClock

JPEG = b"\xff\xd8\xff\xe0" + bytes(2000)
PATHS = {"one-week": "/one.jpg", "gold-rush": "/gold.jpg", "blank": None}


@dataclass
class Source:
    """An image server that counts, and answers what it is told to."""

    answer: web.Response | None = None
    body: bytes = JPEG
    content_type: str = "image/jpeg"
    asked: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Send the picture, once it may."""
        self.asked.append(request.path)
        self.arrived.set()
        await self.go_on.wait()
        return self.answer or web.Response(body=self.body, content_type=self.content_type)


class FilmsOfTest:
    """What the catalog knows."""

    async def poster_path(self, environment: str, movie_id: str) -> str | None:
        """From the table."""
        assert environment == "local"
        return PATHS.get(movie_id)


@pytest.fixture
async def source() -> Source:
    """A source that answers at once."""
    made = Source()
    made.go_on.set()
    return made


@pytest.fixture
async def posters(source: Source, clock: HandClock) -> AsyncIterator[Posters]:
    """Posters from it, of which a megabyte is kept."""
    app = web.Application()
    app.router.add_get("/{path:.*}", source.handle)
    server = TestServer(app)
    await server.start_server()
    bases = {"local": str(server.make_url("/w500"))}
    settings = PostersSettings(keep_mb=1, max_kb=600, timeout_s=5.0)
    async with aiohttp.ClientSession() as session:
        made = Posters(session, FilmsOfTest(), bases, clock, settings)
        yield made
        await made.close()
    await server.close()


async def test_many_who_ask_at_once_cost_one_fetch(posters: Posters, source: Source) -> None:
    """And those who ask later none; one who hangs up takes it from nobody."""
    source.go_on.clear()
    asking = [asyncio.create_task(posters.get("local", "one-week")) for _ in range(3)]
    await source.arrived.wait()
    asking[0].cancel()
    source.go_on.set()
    answers = [await task for task in asking[1:]]
    assert [poster.body for poster in answers] == [JPEG, JPEG]
    assert (await posters.get("local", "one-week")).etag == answers[0].etag
    assert source.asked == ["/w500/one.jpg"]


async def test_a_source_that_is_down_takes_no_kept_poster_away(
    posters: Posters, source: Source, clock: HandClock
) -> None:
    """The old one is served on, the source asked again after a minute, and then the new one."""
    await posters.get("local", "one-week")
    clock.advance(days=1)
    source.answer = web.Response(status=500)
    for _ in range(3):
        assert (await posters.get("local", "one-week")).body == JPEG
    assert len(source.asked) == 2
    source.answer, source.body = None, JPEG + b"new"
    clock.advance(seconds=61)
    assert (await posters.get("local", "one-week")).body == JPEG + b"new"


async def test_what_was_never_kept_says_when_to_come_again(
    posters: Posters, source: Source, clock: HandClock
) -> None:
    """A minute; until then the source is left alone."""
    source.answer = web.Response(status=503)
    for _ in range(2):
        with pytest.raises(PosterUnavailableError) as caught:
            await posters.get("local", "one-week")
        assert caught.value.retry_after_s == 60
    assert len(source.asked) == 1
    source.answer = None
    clock.advance(seconds=61)
    assert (await posters.get("local", "one-week")).media_type == "image/jpeg"


async def test_a_film_without_a_poster_asks_nobody(posters: Posters, source: Source) -> None:
    """Unknown films and environments too: nobody may make Tell fetch what he likes."""
    for environment, movie_id in (("local", "blank"), ("local", "heat"), ("other", "one-week")):
        with pytest.raises(PosterNotFoundError):
            await posters.get(environment, movie_id)
    assert source.asked == []


async def test_a_poster_that_is_gone_is_not_found(posters: Posters, source: Source) -> None:
    """404 of the source is an answer, and kept for a minute."""
    source.answer = web.Response(status=404)
    for _ in range(2):
        with pytest.raises(PosterNotFoundError):
            await posters.get("local", "one-week")
    assert len(source.asked) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"body": b"<!doctype html><script>"}, id="not what it says"),
        pytest.param({"body": JPEG + bytes(600_001)}, id="too large"),
        pytest.param({"body": b"<svg/>", "content_type": "text/html"}, id="an SVG as a page"),
        pytest.param(
            {"answer": web.Response(status=302, headers={"Location": "/x"})}, id="leads elsewhere"
        ),
    ],
)
async def test_what_is_no_picture_is_refused(
    posters: Posters, source: Source, wrong: dict[str, object]
) -> None:
    """By its bytes and its size, whatever it is called; redirects are not followed."""
    for name, value in wrong.items():
        setattr(source, name, value)
    with pytest.raises(PosterUnavailableError):
        await posters.get("local", "one-week")
    assert len(source.asked) == 1


async def test_what_is_kept_is_bounded(posters: Posters, source: Source) -> None:
    """The one that was not asked for longest goes."""
    source.body = JPEG + bytes(590_000)
    for movie_id in ("one-week", "gold-rush", "gold-rush", "one-week"):
        await posters.get("local", movie_id)
    assert source.asked == ["/w500/one.jpg", "/w500/gold.jpg", "/w500/one.jpg"]


def test_pictures_are_known_by_their_bytes() -> None:
    """And SVG, which has no mark, by its sender's word and its root."""
    assert picture_type(JPEG, "text/html") == "image/jpeg"
    assert picture_type(b"\x89PNG\r\n\x1a\n....", "") == "image/png"
    assert picture_type(b"RIFF\x00\x00\x00\x00WEBPVP8 ", "") == "image/webp"
    assert picture_type(b"\x00\x00\x00\x1cftypavif", "") == "image/avif"
    assert picture_type(b"<?xml version='1.0'?><svg>", "image/svg+xml") == "image/svg+xml"
    assert picture_type(b"<svg>", "image/png") is None


def test_another_path_is_another_address() -> None:
    """So that a phone shows a new poster at once; an id stays one step of the path."""
    first, second = (poster_url("local", "a/b c", path) for path in ("/1.jpg", "/2.jpg"))
    assert first.startswith("/posters/local/a%2Fb%20c?v=")
    assert first != second
