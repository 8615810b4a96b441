"""The demo track: a voice that says the film's time every ten seconds, over the time code.

Whoever listens hears whether Tell is in sync: "twelve minutes, thirty seconds" begins at exactly
that instant of the film. The voice is eSpeak NG from the package registry, called through ctypes,
so that no package of the operating system is needed.

    python -m demo.voice OUT.wav --minutes 25 --title "One Week"
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from demo import timecode

_EVERY_S = 10
# The voice peaks here; with the code at -26 dBFS the sum never clips.
_VOICE_PEAK = 10 ** (-6 / 20)
# The first sound of an utterance is where it rises above this share of its peak.
_ONSET = 0.02

# speak_lib.h of eSpeak NG 1.52: the calls and constants that this file uses.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_OK = 0
_SYNTH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class VoiceError(Exception):
    """The voice cannot speak; the message says at which call."""

    code = "voice"


@functools.cache
def _engine() -> tuple[Any, int]:
    """The library, initialised, and its sample rate: global to the process, so done once.

    A second espeak_Initialize leaves the next call waiting for ever.
    """
    library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
    data = str(espeakng_loader.get_data_path()).encode()
    rate_hz = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _INITIALIZE_DONT_EXIT)
    if rate_hz <= 0:
        raise VoiceError("espeak_Initialize refused its data folder")
    return library, int(rate_hz)


class Voice:
    """eSpeak NG in this process: use one voice at a time, in one thread."""

    def __init__(self, name: str = "en-us") -> None:
        self._library, self.rate_hz = _engine()
        self._check("espeak_SetVoiceByName", self._library.espeak_SetVoiceByName(name.encode()))
        self._pieces: list[NDArray[np.int16]] = []
        # The library keeps the pointer, so the callback must live as long as this object.
        self._callback = _SYNTH_CALLBACK(self._take)

    def say(self, text: str) -> timecode.Samples:
        """*text* as 48 kHz samples that begin with its first sound, peaking at -6 dBFS."""
        self._pieces.clear()
        self._library.espeak_SetSynthCallback(self._callback)
        data = text.encode()
        self._check(
            "espeak_Synth",
            self._library.espeak_Synth(
                data, ctypes.c_size_t(len(data) + 1), 0, 0, 0, _CHARS_UTF8, None, None
            ),
        )
        self._check("espeak_Synchronize", self._library.espeak_Synchronize())
        if not self._pieces:
            raise VoiceError(f"no sound came for {text!r}")
        sound = _resample(np.concatenate(self._pieces) / 32768.0, self.rate_hz)
        peak = float(np.max(np.abs(sound)))
        onset = int(np.argmax(np.abs(sound) > _ONSET * peak))
        return (sound[onset:] * (_VOICE_PEAK / peak)).astype(np.float32)

    def _take(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
        return 0

    @staticmethod
    def _check(call: str, status: int) -> None:
        if status != _OK:
            raise VoiceError(f"{call} answered {status}")


def spoken_time(film_s: int) -> str:
    """The film's time as a narrator says it: "12 minutes, 30 seconds"."""
    parts = [(film_s // 3600, "hour"), (film_s // 60 % 60, "minute"), (film_s % 60, "second")]
    words = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts if count]
    return ", ".join(words) or "zero"


def write_demo_track(
    path: Path, duration_s: int, title: str, on_progress: Callable[[float], None] | None = None
) -> None:
    """Write the track of a film of *duration_s* whole seconds: 48 kHz, mono, 16 bit.

    One block of ten seconds is in memory at a time. *on_progress* gets the share done, 0 to 1.
    """
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(timecode.RATE_HZ)
        written = 0
        for block in demo_track(duration_s, title):
            out.writeframes(np.round(block * 32767).astype("<i2").tobytes())
            written += len(block)
            if on_progress is not None:
                on_progress(written / (duration_s * timecode.RATE_HZ))


def demo_track(duration_s: int, title: str) -> Iterator[timecode.Samples]:
    """Yield the track in blocks of ten seconds, the last one shorter."""
    voice = Voice()
    code = timecode.encode(duration_s)
    for start in range(0, duration_s, _EVERY_S):
        seconds = min(_EVERY_S, duration_s - start)
        block = np.concatenate([next(code) for _ in range(seconds)])
        line = voice.say(
            f"{title}. The demonstration begins." if start == 0 else spoken_time(start)
        )
        # A long title is faded out rather than spoken over the next line.
        line = line[: len(block)]
        fade = min(len(line), timecode.RATE_HZ // 50)
        line[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
        block[: len(line)] += line
        yield block


def _resample(sound: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    """To 48 kHz by the exact band-limited (Fourier) interpolation; fine for a few seconds."""
    common = int(np.gcd(rate_hz, timecode.RATE_HZ))
    # A length that both rates divide evenly, with a little silence so that the ends do not meet.
    unit = rate_hz // common
    blocks = -(-(len(sound) + rate_hz // 20) // unit)
    padded = np.zeros(blocks * unit)
    padded[: len(sound)] = sound
    length = blocks * (timecode.RATE_HZ // common)
    return np.fft.irfft(np.fft.rfft(padded), length) * (length / len(padded))


def main() -> None:
    """`python -m demo.voice`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--title", default="Demonstration film")
    options = parser.parse_args()
    write_demo_track(options.out, round(options.minutes * 60), options.title)


if __name__ == "__main__":
    main()
