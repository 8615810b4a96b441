"""Decoding in blocks, by a thread of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from packager.errors import ToolFailedError
from packager.ffmpeg import Tools
from packager.verification.decoding import BLOCK_SAMPLES, decode_blocks, decode_command
from tests.packager.conftest import Made


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_blocks_hold_the_whole_sound(made: Made, tools: Tools) -> None:
    """All samples come, in blocks of one size but for the last."""
    pieces: list[NDArray[np.float32]] = []
    command = decode_command(made.file("aac-128k"), tools.ffmpeg)
    # Without the path that names it to ffmpeg, the loop below would prove nothing.
    assert f"file:{made.file('aac-128k')}" in command
    samples = await decode_blocks("some", command, lambda block: pieces.append(block.copy()))
    assert samples == made.recipe.length_samples < BLOCK_SAMPLES
    assert [len(piece) for piece in pieces] == [samples]
    original = np.fromfile(made.recipe.prepared.path, "<f4") * 10 ** (1.5 / 20)
    assert float(np.corrcoef(original, pieces[0][: len(original)])[0, 1]) > 0.98


async def test_failing_command_is_an_error(tmp_path: Path, tools: Tools) -> None:
    """What cannot be decoded is said, and neither pipe nor thread stays."""
    before = _open_files()
    command = decode_command(tmp_path / "absent.mp4", tools.ffmpeg)
    with pytest.raises(ToolFailedError, match="No such file"):
        await decode_blocks("some", command, lambda _: None)
    assert _open_files() == before


async def test_failing_consumer_stops_the_command(made: Made, tools: Tools) -> None:
    """An error of the arithmetic comes out as it is."""

    def fail(_: NDArray[np.float32]) -> None:
        raise ZeroDivisionError

    before = _open_files()
    command = decode_command(made.file("opus-24k"), tools.ffmpeg)
    async with asyncio.timeout(10):
        with pytest.raises(ZeroDivisionError):
            await decode_blocks("some", command, fail)
    assert _open_files() == before


async def test_cancelling_leaves_nothing(tmp_path: Path, tools: Tools) -> None:
    """Ctrl-C in the middle ends the child, the thread and the pipe."""
    before = _open_files()
    heard = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Endless sound.
    source = ["-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono"]
    command = [tools.ffmpeg, "-v", "error", *source, "-f", "f32le", "pipe:1"]

    def hear(_: NDArray[np.float32]) -> None:
        loop.call_soon_threadsafe(heard.set)

    task = asyncio.create_task(decode_blocks("some", command, hear))
    async with asyncio.timeout(10):
        await heard.wait()
        task.cancel()
        await asyncio.wait([task])
    assert task.cancelled()
    assert _open_files() == before
