"""What a source says of itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from packager.ffmpeg import Tools
from packager.source.probe import probe, source_url
from tests.packager.films import write_film
from tests.packager.signals import convert
from tests.sounds import write_wav


async def test_claims_of_a_wav(tmp_path: Path, tools: Tools) -> None:
    """Container, codec, rate, channels and duration are read."""
    source = write_wav(tmp_path / "stereo.wav", 0.5, rate_hz=44_100, channels=2)
    claims = await probe(source, tools)
    (track,) = claims.tracks
    assert (claims.container, track.codec, track.layout) == ("wav", "pcm_s16le", None)
    assert (track.sample_rate_hz, track.channels, track.declared_s) == (44_100, 2, 0.5)
    assert claims.size_bytes == source.stat().st_size
    assert claims.picture is None
    assert claims.time_reference is None


async def test_claims_of_a_film(tmp_path: Path, tools: Tools) -> None:
    """Every audio track is listed with language, title, layout and flag, beside the pictures."""
    claims = await probe(write_film(tmp_path / "film.mkv"), tools)
    assert [track.language for track in claims.tracks] == ["eng", "eng", "fre", None]
    assert [track.layout for track in claims.tracks] == ["5.1", "mono", "mono", "mono"]
    assert [track.visual_impaired for track in claims.tracks] == [False, True, False, False]
    assert [track.title for track in claims.tracks] == [None, "Described", None, None]
    assert claims.picture is not None
    assert claims.picture.frame_rate == Fraction(25)


async def test_time_code_of_a_bwf(tmp_path: Path, tools: Tools) -> None:
    """A Broadcast Wave's time reference is read in samples from midnight."""
    plain = write_wav(tmp_path / "plain.wav", 0.5)
    reference = str(3592 * 48_000)
    options = ("-write_bext", "1", "-metadata", f"time_reference={reference}")
    claims = await probe(convert(plain, tmp_path / "bwf.wav", *options), tools)
    assert claims.time_reference == 3592 * 48_000


async def test_cover_is_no_film(tmp_path: Path, tools: Tools) -> None:
    """A sound file with a cover picture has no pictures that could run at a rate."""
    sound = write_wav(tmp_path / "plain.wav", 0.5)
    cover = ("-f", "lavfi", "-i", "color=size=32x32:duration=0.04:rate=25")
    options = ("-map", "0:v", "-map", "1:a", "-c:v", "mjpeg", "-disposition:v", "attached_pic")
    claims = await probe(convert(sound, tmp_path / "covered.flac", *options, before=cover), tools)
    assert claims.picture is None


@pytest.mark.parametrize("name", ["-y.wav", "concat:a.wav", "100%d.wav", "a b'c.wav", "é.wav"])
async def test_name_means_nothing_but_the_file(
    tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A file's name is never taken for an option, a protocol or a pattern."""
    write_wav(tmp_path / name, 0.1)
    monkeypatch.chdir(tmp_path)
    claims = await probe(Path(name), tools)
    assert claims.declared_s == 0.1
    assert source_url(Path(name)) == f"file:{tmp_path}/{name}"
