"""Sounds made of arithmetic, and files of every form that hold them."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from packager.ffmpeg import find_tools
from packager.settings import PackagerSection

Sound = NDArray[np.float64]

RATE_HZ = 48_000


def tone(dbfs: float, seconds: float, *, hz: float = 1000.0, rate_hz: int = RATE_HZ) -> Sound:
    """A sine whose peak has *dbfs*."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    wave_: Sound = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * times)
    return wave_


def silence(seconds: float, *, rate_hz: int = RATE_HZ) -> Sound:
    """Digital silence."""
    return np.zeros(round(seconds * rate_hz))


def speech(seconds: float, *, rate_hz: int = RATE_HZ, seed: int = 1) -> Sound:
    """Noise in syllables under -10 dBFS, with short pauses; it is like itself at lag 0 alone."""
    chance = np.random.default_rng(seed)
    total = round(seconds * rate_hz)
    parts: list[Sound] = [np.zeros(0)]
    while sum(map(len, parts)) < total:
        size = round(chance.uniform(0.12, 0.3) * rate_hz)
        envelope = np.sin(np.pi * np.arange(size) / size) ** 0.5
        syllable = np.convolve(chance.standard_normal(size), np.ones(4) / 4, "same")
        parts += [envelope * np.clip(0.12 * syllable, -0.3, 0.3)]
        parts += [np.zeros(round(chance.uniform(0.03, 0.1) * rate_hz))]
    return np.concatenate(parts)[:total]


def write_sound(path: Path, sound: Sound, *, rate_hz: int = RATE_HZ) -> Path:
    """Write *sound*, of shape (samples,) or (samples, channels), as 24-bit WAV."""
    rows = sound[:, np.newaxis] if sound.ndim == 1 else sound
    values = np.clip(np.round(rows * (1 << 23)), -(1 << 23), (1 << 23) - 1).astype("<i4")
    # The three lower bytes of each.
    content = values.reshape(-1, 1).view("u1").reshape(-1, 4)[:, :3].tobytes()
    with wave.open(str(path), "wb") as out:
        out.setnchannels(rows.shape[1])
        out.setsampwidth(3)
        out.setframerate(rate_hz)
        out.writeframes(content)
    return path


def convert(source: Path, made: Path, *options: str, before: tuple[str, ...] = ()) -> Path:
    """Let ffmpeg make *made* of *source*."""
    ffmpeg = find_tools(PackagerSection()).ffmpeg
    command = [ffmpeg, "-v", "error", *before, "-i", str(source), *options, str(made)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return made


def prepared_sound(path: Path) -> NDArray[np.float32]:
    """What lies in a prepared.f32."""
    return np.fromfile(path, np.dtype("<f4"))
