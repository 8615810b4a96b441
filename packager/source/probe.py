"""First look at a source: whether it is a file with sound, and what it says of itself."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from packager.errors import (
    SourceEmptyError,
    SourceFolderError,
    SourceFormatError,
    SourceMissingError,
    SourceSilentError,
    SourceUnreadableError,
    TimingError,
    ToolFailedError,
)
from packager.ffmpeg import Tools, read_all
from packager.source.timing import parse_timecode


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """One audio track as its container describes it; None where it does not say.

    `index` counts the file's audio tracks from 0. `visual_impaired` is the container's own flag
    for audio description. `declared_s` is the length that the track claims, `starts_s` when it
    begins in the file's own time.
    """

    index: int
    language: str | None
    title: str | None
    channels: int
    layout: str | None
    sample_rate_hz: int
    codec: str
    visual_impaired: bool
    default: bool
    declared_s: float | None
    starts_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """The pictures of a film file: when the first is shown, in the file's own time."""

    frame_rate: Fraction
    starts_s: float
    duration_s: float | None


@dataclass(frozen=True, slots=True)
class SourceClaims:
    """What a source says of itself.

    `picture` is None in a sound file. `time_reference` is a BWF's first sample counted from
    midnight, at the track's own rate (EBU Tech 3285 2.3).
    """

    path: Path
    size_bytes: int
    container: str
    tracks: tuple[AudioTrack, ...]
    picture: Picture | None
    time_reference: int | None

    @property
    def declared_s(self) -> float | None:
        """What the first audio track declares."""
        return self.tracks[0].declared_s


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
        "-show_streams",  # tracks with codec, rate, channels, duration, language, flags
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
    streams, container = answer.get("streams", []), answer.get("format", {})
    sounds = [stream for stream in streams if stream.get("codec_type") == "audio"]
    if not sounds:
        raise SourceSilentError(path.name)
    reference = container.get("tags", {}).get("time_reference", "")
    return SourceClaims(
        path=path,
        size_bytes=size_bytes,
        container=container.get("format_name", ""),
        tracks=tuple(
            _audio_track(path, index, stream, container) for index, stream in enumerate(sounds)
        ),
        picture=_picture(streams),
        time_reference=int(reference) if reference.isdecimal() else None,
    )


def _audio_track(
    path: Path, index: int, stream: dict[str, Any], container: dict[str, Any]
) -> AudioTrack:
    rate_hz, channels = int(stream.get("sample_rate", 0)), int(stream.get("channels", 0))
    if rate_hz <= 0 or channels <= 0:
        raise SourceFormatError(
            path.name, f"its audio track {index + 1} has {channels} channels, {rate_hz} Hz"
        )
    declared_s = _duration_s(stream)
    if declared_s is None:
        declared_s = _duration_s(container)
    tags, flags = stream.get("tags", {}), stream.get("disposition", {})
    language = tags.get("language")
    return AudioTrack(
        index=index,
        # "und" is undetermined (ISO 639-2).
        language=None if language in {None, "", "und"} else language,
        title=tags.get("title"),
        channels=channels,
        layout=stream.get("channel_layout"),
        sample_rate_hz=rate_hz,
        codec=stream.get("codec_name", "unknown"),
        visual_impaired=bool(flags.get("visual_impaired")),
        default=bool(flags.get("default")),
        declared_s=declared_s,
        starts_s=float(stream.get("start_time", 0.0)),
    )


def _duration_s(described: dict[str, Any]) -> float | None:
    """Length of a track or a container; Matroska has a track's in a tag alone (RFC 9559 24.4)."""
    if "duration" in described:
        return float(described["duration"])
    # Hours, minutes, seconds and nanoseconds, of which we read micros.
    text = described.get("tags", {}).get("DURATION", "")[:15]
    try:
        return parse_timecode(text)
    except TimingError:
        return None


def _picture(streams: list[dict[str, Any]]) -> Picture | None:
    for stream in streams:
        # A sound file's cover is a "video track" of one picture.
        cover = stream.get("disposition", {}).get("attached_pic")
        numerator, _, denominator = stream.get("avg_frame_rate", "0/0").partition("/")
        if stream.get("codec_type") != "video" or cover or 0 in {int(numerator), int(denominator)}:
            continue
        return Picture(
            frame_rate=Fraction(int(numerator), int(denominator)),
            starts_s=float(stream.get("start_time", 0.0)),
            duration_s=_duration_s(stream),
        )
    return None


def _without_path(reason: str, path: Path) -> str:
    """Reason without the file's name, which the error has already."""
    return reason.replace(f"{source_url(path)}: ", "").strip()
