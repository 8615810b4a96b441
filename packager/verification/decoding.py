"""Decodes a file as a stranger would, and hands its samples on in large blocks.

ffmpeg's output is read by a thread of its own, which also does the consumer's arithmetic: two hours
are 1.4 GB of samples, and in the event loop every 64 kB of them would cost a turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from media.grid import FRAGMENT_SAMPLES
from packager.ffmpeg import Run
from packager.source.commands import compiled

# Ten seconds: a whole number of steps (levels.py) and of windows (lags.py); memory stays flat, and
# numpy's own overhead does not show.
BLOCK_SAMPLES = 480_000
_BYTES_PER_SAMPLE = 4


def decode_command(path: Path, ffmpeg_path: str) -> list[str]:
    """Command that writes *path*'s sound to its stdout as raw little-endian 32-bit floats."""
    sound = ffmpeg.input(
        # As a file and nothing else, whatever its name.
        f"file:{path.absolute()}",
        # No repair of damage: it ends the run.
        err_detect="explode",
    )["a:0"].filter(
        # One block a fragment through ffmpeg's threads instead of one a packet, whose hand-overs
        # cost as much as the decoding. p=0: the last one is not filled up with silence.
        "asetnsamples",
        n=FRAGMENT_SAMPLES,
        p=0,
    )
    return compiled(sound.output("pipe:1", format="f32le", acodec="pcm_f32le"), ffmpeg_path)


async def decode_blocks(
    where: str,
    command: list[str],
    on_block: Callable[[NDArray[np.float32]], None],
    core: int | None = None,
) -> int:
    """Run *command* and give its samples to *on_block*, in a thread; returns how many there were.

    All blocks have BLOCK_SAMPLES but the last one, and each is overwritten by the next. *core* is
    the command's own. Raises ToolFailedError.
    """
    read_end, write_end = os.pipe()
    reading: asyncio.Future[int] | None = None
    try:
        async with _started(where, command, write_end, core) as run:
            reading = asyncio.ensure_future(asyncio.to_thread(_read, read_end, on_block))
            samples = await asyncio.shield(reading)
            await run.wait()
            return samples
    finally:
        # The child has ended, so the thread ends too; the pipe may be closed only then.
        if reading is not None:
            await asyncio.wait([reading])
        os.close(read_end)


@asynccontextmanager
async def _started(
    where: str, command: list[str], write_end: int, core: int | None
) -> AsyncIterator[Run]:
    """Start *command* with *write_end* as its stdout, and close our copy of that in any case."""
    closing = contextlib.ExitStack()
    closing.callback(os.close, write_end)
    with closing:
        async with Run(where, command, stdout=write_end, core=core) as run:
            # The child has its own: with ours open the pipe would never end.
            closing.close()
            yield run


def _read(descriptor: int, on_block: Callable[[NDArray[np.float32]], None]) -> int:
    """Read to the end of the pipe; returns how many samples came."""
    raw = bytearray(BLOCK_SAMPLES * _BYTES_PER_SAMPLE)
    block = np.frombuffer(raw, np.dtype("<f4"))
    memory = memoryview(raw)
    total = filled = 0
    while True:
        read = os.readv(descriptor, [memory[filled:]])
        filled += read
        if read and filled < len(memory):
            continue
        samples = filled // _BYTES_PER_SAMPLE
        if samples:
            on_block(block[:samples])
        total += samples
        filled = 0
        if not read:
            return total
