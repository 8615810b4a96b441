"""What a source really holds, against what it declares: ffmpeg's exit code alone cannot tell.

A cut-off WAV gives exit code 0 and a shorter sound, and ffprobe derives its duration from the size
that is left (docs/measurements.md). So the WAV's own header is read, everything is decoded, and
counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import struct
import sys
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media.grid import SAMPLE_RATE_HZ
from packager.alignment import Window, WindowPicker
from packager.conform import compiled, conformed, pcm
from packager.errors import (
    SourceDamagedError,
    SourceEmptyError,
    SourceTruncatedError,
    SourceUnfinishedError,
    SourceUnreadableError,
    ToolFailedError,
)
from packager.ffmpeg import Run, Tools
from packager.probe import SourceClaims

# A container may round its duration, and a codec may end within its last packet.
_TOLERANCE_S = 0.1
# These have no index: ffmpeg estimates their length from the bit rate.
_ESTIMATED_CONTAINERS = frozenset({"mp3", "aac"})
_ESTIMATE_TOLERANCE = 0.02
# What a WAV's data chunk says when it was written through a pipe or its recorder was stopped; in
# an RF64 the second sends the reader to its ds64 chunk (EBU Tech 3306 3.1).
_UNKNOWN_SIZES = frozenset({0, 0xFFFFFFFF})


@dataclass(frozen=True, slots=True)
class CheckedSource:
    """A source that was decoded to its end without an error. `duration_samples` are at 48 kHz."""

    sha256: str
    duration_samples: int
    windows: tuple[Window, ...]


async def check_source(
    claims: SourceClaims, tools: Tools, on_samples: Callable[[int], None]
) -> CheckedSource:
    """Decode all of it, count, and compare; raises a SourceError.

    *on_samples* is told how many samples at 48 kHz are done.
    """
    name = claims.path.name
    try:
        await asyncio.to_thread(_check_wav_size, claims)
        sha256 = await asyncio.to_thread(file_sha256, claims.path)
    except OSError as error:
        raise SourceUnreadableError(str(claims.path), error.strerror or str(error)) from error
    picker = WindowPicker(round((claims.declared_s or 0.0) * SAMPLE_RATE_HZ))
    try:
        samples = await decode(
            name, compiled(pcm(conformed(claims.path)), tools.ffmpeg), picker.feed, on_samples
        )
    except ToolFailedError as error:
        reason = error.last_lines[0] if error.last_lines else f"ffmpeg ended {error.returncode}"
        raise SourceDamagedError(name, reason) from error
    if samples == 0:
        raise SourceEmptyError(name)
    _check_length(claims, samples)
    return CheckedSource(sha256, samples, picker.windows())


async def decode(
    where: str,
    command: list[str],
    on_sound: Callable[[array[int]], None],
    on_samples: Callable[[int], None],
) -> int:
    """Run a command that writes raw 16-bit samples; returns how many. Raises ToolFailedError."""
    total = 0
    odd = b""
    async with Run(where, command) as run:
        async for block in run.blocks():
            whole = odd + block
            odd = whole[len(whole) & ~1 :]
            samples = array("h", whole[: len(whole) & ~1])
            if sys.byteorder == "big":
                samples.byteswap()
            on_sound(samples)
            total += len(samples)
            on_samples(total)
    return total


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hex; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_length(claims: SourceClaims, samples: int) -> None:
    if claims.declared_s is None:
        return
    tolerance_s = _TOLERANCE_S
    if claims.container in _ESTIMATED_CONTAINERS:
        tolerance_s = max(tolerance_s, claims.declared_s * _ESTIMATE_TOLERANCE)
    found_s = samples / SAMPLE_RATE_HZ
    if found_s < claims.declared_s - tolerance_s:
        raise SourceTruncatedError(claims.path.name, claims.declared_s, round(found_s, 3), "s")


def _check_wav_size(claims: SourceClaims) -> None:
    """Compare the size of a WAV's data chunk with what is there.

    The header is RIFF (IBM and Microsoft, Multimedia Programming Interface 1.0) or RF64, whose real
    sizes stand in a ds64 chunk (EBU Tech 3306 3.1).
    """
    with claims.path.open("rb") as file:
        head = file.read(12)
        if head[:4] not in {b"RIFF", b"RF64"} or head[8:12] != b"WAVE":
            return
        long_size = None
        while len(chunk := file.read(8)) == 8:
            kind, size = struct.unpack("<4sI", chunk)
            if kind == b"data":
                declared = long_size if size == 0xFFFFFFFF and long_size is not None else size
                found = claims.size_bytes - file.tell()
                if declared in _UNKNOWN_SIZES and found:
                    raise SourceUnfinishedError(claims.path.name)
                if found < declared and declared not in _UNKNOWN_SIZES:
                    raise SourceTruncatedError(claims.path.name, declared, found, "bytes of sound")
                return
            if kind == b"ds64":
                content = file.read(size)
                if len(content) >= 16:
                    # riffSize, then dataSize, both of 64 bits.
                    (long_size,) = struct.unpack_from("<Q", content, 8)
                file.seek(size % 2, 1)
            else:
                # Chunks are padded to an even size.
                file.seek(size + size % 2, 1)
