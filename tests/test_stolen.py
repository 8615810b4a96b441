"""What others had of a shared machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import stolen


def test_the_share_is_of_the_time_since_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steal of all processors against all their time (proc(5), where guests stand twice)."""
    stat = tmp_path / "stat"
    monkeypatch.setattr(stolen, "_STAT", stat)
    stat.write_text("cpu  100 0 50 800 10 0 5 35 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    counted = stolen.Stolen()
    assert counted.share() == 0.0
    stat.write_text("cpu  140 0 60 830 10 0 5 55 90 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert counted.share() == 0.2
    stat.unlink()
    assert stolen.Stolen().share() == 0.0
