"""DASH from a grant: dash.js and shaka-player begin at the sample that they are told."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Page

from demo import timecode
from media.grid import SAMPLE_RATE_HZ
from tests.players.cinema import Cinema, cinema
from tests.players.sound import Packaged

# One after another and alone: they play in real time.
pytestmark = [
    pytest.mark.sound,
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("sound"),
]

# In the middle of a fragment, a segment and a second of the code.
_OFFSET_S = 17.3
_PLAYS_S = 3.2
# A player that begins with its fragment, or misreads the priming, is off by 340 or by 21 ms.
_PLACE_MS = 15.0
# -66 dBFS: under the voice and above the encoder's dust.
_SILENCE = 5e-4
_PATIENCE_S = 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(
    tmp_path_factory: pytest.TempPathFactory, voice: Packaged, site_url: str
) -> AsyncIterator[Cinema]:
    """A Tell whose files the players' page may read."""
    async with cinema(tmp_path_factory.mktemp("house"), voice, site_url) as open_house:
        yield open_house


@pytest.mark.parametrize("player", ["dashjs", "shaka"])
async def test_a_player_of_dash_begins_where_the_grant_says(
    page: Page, voice: Packaged, house: Cinema, player: str
) -> None:
    """The first sound out of it is the film's at `track_position_s`, which it was told."""
    grant = await house.grant(voice, _OFFSET_S)
    assert grant["track_position_s"] == _OFFSET_S
    order = {
        "by": player,
        "url": house.url + grant["dash"],
        "startS": grant["track_position_s"],
        "lastsS": _PLAYS_S,
    }
    async with asyncio.timeout(_PATIENCE_S):
        await page.locator("body[data-ready=yes]").wait_for(state="attached")
        (played,) = await page.evaluate("order => window.players.playAll([order])", order)
    assert played["duration"] == pytest.approx(voice.track.duration_s, abs=0.05)
    assert abs(_first_heard_s(played) - _OFFSET_S) <= _PLACE_MS / 1000


def _first_heard_s(played: dict[str, Any]) -> float:
    """Place in the film of the first sound, counted back in samples from the code's first mark."""
    samples = np.frombuffer(base64.b64decode(played["samples"]), dtype="<f4")
    first = int(np.argmax(np.abs(samples) > _SILENCE))
    marks = timecode.decode(samples)
    assert len(marks) >= 2, marks
    return marks[0].film_s - (marks[0].position - first) / SAMPLE_RATE_HZ
