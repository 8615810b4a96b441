"""Every rendition in ffmpeg: decoded from its beginning and from byte ranges, to one sample."""

from __future__ import annotations

import asyncio
import random
import subprocess

import aiohttp
import numpy as np
import pytest

from media.track import Rendition
from packager.ffmpeg import find_tools
from packager.settings import PackagerSection
from tests.players.site import address
from tests.players.sound import Packaged, Samples, lag_samples
from tests.sounds import FULL_LADDER

# The site is the browser tests' own.
pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("players")]

_MOST_LAG_SAMPLES = 1.0
_WINDOW = 32_768
_SEEKS = 10
# 80 ms until Opus's state is whole (RFC 7845 4.6), a frame in AAC.
_PRE_ROLL = 8192


def decode(data: bytes) -> Samples:
    """What ffmpeg decodes from the bytes of an init segment and fragments."""
    command = [find_tools(PackagerSection()).ffmpeg, "-v", "error", "-xerror", "-i", "pipe:0"]
    command += ["-f", "f32le", "-ac", "1", "-ar", "48000", "pipe:1"]
    done = subprocess.run(command, input=data, check=True, capture_output=True)
    return np.frombuffer(done.stdout, dtype="<f4")


async def fetch(
    session: aiohttp.ClientSession, url: str, rendition: Rendition, first: int, count: int
) -> bytes:
    """Init segment and *count* fragments from *first* on, each by its byte range."""
    pieces = rendition.fragments[first : first + count]
    ranges = [(rendition.init.offset, rendition.init.size)]
    ranges.append((pieces[0].offset, sum(piece.size for piece in pieces)))
    parts = []
    for offset, size in ranges:
        headers = {"Range": f"bytes={offset}-{offset + size - 1}"}
        async with session.get(url + address(rendition.file_name), headers=headers) as answer:
            assert answer.status == 206
            parts.append(await answer.read())
            assert len(parts[-1]) == size
    return b"".join(parts)


@pytest.mark.parametrize("name", FULL_LADDER)
async def test_every_rendition_lies_where_its_source_lies(
    site_url: str, voice: Packaged, name: str
) -> None:
    """From sample 0 and from ten random fragments: within one sample, AAC and Opus alike."""
    rendition = voice.track.rendition(name)
    assert rendition is not None
    whole = await asyncio.to_thread(decode, voice.path(rendition).read_bytes())
    assert len(whole) == voice.track.duration_samples
    lags = {
        at: lag_samples(voice.source, at, whole[at : at + _WINDOW])
        for at in (0, len(voice.source) // 2, len(voice.source) - 2 * _WINDOW)
    }
    # Not a secret: the same places in every run.
    chance = random.Random(name)  # noqa: S311
    async with aiohttp.ClientSession() as session:
        for _ in range(_SEEKS):
            first = chance.randrange(1, len(rendition.fragments) - 3)
            data = await fetch(session, site_url, rendition, first, 2)
            piece = (await asyncio.to_thread(decode, data))[_PRE_ROLL : _PRE_ROLL + _WINDOW]
            begins_at = sum(p.samples for p in rendition.fragments[:first]) + _PRE_ROLL
            lags[begins_at] = lag_samples(voice.source, begins_at, piece)
    assert max(map(abs, lags.values())) <= _MOST_LAG_SAMPLES, lags
