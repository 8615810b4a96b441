"""now.m3u8 in ffmpeg, which ignores EXT-X-START and begins where the list does."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from demo import timecode
from media.grid import SAMPLE_RATE_HZ
from packager.ffmpeg import find_tools
from packager.settings import PackagerSection
from tests.players.cinema import Cinema, cinema
from tests.players.sound import Packaged, Samples

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("players")]

_HALF_A_FRAGMENT_S = 0.48
# Enough for a whole second of the code, however it is cut.
_DECODED_S = 3
_PATIENCE_S = 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory, voice: Packaged) -> AsyncIterator[Cinema]:
    """A Tell with the voice; ffmpeg is of no origin."""
    folder = tmp_path_factory.mktemp("house")
    async with cinema(folder, voice, "https://player.example") as open_house:
        yield open_house


def heard(url: str) -> Samples:
    """What ffmpeg plays first of a playlist that is served."""
    command = [find_tools(PackagerSection()).ffmpeg, "-v", "error", "-xerror", "-i", url]
    command += ["-t", str(_DECODED_S), "-f", "f32le", "-ac", "1", "-ar", "48000", "pipe:1"]
    done = subprocess.run(command, check=True, capture_output=True, timeout=_PATIENCE_S)
    return np.frombuffer(done.stdout, dtype="<f4")


# Into a fragment by little, by nearly all of it, into the last fragment of a segment, and before
# the film.
@pytest.mark.parametrize("offset_s", [-300.0, 9.7, 17.25, 23.9])
async def test_the_first_sound_is_within_half_a_fragment(
    voice: Packaged, house: Cinema, offset_s: float
) -> None:
    """What is decoded first of the served list lies at most 0.48 s from the place asked for."""
    grant = await house.grant(voice, offset_s)
    samples = await asyncio.to_thread(heard, house.url + grant["now"])
    mark, *_ = timecode.decode(samples)
    began_s = mark.film_s - mark.position / SAMPLE_RATE_HZ
    assert began_s == pytest.approx(grant["track_position_s"], abs=_HALF_A_FRAGMENT_S)
