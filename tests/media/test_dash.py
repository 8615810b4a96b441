"""The MPD, compared as whole text."""

from __future__ import annotations

from pathlib import Path

from media.dash import mpd
from tests.media.tracks import make_track


def test_mpd_whole() -> None:
    """One set for each codec, the AD role, byte ranges of init section and sidx, from the root."""
    expected = Path(__file__).with_name("expected.mpd").read_text(encoding="utf-8")
    assert mpd(make_track(fragments=8), "TOKEN") == expected
