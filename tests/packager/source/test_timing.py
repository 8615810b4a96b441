"""Frame rates and times as an operator writes them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from packager.errors import TimingError
from packager.source.timing import parse_conform, parse_timecode


def test_conforming_changes_the_length_exactly() -> None:
    """25 to 24 is 1/24 longer, and 23.976 to 24 is 7.2 s shorter in two hours."""
    two_hours = 2 * 3600 * 48_000
    slower = parse_conform("25:24")
    assert slower.samples(two_hours) == two_hours * 25 // 24
    assert str(slower) == "25:24"
    faster = parse_conform("24000/1001:24")
    assert (two_hours - faster.samples(two_hours)) / 48_000 == pytest.approx(7.193, abs=0.001)
    assert str(faster) == "24000/1001:24"
    assert faster.tempo == Fraction(1001, 1000)


@pytest.mark.parametrize(
    "text", ["25", "25:24:23", "25:0", "x:24", "25/:24", "25:60", "", "-25:24"]
)
def test_wrong_conforming_says_how_to_write_it(text: str) -> None:
    """What is no pair of frame rates is refused with an example."""
    with pytest.raises(TimingError, match=r"25:24|factor of two"):
        parse_conform(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00:08.000", 8.0),
        ("1:35:20", 5720.0),
        ("95:20", None),
        ("35:20,5", 2120.5),
        ("8.5", 8.5),
        ("5720", 5720.0),
        (" 0:0:1 ", 1.0),
    ],
)
def test_time_is_read(text: str, seconds: float | None) -> None:
    """Hours, minutes and seconds, or seconds alone; minutes stop at 59."""
    if seconds is None:
        with pytest.raises(TimingError):
            parse_timecode(text)
    else:
        assert parse_timecode(text) == seconds


@pytest.mark.parametrize("text", ["", "1:2:3:4", "1:61", "-1", "1e3", "00:00:08:12", "nan"])
def test_wrong_time_says_how_to_write_it(text: str) -> None:
    """What is no time is refused with an example."""
    with pytest.raises(TimingError, match="hours:minutes:seconds"):
        parse_timecode(text)
