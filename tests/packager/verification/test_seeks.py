"""Seeking by byte range: a player that begins anywhere hears what belongs there."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from media.cmaf import read_cmaf
from media.grid import FRAGMENT_SAMPLES
from packager.encoding.ladder import DEFAULT_LADDER
from packager.ffmpeg import Tools
from packager.verification.decoding import decode_blocks, decode_command
from packager.verification.lags import MOST_LAG_SAMPLES, WINDOW_SAMPLES, Sound, measure_lag
from tests.packager.conftest import Made

# Before this, a decoder that began in mid-stream has not settled: 80 ms for Opus (RFC 7845 4.6).
_SETTLED = 9_600


@pytest.mark.parametrize("name", DEFAULT_LADDER)
async def test_ten_seeks_by_byte_range_are_aligned(
    made: Made, tools: Tools, tmp_path: Path, name: str
) -> None:
    """The init segment and two fragments from anywhere decode to within a sample of the sound."""
    index = read_cmaf(made.file(name))
    content = made.file(name).read_bytes()
    prepared = np.fromfile(made.recipe.prepared.path, "<f4")
    chance = random.Random(name)  # noqa: S311  # not a secret: the same places each time
    for _ in range(10):
        number = chance.randrange(len(index.fragments) - 2)
        start, end = index.fragments[number].offset, index.fragments[number + 2].offset
        piece = tmp_path / "piece.mp4"
        piece.write_bytes(content[: index.init.size] + content[start:end])
        decoded = await _decoded(piece, tools)
        assert len(decoded) == 2 * FRAGMENT_SAMPLES
        at = number * FRAGMENT_SAMPLES + _SETTLED
        around = decoded[_SETTLED - MOST_LAG_SAMPLES :]
        found = measure_lag(
            prepared[at : at + WINDOW_SAMPLES],
            around[: WINDOW_SAMPLES + 2 * MOST_LAG_SAMPLES],
        )
        assert found is not None
        assert abs(found[0]) < 1.0


async def _decoded(path: Path, tools: Tools) -> Sound:
    blocks: list[Sound] = []
    command = decode_command(path, tools.ffmpeg)
    await decode_blocks(path.name, command, lambda block: blocks.append(block.copy()))
    return np.concatenate(blocks)
