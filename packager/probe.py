"""First look at a source: whether it is a file with sound, and what it says of itself."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packager.errors import (
    SourceEmptyError,
    SourceFolderError,
    SourceFormatError,
    SourceMissingError,
    SourceSilentError,
    SourceUnreadableError,
    ToolFailedError,
)
from packager.ffmpeg import Tools, read_all


@dataclass(frozen=True, slots=True)
class SourceClaims:
    """What a source says of itself; `declared_s` is None where it does not say."""

    path: Path
    size_bytes: int
    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    audio_tracks: int
    declared_s: float | None


def source_url(path: Path) -> str:
    """Name *path* to ffmpeg so that it can be nothing but that file.

    The prefix keeps a name such as `concat:a` or `-y` from meaning something.
    """
    return f"file:{path.absolute()}"


async def probe(path: Path, tools: Tools) -> SourceClaims:
    """Read what *path* claims; raises a SourceError where it is no readable sound."""
    size_bytes = _size_of_readable_file(path)
    command = [
        tools.ffprobe,
        "-hide_banner",  # no versions among the errors that we quote
        *("-loglevel", "error"),  # only what is wrong
        # A playlist given as a source must not make us open the network.
        *("-protocol_whitelist", "file,pipe"),
        *("-output_format", "json"),  # the one form that is read below
        "-show_format",  # container and its duration
        "-show_streams",  # audio tracks with codec, rate, channels, duration
        source_url(path),
    ]
    try:
        answer = json.loads(await read_all(path.name, command))
    except ToolFailedError as error:
        reason = error.last_lines[-1] if error.last_lines else "ffprobe said nothing"
        raise SourceFormatError(path.name, _without_path(reason, path)) from error
    return _claims(path, size_bytes, answer)


def _size_of_readable_file(path: Path) -> int:
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise SourceMissingError(str(path)) from error
    except OSError as error:
        raise SourceUnreadableError(str(path), error.strerror or str(error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceFolderError(str(path))
    if not os.access(path, os.R_OK):
        raise SourceUnreadableError(str(path), "permission denied")
    if status.st_size == 0:
        raise SourceEmptyError(str(path))
    return status.st_size


def _claims(path: Path, size_bytes: int, answer: dict[str, Any]) -> SourceClaims:
    streams = answer.get("streams", [])
    tracks = [stream for stream in streams if stream.get("codec_type") == "audio"]
    if not tracks:
        raise SourceSilentError(path.name)
    track, container = tracks[0], answer.get("format", {})
    rate_hz, channels = int(track.get("sample_rate", 0)), int(track.get("channels", 0))
    if rate_hz <= 0 or channels <= 0:
        raise SourceFormatError(path.name, f"its audio track has {channels} channels, {rate_hz} Hz")
    declared = track.get("duration", container.get("duration"))
    return SourceClaims(
        path=path,
        size_bytes=size_bytes,
        container=container.get("format_name", ""),
        codec=track.get("codec_name", "unknown"),
        sample_rate_hz=rate_hz,
        channels=channels,
        audio_tracks=len(tracks),
        declared_s=None if declared is None else float(declared),
    )


def _without_path(reason: str, path: Path) -> str:
    """Reason without the file's name, which the error has already."""
    return reason.replace(f"{source_url(path)}: ", "").strip()
