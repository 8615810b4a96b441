"""A gallery of bad sources, each with the code by which it is refused or reported."""

from __future__ import annotations

import os
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from packager.source.timing import parse_conform
from tests.packager.films import write_film
from tests.packager.signals import RATE_HZ, Sound, convert, silence, speech, tone, write_sound

# Enough for every limit in its default, and quickly made.
SECONDS = 6.0
Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Exhibit:
    """A bad source: *make* writes it into a folder; *order* has what an operator says of it."""

    name: str
    code: str
    make: Make
    order: Mapping[str, Any] = field(default_factory=dict)
    # What the error or finding must say, as far as it matters.
    says: str = ""


def _wav(sound: Sound) -> Make:
    return lambda folder: write_sound(folder / "source.wav", sound)


def _cut(keep: float | int, name: str = "source.wav", *options: str) -> Make:
    """What is left of a good file: a part of it, or so many bytes (less them, if negative)."""

    def make(folder: Path) -> Path:
        source = write_sound(folder / "whole.wav", speech(SECONDS))
        if options or not name.endswith(".wav"):
            source = convert(source, folder / f"whole-{name}", *options)
        content = source.read_bytes()
        end = keep if isinstance(keep, int) else round(len(content) * keep)
        made = folder / name
        made.write_bytes(content[:end])
        return made

    return make


def _patched(
    at: int | None, patch: bytes, name: str = "source.wav", *options: str, size: int | None = None
) -> Make:
    """A good file with other bytes at one place (in its middle, if None), maybe cut to *size*."""

    def make(folder: Path) -> Path:
        source = write_sound(folder / "whole.wav", speech(SECONDS))
        if not name.endswith(".wav"):
            source = convert(source, folder / f"whole-{name}", *options)
        content = bytearray(source.read_bytes()[:size])
        start = len(content) // 2 if at is None else at
        content[start : start + len(patch)] = patch
        made = folder / name
        made.write_bytes(content)
        return made

    return make


def _bytes(content: bytes, name: str = "source.wav") -> Make:
    def make(folder: Path) -> Path:
        made = folder / name
        made.write_bytes(content)
        return made

    return make


def _archive(folder: Path) -> Path:
    made = folder / "source.wav"
    with zipfile.ZipFile(made, "w") as archive:
        archive.write(write_sound(folder / "whole.wav", speech(1.0)), "master.wav")
    return made


def _no_audio(folder: Path) -> Path:
    made = folder / "picture.mkv"
    picture = ("-f", "lavfi", "-i", "color=size=32x32:duration=0.2")
    sound = write_sound(folder / "whole.wav", speech(0.2))
    return convert(sound, made, "-map", "0:v", "-c:v", "ffv1", before=picture)


def _folder(folder: Path) -> Path:
    (folder / "source.wav").mkdir()
    return folder / "source.wav"


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "source.wav")
    return folder / "source.wav"


def _link_to_itself(folder: Path) -> Path:
    (folder / "source.wav").symlink_to("source.wav")
    return folder / "source.wav"


def _below_a_file(folder: Path) -> Path:
    return write_sound(folder / "file.wav", speech(0.1)) / "source.wav"


def _beside(text: str) -> Make:
    """A good source with *text* in the file beside it."""

    def make(folder: Path) -> Path:
        source = write_sound(folder / "source.wav", speech(SECONDS))
        (folder / "source.wav.toml").write_text(text, encoding="utf-8")
        return source

    return make


def _film(**options: Any) -> Make:
    return lambda folder: write_film(folder / "film.mkv", seconds=SECONDS, **options)


def _converted(sound: Sound, name: str, *options: str, rate_hz: int = RATE_HZ) -> Make:
    def make(folder: Path) -> Path:
        whole = write_sound(folder / "whole.wav", sound, rate_hz=rate_hz)
        return convert(whole, folder / name, *options)

    return make


def _stereo(left: Sound, right: Sound) -> Make:
    return _wav(np.column_stack((left, right)))


def _with_hidden_peak(sound: Sound) -> Sound:
    """5 ms at a fourth of the rate, 45 degrees off: its samples stay 3 dB below its peak."""
    hidden = sound.copy()
    hidden[100_000:100_240] = 1.3 * np.sin(np.pi / 2 * np.arange(240) + np.pi / 4)
    return hidden


def _as_long_as(stretch: Fraction) -> Make:
    return _wav(speech(60 * float(stretch)))


_FULL = {"running_time_s": SECONDS}
_MINUTE = {"running_time_s": 60.0}
_PLAYLIST = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n"
)
_UNKNOWN_SIZE = struct.pack("<I", 0xFFFFFFFF)

# Not one sample of these is encoded: they cannot be read whole, or not as what was said of them.
UNREADABLE = (
    Exhibit("cut off within its header", "source-format", _cut(30)),
    Exhibit("cut off after its header", "source-truncated", _cut(0.01)),
    Exhibit("cut off in its first half", "source-truncated", _cut(0.25)),
    Exhibit("cut off in its second half", "source-truncated", _cut(0.75)),
    Exhibit("cut off shortly before its end", "source-truncated", _cut(0.98)),
    Exhibit("its last byte is missing", "source-truncated", _cut(-1)),
    Exhibit("RF64 cut off", "source-truncated", _cut(0.9, "source.wav", "-rf64", "always")),
    Exhibit("FLAC cut off", "source-damaged", _cut(-100_000, "source.flac")),
    Exhibit("AIFF cut off", "source-truncated", _cut(0.6, "source.aiff")),
    Exhibit("MP4 without its end", "source-format", _cut(0.6, "source.m4a", "-c:a", "alac")),
    Exhibit(
        "Matroska cut off",
        "source-truncated",
        _cut(0.6, "source.mka", "-c:a", "flac"),
        says="holds",
    ),
    Exhibit(
        "declares more than it holds",
        "source-truncated",
        # STREAMINFO's number of samples (RFC 9639 8.2: 36 bits, the lower 32 at byte 22).
        _patched(22, struct.pack(">I", 2 * round(SECONDS * RATE_HZ)), "source.flac"),
    ),
    Exhibit("written through a pipe", "source-unfinished", _patched(40, bytes(4))),
    Exhibit("its recorder was stopped", "source-unfinished", _patched(40, _UNKNOWN_SIZE)),
    Exhibit("a header alone", "source-empty", _patched(40, bytes(4), size=44)),
    Exhibit("garbage within FLAC", "source-damaged", _patched(None, b"\xa5" * 20_000, "a.flac")),
    Exhibit(
        "garbage within AAC",
        "source-damaged",
        _patched(None, b"\xa5" * 8_000, "source.m4a", "-movflags", "+faststart"),
    ),
    Exhibit("wrong container: text", "source-format", _bytes(b"A man in a grey coat.\n" * 200)),
    Exhibit("wrong container: an archive", "source-format", _archive),
    Exhibit("wrong container: bytes", "source-format", _bytes(bytes(range(256)) * 400)),
    Exhibit("wrong container: a playlist", "source-format", _bytes(_PLAYLIST, "source.m3u8")),
    Exhibit("pictures without sound", "source-no-audio", _no_audio),
    Exhibit("zero bytes", "source-empty", _bytes(b"")),
    Exhibit("a folder", "source-not-a-file", _folder),
    Exhibit("a named pipe", "source-not-a-file", _pipe),
    Exhibit("no such file", "source-missing", lambda folder: folder / "absent.wav"),
    Exhibit("unreadable: below a file", "source-unreadable", _below_a_file),
    Exhibit("unreadable: a link to itself", "source-unreadable", _link_to_itself),
    Exhibit("no such audio track", "source-audio-track", _film(), {"audio_track": "9"}, "4: no"),
    Exhibit("no such language", "source-audio-track", _film(), {"audio_track": "es"}),
    Exhibit("wrong words beside it", "source-sidecar", _beside("running_time = 'soon'\n")),
    Exhibit("ends before the film", "timing", _wav(speech(2.0)), {"film_starts_at_s": 8.0}),
)

# These decode, and are refused by the quality check.
REFUSED = (
    Exhibit("3 s long", "too-short", _wav(speech(3.0)), {"running_time_s": 3.0}),
    Exhibit("silent", "no-sound", _wav(silence(SECONDS)), _FULL),
    Exhibit(
        "half silence",
        "digital-silence",
        _wav(np.concatenate((speech(SECONDS / 2), silence(SECONDS / 2)))),
        _FULL,
        "no sound at all for 0:03",
    ),
    Exhibit("clipped", "clipping", _wav(np.clip(20 * speech(SECONDS), -1, 1)), _FULL),
    Exhibit(
        "clipped and lowered", "clipping", _wav(np.clip(9 * speech(SECONDS), -0.5, 0.5)), _FULL
    ),
    Exhibit(
        "out of phase", "out-of-phase", _stereo(speech(SECONDS), -0.8 * speech(SECONDS)), _FULL
    ),
    Exhibit(
        "out of phase for a second",
        "out-of-phase",
        _stereo(speech(SECONDS), speech(SECONDS) * np.repeat([1, 1, -1, 1, 1, 1], RATE_HZ)),
        _FULL,
        "in 1 of 6 seconds",
    ),
    Exhibit(
        "5.1 whose front is out of phase",
        "out-of-phase",
        _wav(
            np.column_stack(
                [speech(SECONDS), -0.8 * speech(SECONDS), *[0.01 * speech(SECONDS)] * 4]
            )
        ),
        _FULL,
    ),
    Exhibit("its end is missing", "running-time", _wav(speech(40)), _MINUTE, "20.0 s before"),
    Exhibit("of a longer cut", "running-time", _wav(speech(66)), _MINUTE, "6.0 s after"),
    Exhibit(
        "25 fps for a film at 24",
        "frame-rate",
        _as_long_as(Fraction(24, 25)),
        _MINUTE,
        "--conform 25:24",
    ),
    Exhibit(
        "23.976 fps for a film at 24",
        "frame-rate",
        _as_long_as(Fraction(1001, 1000)),
        _MINUTE,
        "--conform 24000/1001:24",
    ),
    Exhibit(
        "conformed although it fitted",
        "frame-rate",
        _wav(speech(60)),
        {"running_time_s": 60.0, "conform": parse_conform("25:24")},
        "leave out --conform",
    ),
    Exhibit(
        "a film file at 25 fps",
        "frame-rate",
        _film(rate="25"),
        {"audio_track": "2"},
        "--conform 25:24",
    ),
    Exhibit(
        "not the file that was sent",
        "digest",
        _beside(f'running_time = {SECONDS}\nsha256 = "{"0" * 64}"\n'),
    ),
)

# These are published, with the finding shown and kept.
REPORTED = (
    Exhibit("dead channel", "channel-dead", _stereo(speech(SECONDS), silence(SECONDS)), _FULL),
    Exhibit("DC offset", "dc-offset", _wav(speech(SECONDS) + 0.01), _FULL, "+0.99 %"),
    Exhibit("very quiet", "loudness-low", _wav(0.01 * speech(SECONDS)), _FULL),
    Exhibit(
        "peaks that forbid the loudness",
        "loudness-limited",
        # One syllable that is shouted.
        _wav(speech(SECONDS) * np.repeat([0.05] * 29 + [1.0] + [0.05] * 30, RATE_HZ // 10)),
        _FULL,
        "instead of -18",
    ),
    Exhibit(
        "from a whisper to a shout",
        "loudness-range",
        _wav(np.concatenate((0.083 * speech(14), speech(14)))),
        {"running_time_s": 28.0},
    ),
    Exhibit(
        "peaks between its samples",
        "true-peak",
        _wav(_with_hidden_peak(speech(SECONDS))),
        _FULL,
    ),
    Exhibit("nobody knows how long", "running-time-unknown", _wav(speech(SECONDS))),
    Exhibit("of a telephone", "narrow-band", _converted(speech(SECONDS), "a.wav", "-ar", "16000")),
    Exhibit("compressed before", "lossy-source", _converted(speech(SECONDS), "source.mp3")),
    Exhibit(
        "a leader before the film",
        "leader",
        _converted(
            speech(SECONDS + 8),
            "source.wav",
            *("-write_bext", "1", "-metadata", f"time_reference={3592 * RATE_HZ}"),
        ),
        says="--film-starts-at 0:08.0",
    ),
    Exhibit(
        "a tone of the line-up in it",
        "running-time",
        _wav(np.concatenate((tone(-18, 5), speech(SECONDS)))),
        {"running_time_s": SECONDS, "accepted": frozenset({"running-time"})},
        "5.0 s after",
    ),
)

_FAILURES = "tests/packager/test_storage_failures.py"

# What no file can show: the place where the test stands.
ELSEWHERE = {
    "disk full while staging": f"{_FAILURES}::test_disk_full_while_staging",
    "storage gone in the middle": f"{_FAILURES}::test_folder_that_goes_away_in_the_middle",
    "bucket gone in the middle": f"{_FAILURES}::test_s3_server_dies_in_the_middle_of_an_upload",
}
