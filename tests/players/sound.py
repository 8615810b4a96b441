"""A voice with a time code in it, packaged; and how far a decoded piece lies from its source."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from demo import timecode
from media.grid import SAMPLE_RATE_HZ
from media.track import Rendition, Track
from tests.sounds import FULL_LADDER, publish_short_track, speech_like

Samples = NDArray[np.float32]

SECONDS = 42
# The voice is a little softer than in other tests, so that the code is read on the lowest rung too.
_VOICE = 0.5
# How far a decoder may be off and still be found: far over any priming.
_MOST_LAG = 4096
# Steps are mostly the high bands, which low rungs keep least of (0.44 was seen); of two sounds that
# have nothing to do with each other, 32,768 samples are 0.03 alike at most.
_LEAST_LIKE = 0.2


@dataclass(frozen=True)
class Packaged:
    """A published track, its folder, and the sound that it was made from, as floats at 48 kHz."""

    track: Track
    folder: Path
    source: Samples

    def path(self, rendition: Rendition) -> Path:
        """File of a rendition."""
        return self.folder / rendition.file_name


async def package_voice(folder: Path) -> Packaged:
    """Package the whole ladder of one voice with a time code from second 0 on."""
    voice = np.frombuffer(speech_like(SECONDS).tobytes(), dtype=np.int16) / 32768 * _VOICE
    code = np.concatenate(list(timecode.encode(SECONDS)))
    sound = np.round((voice + code) * 32767).astype("<i2")
    path = folder / "voice.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE_HZ)
        out.writeframes(sound.tobytes())
    root = folder / "media"
    track = await publish_short_track(root, "one-week", sound=path, ladder=FULL_LADDER)
    return Packaged(track, root / track.prefix, sound.astype(np.float32) / 32768)


def lag_samples(source: Samples, begins_at: int, piece: Samples) -> float:
    """By how many samples *piece* is late against where it should lie, *begins_at* of *source*.

    The peak of the cross-correlation, interpolated. Steps between samples are compared: Opus's
    filter against DC moves the phase of a low voice. Raises AssertionError where the piece is
    nowhere near, or is not this sound.
    """
    margin = _MOST_LAG
    low, high = begins_at - margin, begins_at + len(piece) + margin
    there = np.zeros(high - low)
    inside = source[max(0, low) : high]
    there[max(0, -low) : max(0, -low) + len(inside)] = inside
    a, b = np.diff(there), np.diff(np.asarray(piece, dtype=np.float64))
    size = 1 << (len(a) + len(b)).bit_length()
    scores = np.fft.irfft(np.fft.rfft(a, size) * np.conj(np.fft.rfft(b, size)), size)
    scores = scores[: 2 * margin + 1]
    best = int(np.argmax(scores))
    energy = float(np.sum(a[best : best + len(b)] ** 2) * np.sum(b**2)) ** 0.5
    likeness = scores[best] / energy
    assert likeness > _LEAST_LIKE, f"not this sound: {likeness:.2f} alike at best"
    assert 0 < best < 2 * margin, "nowhere near"
    left, centre, right = (float(s) for s in scores[best - 1 : best + 2])
    peak = best + 0.5 * (left - right) / (left - 2 * centre + right)
    # It lies *later* in the decoded piece the *earlier* it is found in the source.
    return margin - peak
