"""What a source says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from packager.ffmpeg import Tools
from packager.probe import probe, source_url
from tests.sounds import write_wav


async def test_claims_of_a_wav(tmp_path: Path, tools: Tools) -> None:
    """Container, codec, rate, channels and duration are read."""
    source = write_wav(tmp_path / "stereo.wav", 0.5, rate_hz=44_100, channels=2)
    claims = await probe(source, tools)
    assert (claims.container, claims.codec) == ("wav", "pcm_s16le")
    assert (claims.sample_rate_hz, claims.channels, claims.audio_tracks) == (44_100, 2, 1)
    assert claims.declared_s == 0.5
    assert claims.size_bytes == source.stat().st_size


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
