"""Every rendition in Chromium: its decoder, its own players, hls.js and shaka-player."""

from __future__ import annotations

import asyncio
import base64
import random
import statistics
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Page

from demo import timecode
from media.grid import SAMPLE_RATE_HZ
from media.track import Piece, Rendition
from tests.players.site import address
from tests.players.sound import Packaged, Samples, lag_samples
from tests.sounds import FULL_LADDER

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
]

# The promise for Chromium's decoder.
_DECODER_MS = 2.0
# A decoder that begins within the film needs some packets until its sound is whole: 80 ms in Opus
# (RFC 7845 4.6), one frame in AAC.
_PRE_ROLL = 8192
_WINDOW = 32_768
_SEEKS = 10
# What a player plays is compared by the seconds that are heard, so these tests run alone. One of
# the seconds may be late all the same; a rendition whose priming is misread is 21 ms off (AAC) in
# all of them.
_PLACE_MS = 100.0
_STEADY_MS = 15.0
_PLAYS_S = 3.2
# The stand's EXT-X-START.
_START_S = 12.0
_PATIENCE_S = 60


def _samples(data: str) -> Samples:
    return np.frombuffer(base64.b64decode(data), dtype="<f4")


async def _ready(page: Page) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        await page.locator("body[data-ready=yes]").wait_for(state="attached")


async def _decode(
    page: Page, rendition: Rendition, first: int, pieces: tuple[Piece, ...], cut: int
) -> tuple[Samples, int]:
    order = {
        "url": address(rendition.file_name),
        "init": rendition.init.size,
        "from": pieces[0].offset,
        "to": pieces[-1].offset + pieces[-1].size - 1,
        "first": cut,
        "size": _WINDOW,
    }
    answer: dict[str, Any] = await page.evaluate("order => window.players.decode(order)", order)
    return _samples(answer["samples"]), answer["length"]


@pytest.mark.xdist_group("players")
@pytest.mark.parametrize("name", FULL_LADDER)
async def test_chromium_s_decoder_is_right_within_two_milliseconds(
    page: Page, voice: Packaged, name: str, record_testsuite_property: Any
) -> None:
    """From sample 0, and from ten random fragments that came by byte range."""
    await _ready(page)
    rendition = voice.track.rendition(name)
    assert rendition is not None
    whole, length = await _decode(page, rendition, 0, rendition.fragments, 0)
    assert abs(length - voice.track.duration_samples) <= _DECODER_MS * SAMPLE_RATE_HZ / 1000
    lags = {0: lag_samples(voice.source, 0, whole)}
    # Not a secret: the same places in every run.
    chance = random.Random(name)  # noqa: S311
    for _ in range(_SEEKS):
        first = chance.randrange(1, len(rendition.fragments) - 3)
        pieces = rendition.fragments[first : first + 2]
        piece, _ = await _decode(page, rendition, first, pieces, _PRE_ROLL)
        begins_at = sum(p.samples for p in rendition.fragments[:first]) + _PRE_ROLL
        lags[first] = lag_samples(voice.source, begins_at, piece)
    worst_ms = max(abs(lag) for lag in lags.values()) * 1000 / SAMPLE_RATE_HZ
    record_testsuite_property(f"chromium_decoder_{name}_ms", worst_ms)
    assert worst_ms <= _DECODER_MS, lags


def _orders(by: str, names: list[str], **options: float) -> list[dict[str, Any]]:
    return [{"by": by, "url": address(name), "lastsS": _PLAYS_S, **options} for name in names]


async def _check_place(page: Page, voice: Packaged, orders: list[dict[str, Any]]) -> None:
    """Play all *orders* at once; what is heard must be what the player says that it plays."""
    await _ready(page)
    async with asyncio.timeout(_PATIENCE_S):
        played = await page.evaluate("orders => window.players.playAll(orders)", orders)
    for order, answer in zip(orders, played, strict=True):
        assert answer["duration"] == pytest.approx(voice.track.duration_s, abs=0.05), order
        graph_s, media_s = np.array(answer["clock"]).T
        marks = timecode.decode(_samples(answer["samples"]))
        assert len(marks) >= 2, order
        begins_s = order.get("seekS", order.get("startS", _START_S))
        assert answer["begun"] == pytest.approx(begins_s, abs=0.5), order
        assert marks[0].film_s in {int(begins_s) + step for step in (0, 1)}, order
        errors = []
        for mark in marks:
            at_s = answer["began"] + mark.position / SAMPLE_RATE_HZ
            if graph_s[0] <= at_s <= graph_s[-1]:
                errors.append((mark.film_s - float(np.interp(at_s, graph_s, media_s))) * 1000)
        assert errors, order
        assert max(map(abs, errors)) <= _PLACE_MS, (order, errors)
        assert abs(statistics.median(errors)) <= _STEADY_MS, (order, errors)


def _playlists() -> list[str]:
    return [f"{name}.m3u8" for name in FULL_LADDER]


@pytest.mark.sound
@pytest.mark.xdist_group("sound")
async def test_chromium_plays_every_file(page: Page, voice: Packaged) -> None:
    """`<audio>` on the file itself, sought into the film by ranges."""
    files = [f"{name}.mp4" for name in FULL_LADDER]
    await _check_place(page, voice, _orders("file", files, seekS=17.5))


@pytest.mark.sound
@pytest.mark.xdist_group("sound")
async def test_chromium_s_own_hls_plays_every_rendition(page: Page, voice: Packaged) -> None:
    """It ignores EXT-X-START (docs/measurements.md), so it is sought, as the app does."""
    await _check_place(page, voice, _orders("native", _playlists(), seekS=23.25))


@pytest.mark.sound
@pytest.mark.xdist_group("sound")
async def test_chromium_s_own_hls_plays_each_multivariant_playlist(
    page: Page, voice: Packaged
) -> None:
    """One for each codec, never both in one."""
    orders = _orders("native", ["main.m3u8", "opus.m3u8"], seekS=8.5)
    await _check_place(page, voice, orders)


@pytest.mark.sound
@pytest.mark.xdist_group("sound")
async def test_hls_js_plays_every_rendition_from_its_start(page: Page, voice: Packaged) -> None:
    """Media Playlists and both Multivariant Playlists, from EXT-X-START, with nobody's help."""
    orders = _orders("hls", [*_playlists(), "main.m3u8", "opus.m3u8"])
    await _check_place(page, voice, orders)


@pytest.mark.sound
@pytest.mark.xdist_group("sound")
async def test_shaka_player_plays_hls_from_its_start(page: Page, voice: Packaged) -> None:
    """Media Playlists and both Multivariant Playlists, from EXT-X-START."""
    orders = _orders("shaka", [*_playlists(), "main.m3u8", "opus.m3u8"])
    await _check_place(page, voice, orders)


@pytest.mark.sound
@pytest.mark.xdist_group("sound")
async def test_shaka_player_plays_dash_where_it_is_told_to(page: Page, voice: Packaged) -> None:
    """The MPD of the same files, addressed by their sidx."""
    order = {"by": "shaka", "url": "/main.mpd", "lastsS": _PLAYS_S, "startS": 30.5}
    await _check_place(page, voice, [order])
