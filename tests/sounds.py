"""Sounds and tracks for tests: really encoded, short, and the same each time."""

from __future__ import annotations

import array
import math
import random
import subprocess
import sys
import wave
from datetime import UTC, datetime
from itertools import pairwise
from operator import mul
from pathlib import Path

from media.storage import LocalStorage
from media.track import Track
from packager.encoding.ladder import DEFAULT_LADDER
from packager.ffmpeg import find_tools
from packager.pipeline import TrackOrder, add_track
from packager.settings import PackagerSection

# One rendition of each codec: enough for all that is not about the ladder, and quick to encode.
SMALL_LADDER = ("aac-64k", "opus-48k")
FULL_LADDER = DEFAULT_LADDER


def published_at() -> datetime:
    """When every track of the tests was published: their packager's clock."""
    return datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def speech_like(seconds: float, rate_hz: int = 48_000, seed: int = 1) -> array.array[int]:
    """Mono 16-bit samples: breathy syllables of a gliding voice with pauses; no part repeats.

    It correlates with itself at lag 0 alone, which makes a shift of one sample measurable.
    """
    # Not a secret: the same seed must give the same sound.
    chance = random.Random(seed)  # noqa: S311
    samples = array.array("h")
    total = round(seconds * rate_hz)
    phase = 0.0
    while len(samples) < total:
        length = round(chance.uniform(0.12, 0.3) * rate_hz)
        # A wide glide: a steady pitch would look the same one period later.
        pitches_hz = [chance.uniform(100, 180), chance.uniform(300, 500)]
        chance.shuffle(pitches_hz)
        glide = (pitches_hz[1] - pitches_hz[0]) / length
        for i in range(length):
            phase += 2 * math.pi * (pitches_hz[0] + glide * i) / rate_hz
            envelope = math.sin(math.pi * i / length) ** 0.5
            voice = sum(math.sin(phase * h) / h for h in (1, 2, 3, 5, 8))
            breath = chance.uniform(-1, 1)
            samples.append(round(envelope * (4500 * voice + 600 * breath)))
        samples.extend([0] * round(chance.uniform(0.03, 0.1) * rate_hz))
    return samples[:total]


def write_wav(
    path: Path, seconds: float, *, rate_hz: int = 48_000, channels: int = 1, seed: int = 1
) -> Path:
    """Write *seconds* of speech-like sound as 16-bit PCM, the same in all channels."""
    mono = speech_like(seconds, rate_hz, seed)
    samples = mono
    if channels > 1:
        samples = array.array("h", (value for value in mono for _ in range(channels)))
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(samples.tobytes())
    return path


def write_noise(path: Path, seconds: float) -> Path:
    """Write *seconds* of white noise as mono 16-bit PCM at 48 kHz: long ones are made at once."""
    # Not a secret: the same noise each time.
    noise = random.Random(1)  # noqa: S311
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48_000)
        out.writeframes(noise.randbytes(2 * round(seconds * 48_000)))
    return path


def decode_samples(path: Path) -> array.array[int]:
    """All samples that ffmpeg decodes from *path*, as it stands (its own rate and channels)."""
    command = [find_tools(PackagerSection()).ffmpeg, "-v", "error", "-xerror", "-i", str(path)]
    sound = subprocess.run([*command, "-f", "s16le", "-"], check=True, capture_output=True).stdout
    samples = array.array("h", sound)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def lag_samples(
    source: array.array[int], decoded: array.array[int], at: int, *, size: int = 4096
) -> int:
    """By how many samples *decoded* is late against *source* around sample *at*, within 1,500.

    It compares steps between samples: Opus's filter against DC moves the phase of a low voice.
    """
    source, decoded = _steps(source[at : at + size + 1]), _steps(decoded)
    window = source[:size]
    scores = {}
    for lag in range(-1500, 1501):
        there = decoded[at + lag : at + lag + size]
        # Without the energy the loudest place would win, not the likest.
        scores[lag] = sum(map(mul, window, there)) / math.sqrt(sum(map(mul, there, there)) or 1)
    return max(scores, key=scores.__getitem__)


def _steps(samples: array.array[int]) -> array.array[int]:
    return array.array("i", (after - before for before, after in pairwise(samples)))


async def publish_short_track(
    root: Path,
    movie_id: str,
    language: str = "en",
    seconds: float = 12.0,
    track_offset_s: float = 0.0,
    *,
    title: str | None = None,
    ladder: tuple[str, ...] = SMALL_LADDER,
    seed: int = 1,
    sound: Path | None = None,
) -> Track:
    """Package *seconds* of sound into the storage folder *root* (`media.root`); takes about 2 s.

    Another *seed* gives other sound, and so another version of the same track; *sound* is a file
    to package in its place.
    """
    root.mkdir(parents=True, exist_ok=True)
    source = sound
    if source is None:
        source = write_wav(root.parent / f"{movie_id}-{language}-{seed}.wav", seconds, seed=seed)
    settings = PackagerSection(ladder=list(ladder))
    order = TrackOrder(
        source=source,
        movie_id=movie_id,
        language=language,
        title=movie_id if title is None else title,
        track_offset_s=track_offset_s,
        # Seconds are enough for what is tested, and too few for a film.
        accepted=frozenset({"too-short", "no-sound"}),
    )
    return await add_track(
        order, LocalStorage(root), find_tools(settings), settings, clock=published_at
    )
