"""The file beside a source that describes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from packager.errors import SidecarError
from packager.source.sidecar import Sidecar, read_sidecar, sidecar_path


def test_absent_says_nothing(tmp_path: Path) -> None:
    """A source without one is a source."""
    assert read_sidecar(tmp_path / "film.wav") == Sidecar(None, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('running_time = "1:35:20.5"\n', Sidecar(5720.5, None)),
        ("running_time = 5720.5\n", Sidecar(5720.5, None)),
        (f'sha256 = "{"AB" * 32}"\n', Sidecar(None, "ab" * 32)),
        ("", Sidecar(None, None)),
    ],
)
def test_running_time_and_digest_are_read(tmp_path: Path, text: str, expected: Sidecar) -> None:
    """A time as an operator writes it, and a digest in either case."""
    source = tmp_path / "film.wav"
    (tmp_path / "film.wav.toml").write_text(text, encoding="utf-8")
    assert read_sidecar(source) == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'running_time = "soon"', "running_time: 'soon' is no time"),
        (b'runing_time = "1:35:20"', "runing_time"),
        (b'sha256 = "abc"', "sha256"),
        (b"running_time: 5", "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
    ],
)
def test_wrong_one_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """A description that cannot be understood is not passed over."""
    source = tmp_path / "film.wav"
    sidecar_path(source).write_bytes(content)
    with pytest.raises(SidecarError, match=said) as caught:
        read_sidecar(source)
    assert caught.value.where.endswith("film.wav.toml")
