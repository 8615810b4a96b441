"""Sources of every kind, decoded once: right to the sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from packager.errors import SourceDamagedError, SourceEmptyError, TimingError
from packager.ffmpeg import Tools
from packager.source.decoding import Listeners, decode_source
from packager.source.probe import probe
from packager.source.selection import select_audio_track
from tests.packager.films import write_film
from tests.packager.signals import RATE_HZ, convert, speech, write_sound


class Heard:
    """Keeps all that is heard."""

    def __init__(self) -> None:
        self._mono: list[NDArray[np.float32]] = []
        self._channels: list[NDArray[np.float32]] = []

    @property
    def listeners(self) -> Listeners:
        return Listeners(
            mono=lambda block: self._mono.append(block.copy()),
            channels=lambda block: self._channels.append(block.copy()),
        )

    @property
    def mono(self) -> NDArray[np.float32]:
        return np.concatenate(self._mono)

    @property
    def channels(self) -> NDArray[np.float32]:
        return np.concatenate(self._channels)


async def _decode(
    source: Path, tools: Tools, *, wanted: str | None = None, film_starts_at_s: float = 0.0
) -> Heard:
    claims = await probe(source, tools)
    heard = Heard()
    track = select_audio_track(claims, wanted)
    await decode_source(claims, track, film_starts_at_s, tools, heard.listeners)
    return heard


def _lag(sound: NDArray[np.float32], reference: NDArray[np.float64]) -> int:
    """By how many samples *sound* is late, by correlation over all of it."""
    size = 1 << (len(sound) + len(reference)).bit_length()
    product = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(reference, size))
    peak = int(np.fft.irfft(product, size).argmax())
    return peak if peak < size // 2 else peak - size


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bwf.wav", ("-c:a", "pcm_s24le", "-write_bext", "1", "-metadata", "originator=Studio")),
        ("big.wav", ("-c:a", "pcm_s16le", "-rf64", "always")),
        ("apple.aiff", ("-c:a", "pcm_s24be")),
        ("small.flac", ("-sample_fmt", "s16")),
        ("floats.wav", ("-c:a", "pcm_f32le")),
        ("bytes.wav", ("-c:a", "pcm_u8")),
        ("apple.m4a", ("-c:a", "alac")),
        ("sony.w64", ("-c:a", "pcm_s16le")),
    ],
)
async def test_container_is_read_to_the_sample(
    tmp_path: Path, tools: Tools, name: str, options: tuple[str, ...]
) -> None:
    """BWF, RF64, AIFF, FLAC and others give the samples that went in, and as many."""
    sound = speech(2.3)
    source = convert(write_sound(tmp_path / "made.wav", sound), tmp_path / name, *options)
    heard = await _decode(source, tools)
    assert len(heard.mono) == len(sound)
    assert np.abs(heard.mono - sound).max() < 0.01
    assert np.array_equal(heard.channels[:, 0], heard.mono)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 32_000, 44_100, 88_200, 96_000])
async def test_rate_is_changed_without_a_shift(tmp_path: Path, tools: Tools, rate_hz: int) -> None:
    """16 to 96 kHz: as long as before, and each instant where it was; channels keep their rate."""
    sound = speech(2.0, rate_hz=rate_hz)
    heard = await _decode(write_sound(tmp_path / "a.wav", sound, rate_hz=rate_hz), tools)
    assert len(heard.mono) == 2 * RATE_HZ
    assert heard.channels.shape == (2 * rate_hz, 1)
    # Looked at again at its own rate.
    times = np.arange(len(sound)) * RATE_HZ / rate_hz
    again = np.interp(times, np.arange(len(heard.mono)), heard.mono).astype(np.float32)
    assert _lag(again, sound) == 0


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6])
async def test_channels_are_mixed(tmp_path: Path, tools: Tools, channels: int) -> None:
    """Mono to 5.1: the mix is no louder than its channels, and they come unmixed beside it."""
    sound = speech(1.5)
    source = write_sound(tmp_path / "a.wav", np.column_stack([sound] * channels))
    heard = await _decode(source, tools)
    assert heard.channels.shape == (len(sound), channels)
    assert _lag(heard.mono, sound) == 0
    ratio = float(np.dot(heard.mono, sound) / np.dot(sound, sound))
    assert ratio == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
async def test_leader_is_cut_to_the_sample(tmp_path: Path, tools: Tools, rate_hz: int) -> None:
    """What is before the film's start is gone from the mono and from the channels alike."""
    leader, film = speech(8.0, rate_hz=rate_hz, seed=2), speech(2.0, rate_hz=rate_hz)
    source = write_sound(tmp_path / "a.wav", np.concatenate((leader, film)), rate_hz=rate_hz)
    heard = await _decode(source, tools, film_starts_at_s=8.0)
    assert len(heard.mono) == 2 * RATE_HZ
    assert np.abs(heard.channels[:, 0] - film).max() < 1e-6


async def test_film_that_starts_after_the_end_is_an_error(tmp_path: Path, tools: Tools) -> None:
    """A leader longer than the source is a mistake of the option, and said so."""
    source = write_sound(tmp_path / "a.wav", speech(1.0))
    with pytest.raises(TimingError, match="--film-starts-at"):
        await _decode(source, tools, film_starts_at_s=2.0)


@pytest.mark.parametrize("name", ["film.mkv", "film.mov"])
@pytest.mark.parametrize("late_s", [0.0, 0.5, -0.5])
async def test_track_of_a_film_lies_where_its_pictures_are(
    tmp_path: Path, tools: Tools, name: str, late_s: float
) -> None:
    """The wanted track is heard, from the first picture on: one that begins late is late."""
    film = write_film(tmp_path / name, late_s=late_s)
    heard = await _decode(film, tools, wanted="2")
    assert _lag(heard.mono, speech(2.0)) == round(late_s * RATE_HZ)


async def test_damage_says_where(tmp_path: Path, tools: Tools) -> None:
    """A source that does not decode is refused with about the time at which it stops."""
    source = convert(write_sound(tmp_path / "a.wav", speech(20.0)), tmp_path / "a.flac")
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\x55" * 20_000
    source.write_bytes(content)
    with pytest.raises(SourceDamagedError, match=r"after about (9|10)\.\d s"):
        await _decode(source, tools)


async def test_no_sample_is_no_sound(tmp_path: Path, tools: Tools) -> None:
    """A header alone is an empty source."""
    with pytest.raises(SourceEmptyError):
        await _decode(write_sound(tmp_path / "a.wav", np.zeros(0)), tools)


async def test_listener_that_fails_ends_it(tmp_path: Path, tools: Tools) -> None:
    """An error of a listener ends ffmpeg and comes out, in the middle of a stereo source too."""
    source = write_sound(tmp_path / "a.wav", np.column_stack([speech(30.0)] * 2))
    claims = await probe(source, tools)

    def fail(_: NDArray[np.float32]) -> None:
        raise OSError(28, "No space left on device")

    listeners = Listeners(mono=fail, channels=lambda _: None)
    with pytest.raises(OSError, match="No space"):
        await decode_source(claims, claims.tracks[0], 0.0, tools, listeners)
