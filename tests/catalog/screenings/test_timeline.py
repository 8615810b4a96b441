from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models import Screening, ScreeningStatus, StartSource
from catalog.screenings.timeline import Phase, Position, listening_ends, position
from tests.catalog.samples import EVENING

MICROSECOND = timedelta(microseconds=1)
ORDER = [Phase.UPCOMING, Phase.PREVIEWS, Phase.FEATURE, Phase.ENDED]


def screening(
    previews: timedelta = timedelta(minutes=20),
    feature: timedelta = timedelta(minutes=71),
    status: ScreeningStatus = ScreeningStatus.SCHEDULED,
) -> Screening:
    """A screening whose previews begin at EVENING."""
    return Screening(
        id=1,
        environment="prod",
        showtime_id="st-1",
        previews_start=EVENING,
        movie_start=EVENING + previews,
        credits_end=EVENING + previews + feature,
        status=status,
        revision=1,
        movie_start_bound_ms=600_000,
        movie_start_source=StartSource.SCHEDULE,
    )


SHOWING = screening()


@pytest.mark.parametrize(
    ("now", "phase"),
    [
        (SHOWING.previews_start - MICROSECOND, Phase.UPCOMING),
        (SHOWING.previews_start, Phase.PREVIEWS),
        (SHOWING.movie_start - MICROSECOND, Phase.PREVIEWS),
        (SHOWING.movie_start, Phase.FEATURE),
        (SHOWING.credits_end - MICROSECOND, Phase.FEATURE),
        (SHOWING.credits_end, Phase.ENDED),
    ],
)
def test_a_phase_has_its_first_instant_and_not_its_last(now: datetime, phase: Phase) -> None:
    """Each boundary belongs to the phase that begins there."""
    assert position(SHOWING, now).phase is phase


def test_a_screening_without_previews_goes_straight_to_the_feature() -> None:
    """Where previews_start is movie_start, there is no instant of previews."""
    assert position(screening(previews=timedelta(0)), EVENING).phase is Phase.FEATURE


def test_offset_counts_down_to_the_feature() -> None:
    """offset_s is negative before movie_start, 0 at it, and keeps microseconds."""
    assert position(SHOWING, EVENING) == Position(Phase.PREVIEWS, -1200.0)
    assert position(SHOWING, SHOWING.movie_start).offset_s == 0
    assert position(SHOWING, SHOWING.movie_start + MICROSECOND).offset_s == 1e-6


def test_a_cancelled_screening_is_cancelled_at_every_instant() -> None:
    """No instant of a cancelled screening is a phase of the film."""
    cancelled = screening(status=ScreeningStatus.CANCELLED)
    assert {position(cancelled, EVENING + timedelta(hours=h)).phase for h in range(-2, 5)} == {
        Phase.CANCELLED
    }


@given(
    st.timedeltas(min_value=timedelta(0), max_value=timedelta(hours=1)),
    st.timedeltas(min_value=MICROSECOND, max_value=timedelta(hours=6)),
    st.lists(st.timedeltas(min_value=timedelta(hours=-9), max_value=timedelta(hours=9))),
)
def test_time_never_runs_back_through_the_phases(
    previews: timedelta, feature: timedelta, moments: list[timedelta]
) -> None:
    """As time goes on, the phase and the offset only go forward."""
    showing = screening(previews, feature)
    positions = [position(showing, EVENING + moment) for moment in sorted(moments)]
    phases = [ORDER.index(each.phase) for each in positions]
    assert phases == sorted(phases)
    offsets = [each.offset_s for each in positions]
    assert offsets == sorted(offsets)


def test_listening_ends_a_margin_after_the_credits() -> None:
    """A ticket opens the track until the margin after credits_end is over."""
    assert listening_ends(SHOWING, timedelta(minutes=30)) == SHOWING.credits_end + timedelta(
        minutes=30
    )
