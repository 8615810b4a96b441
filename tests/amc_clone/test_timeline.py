"""Phases, and which of several screenings is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from amc_clone.chain import HOUSES
from amc_clone.films import FILMS
from amc_clone.models import Screening, ScreeningStatus
from amc_clone.timeline import Phase, nearest, standing
from tests.amc_clone.cinema import NOW

SECOND = timedelta(seconds=1)


def screening(previews_start: datetime, showtime_id: str = "st-1") -> Screening:
    """A screening with 20 minutes of previews and an hour of film."""
    return Screening(
        id=1,
        showtime_id=showtime_id,
        movie=FILMS[0],
        theater=HOUSES[0].theater,
        auditorium_number="1",
        previews_start=previews_start,
        movie_start=previews_start + timedelta(minutes=20),
        credits_end=previews_start + timedelta(minutes=80),
        status=ScreeningStatus.SCHEDULED,
        revision=1,
        movie_start_bound_ms=300_000,
    )


@pytest.mark.parametrize(
    ("minutes", "phase", "on_sale"),
    [
        (-1, Phase.UPCOMING, True),
        (0, Phase.PREVIEWS, True),
        (20, Phase.FEATURE, True),
        (80, Phase.ENDED, False),
    ],
)
def test_a_phase_includes_its_first_instant(minutes: int, phase: Phase, on_sale: bool) -> None:
    """Tickets are sold until the credits are over, and offset_s is negative before the film."""
    at = standing(screening(NOW), NOW + timedelta(minutes=minutes))
    assert at.phase is phase
    assert at.on_sale is on_sale
    assert at.offset_s == (minutes - 20) * 60


def test_a_cancelled_screening_is_in_no_other_phase() -> None:
    """Cancelled stands above the clock."""
    cancelled = replace(screening(NOW), status=ScreeningStatus.CANCELLED)
    assert standing(cancelled, NOW).phase is Phase.CANCELLED
    assert not standing(cancelled, NOW).on_sale


def test_the_running_screening_is_the_nearest() -> None:
    """One that runs wins over one that ended a second ago."""
    over = screening(NOW - timedelta(minutes=80) - SECOND, "over")
    runs = screening(NOW - timedelta(minutes=70), "runs")
    assert nearest(over, runs, NOW) is runs


def test_the_shorter_gap_is_nearer_and_a_tie_goes_to_the_coming_one() -> None:
    """Gaps are counted from credits_end behind and to previews_start ahead."""
    over = screening(NOW - timedelta(minutes=90), "over")
    assert over.credits_end == NOW - timedelta(minutes=10)
    later = screening(NOW + timedelta(minutes=10) + SECOND, "later")
    tie = screening(NOW + timedelta(minutes=10), "tie")
    assert nearest(over, later, NOW) is over
    assert nearest(over, tie, NOW) is tie


def test_one_side_alone_is_the_nearest() -> None:
    """Before the first showing, after the last, and when there is none."""
    one = screening(NOW)
    assert nearest(None, one, NOW) is one
    assert nearest(one, None, NOW) is one
    assert nearest(None, None, NOW) is None
