"""What a WAV's header promises against what is there."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from packager.errors import SourceTruncatedError, SourceUnfinishedError
from packager.source.wavfile import check_wav_size


def _chunk(kind: bytes, content: bytes, size: int | None = None) -> bytes:
    padding = b"\0" * (len(content) % 2)
    declared = len(content) if size is None else size
    return kind + struct.pack("<I", declared) + content + padding


def _check(folder: Path, form: bytes, *chunks: bytes) -> None:
    path = folder / "a.wav"
    path.write_bytes(form + bytes(4) + b"WAVE" + b"".join(chunks))
    check_wav_size(path, path.stat().st_size)


FORMAT = _chunk(b"fmt ", bytes(16))
ODD = _chunk(b"LIST", b"abc")
LONG_SIZE = 0xFFFFFFFF


def _ds64(data_size: int) -> bytes:
    return _chunk(b"ds64", struct.pack("<QQQI", 0, data_size, 0, 0))


@pytest.mark.parametrize("form", [b"RIFF", b"RF64", b"BW64"])
def test_whole_file_passes(tmp_path: Path, form: bytes) -> None:
    """The data chunk is found behind chunks of odd size, and its size in ds64 where it stands."""
    size = None if form == b"RIFF" else LONG_SIZE
    chunks = (FORMAT, ODD, _chunk(b"data", bytes(100), size))
    _check(tmp_path, form, *(chunks if size is None else (_ds64(100), *chunks)))


@pytest.mark.parametrize(
    "chunks",
    [
        (FORMAT, _chunk(b"data", bytes(98), 100)),
        (_ds64(5_000_000_000), FORMAT, _chunk(b"data", bytes(100), LONG_SIZE)),
    ],
)
def test_missing_bytes_are_counted(tmp_path: Path, chunks: tuple[bytes, ...]) -> None:
    """Bytes that are missing make a cut-off file, and the error says how many there are."""
    form = b"RIFF" if len(chunks) == 2 else b"RF64"
    with pytest.raises(SourceTruncatedError, match=r"holds (98|100)\b") as caught:
        _check(tmp_path, form, *chunks)
    assert caught.value.declared in {100, 5_000_000_000}


@pytest.mark.parametrize("size", [0, LONG_SIZE])
def test_unknown_size_is_unfinished(tmp_path: Path, size: int) -> None:
    """A size that was never written says nothing, so nobody knows whether the end is there."""
    with pytest.raises(SourceUnfinishedError):
        _check(tmp_path, b"RIFF", FORMAT, _chunk(b"data", bytes(100), size))


def test_other_files_are_not_looked_at(tmp_path: Path) -> None:
    """What is no WAV is ffmpeg's matter."""
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC" + bytes(100))
    check_wav_size(path, 104)
