"""Decoding a source once, second by second, while threads of ours listen."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO

import numpy as np
from numpy.typing import NDArray

from media.grid import SAMPLE_RATE_HZ
from packager.errors import SourceDamagedError, SourceEmptyError, TimingError, ToolFailedError
from packager.ffmpeg import Run, Tools
from packager.source.commands import decode_command
from packager.source.probe import AudioTrack, SourceClaims

# Takes a second of float32, of shape (samples,) for mono and (samples, channels) for all channels.
# The last one may be shorter. The array is overwritten by the next second.
Hear = Callable[[NDArray[np.float32]], None]

_BYTES_PER_SAMPLE = 4
_STDOUT_URL = "pipe:1"
# Linux's own pipes hold 64 kB, a third of a second: ffmpeg and we would take turns.
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who hears the decoded sound: the mono at 48 kHz, and all channels at the source's rate.

    Each is called in a thread, maybe not the same.
    """

    mono: Hear
    channels: Hear


async def decode_source(
    claims: SourceClaims,
    track: AudioTrack,
    film_starts_at_s: float,
    tools: Tools,
    listeners: Listeners,
) -> None:
    """Decode *track* from the film's first frame on, to its end.

    Raises SourceError where it does not decode, TimingError where it ends before the film starts,
    and what a listener raises.
    """
    name = claims.path.name
    heard_samples = 0

    def hear_mono(block: NDArray[np.float32]) -> None:
        nonlocal heard_samples
        listeners.mono(block)
        heard_samples += len(block)

    def hear_both(block: NDArray[np.float32]) -> None:
        listeners.channels(block[:, np.newaxis])
        hear_mono(block)

    # One stream is both where nothing is to be mixed or resampled.
    single = track.channels == 1 and track.sample_rate_hz == SAMPLE_RATE_HZ
    with _pipes(1 if single else 2) as pipes:
        if single:
            channels_url = None
            streams = [_Stream(pipes[0], SAMPLE_RATE_HZ, 1, hear_both)]
        else:
            channels_url = f"pipe:{pipes[1].writing}"
            streams = [
                _Stream(pipes[0], SAMPLE_RATE_HZ, 1, hear_mono),
                _Stream(pipes[1], track.sample_rate_hz, track.channels, listeners.channels),
            ]
        command = decode_command(
            claims, track, film_starts_at_s, _STDOUT_URL, channels_url, tools.ffmpeg
        )
        try:
            await _run(name, command, streams)
        except ToolFailedError as error:
            reason = error.last_lines[0] if error.last_lines else f"ffmpeg ended {error.returncode}"
            at_s = film_starts_at_s + heard_samples / SAMPLE_RATE_HZ
            raise SourceDamagedError(name, f"after about {at_s:.1f} s: {reason}") from error
    if heard_samples == 0 and film_starts_at_s > 0:
        raise TimingError(
            name, f"ends before {film_starts_at_s:g} s, where the film is to start",
            "check --film-starts-at",
        )  # fmt: skip
    if heard_samples == 0:
        raise SourceEmptyError(name)


class _Pipe:
    """A pipe from the child to us."""

    def __init__(self) -> None:
        reading, self.writing = os.pipe()
        self.reading = FileIO(reading, "rb")
        # Only Linux lets a pipe's size be set, and it may be forbidden; then it stays as it is.
        with contextlib.suppress(ImportError, AttributeError, OSError):
            import fcntl

            fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def close_writing(self) -> None:
        """Close our copy of the child's end: or we would wait for ourselves."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1


@dataclass(frozen=True, slots=True)
class _Stream:
    """What comes through a pipe, and who hears it."""

    pipe: _Pipe
    rate_hz: int
    channels: int
    hear: Hear

    def listen(self) -> None:
        """Read the pipe to its end and hand it over second by second."""
        mono = self.channels == 1 and self.rate_hz == SAMPLE_RATE_HZ
        raw = bytearray(self.rate_hz * self.channels * _BYTES_PER_SAMPLE)
        block = np.frombuffer(raw, np.dtype("<f4")).reshape(self.rate_hz, self.channels)
        view = memoryview(raw)
        filled = 0
        # Closed also when the listener fails: then the child's next write fails, and it ends.
        with self.pipe.reading as pipe:
            while read := pipe.readinto(view[filled:]):
                filled += read
                if filled == len(view):
                    self.hear(block[:, 0] if mono else block)
                    filled = 0
        if rest := filled // (_BYTES_PER_SAMPLE * self.channels):
            self.hear(block[:rest, 0] if mono else block[:rest])


async def _run(where: str, command: Sequence[str], streams: Sequence[_Stream]) -> None:
    stdout, *others = [stream.pipe.writing for stream in streams]
    threads: list[asyncio.Task[None]] = []
    try:
        async with Run(where, command, stdout=stdout, pass_fds=others) as run:
            for stream in streams:
                stream.pipe.close_writing()
                threads.append(asyncio.create_task(asyncio.to_thread(stream.listen)))
            await asyncio.gather(*threads)
            await run.wait()
    finally:
        # A thread cannot be cancelled: it ends with the child, and its work folder goes after it.
        if threads:
            await asyncio.wait(threads)


@contextmanager
def _pipes(number: int) -> Iterator[list[_Pipe]]:
    pipes: list[_Pipe] = []
    try:
        for _ in range(number):
            pipes.append(_Pipe())  # noqa: PERF401  # one that fails must not lose those before it
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close_writing()
            pipe.reading.close()
