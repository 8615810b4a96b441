"""Whether a track is as long as its film, and which frame rate explains it if not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from packager.quality.findings import Finding
from packager.quality.judging import Judge
from packager.quality.running_time import check_running_time
from packager.quality.settings import QualitySection
from packager.source.timing import Timing, parse_conform

FILM_S = 6000.0


def _findings(
    length_s: float,
    running_time_s: float | None = FILM_S,
    timing: Timing | None = None,
    rate: Fraction = Fraction(24),
) -> list[Finding]:
    judge = Judge(QualitySection(), frozenset())
    return list(check_running_time(judge, length_s, timing or Timing(), running_time_s, rate))


@pytest.mark.parametrize("off_s", [-1.9, 0.0, 0.5, 1.9])
def test_two_seconds_do_not_matter(off_s: float) -> None:
    """A track of the film's length within the tolerance says nothing."""
    assert _findings(FILM_S + off_s) == []


@pytest.mark.parametrize(
    ("length_s", "rate", "conform"),
    [
        (FILM_S * 24 / 25, "24", "25:24"),
        (FILM_S * 24 / 25 + 0.9, "24", "25:24"),
        (FILM_S * 1.001, "24", "24000/1001:24"),
        (FILM_S * 24 / 29.97, "24", "30000/1001:24"),
        (FILM_S * 25 / 24, "25", "24:25"),
        (FILM_S / 1.001, "24000/1001", "24:24000/1001"),
    ],
)
def test_frame_rate_is_recognised(length_s: float, rate: str, conform: str) -> None:
    """A length that fits at another rate names the --conform that mends it."""
    (finding,) = _findings(length_s, rate=Fraction(rate))
    assert finding.code == "frame-rate"
    assert finding.mend == f"conform it: --conform {conform}"


def test_wrong_conforming_is_recognised() -> None:
    """A master that fitted as it was needs no conforming, and another one another."""
    (finding,) = _findings(FILM_S * 25 / 24, timing=Timing(parse_conform("25:24")))
    assert (finding.code, finding.mend) == ("frame-rate", "leave out --conform")
    conformed = FILM_S * 1.001 * 25 / 24
    (finding,) = _findings(conformed, timing=Timing(parse_conform("25:24")))
    assert finding.mend == "conform it: --conform 24000/1001:24"


def test_conformed_master_fits() -> None:
    """After the right conforming nothing is left to say."""
    assert _findings(FILM_S, timing=Timing(parse_conform("25:24"))) == []


@pytest.mark.parametrize(
    ("length_s", "said", "at_s", "until_s"),
    [
        (5900.0, "ends 100.0 s before the film", 5900.0, FILM_S),
        (6050.0, "goes on for 50.0 s after the film", FILM_S, 6050.0),
        (10.0, "ends 5990.0 s before", 10.0, FILM_S),
    ],
)
def test_other_lengths_are_shown_where(
    length_s: float, said: str, at_s: float, until_s: float
) -> None:
    """What no rate explains is told with the part of the film that it concerns."""
    (finding,) = _findings(length_s)
    assert (finding.code, finding.at_s, finding.until_s) == ("running-time", at_s, until_s)
    assert said in finding.what


def test_offset_counts() -> None:
    """A track that begins later in the film is as much shorter."""
    assert _findings(FILM_S - 90, timing=Timing(track_offset_s=90.0)) == []
    assert _findings(FILM_S, timing=Timing(track_offset_s=90.0)) != []


def test_unknown_running_time_is_said() -> None:
    """Without the film's length the check says that it could not look."""
    (finding,) = _findings(FILM_S, None)
    assert finding.code == "running-time-unknown"
    assert "--running-time" in finding.mend
