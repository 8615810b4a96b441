"""Adding a screening at exact times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from amc_clone.errors import (
    AuditoriumNotFoundError,
    InvalidBodyError,
    MovieNotFoundError,
    ScreeningOverlapError,
)
from amc_clone.models import ScreeningStatus
from amc_clone.programming import NewScreening
from tests.amc_clone.cinema import NOW, PLACE, Cinema

pytestmark = pytest.mark.both_databases


def wanted(**changes: object) -> NewScreening:
    """One Week at 20:00 in a free auditorium, with *changes*."""
    fields: dict[str, object] = {
        "movie_id": "one-week",
        "place_id": PLACE,
        "auditorium_number": "12",
        "previews_start": NOW,
        "movie_start": NOW + timedelta(minutes=20, microseconds=1),
        "credits_end": None,
        "movie_start_bound_ms": 40,
    }
    return NewScreening(**(fields | changes))  # type: ignore[arg-type]  # of the fields' types


async def test_the_running_time_gives_the_end(cinema: Cinema) -> None:
    """To the microsecond, first revision, as scheduled."""
    added = await cinema.services.programming.add(wanted())
    assert added.movie_start == NOW + timedelta(minutes=20, microseconds=1)
    assert added.credits_end == added.movie_start + timedelta(minutes=25)
    assert (added.status, added.revision) == (ScreeningStatus.SCHEDULED, 1)
    assert added.movie_start_bound_ms == 40
    assert await cinema.services.screenings.by_showtime(added.showtime_id) == added


async def test_two_cannot_share_an_auditorium(cinema: Cinema) -> None:
    """The error names the other; back to back is allowed."""
    first = await cinema.services.programming.add(wanted())
    with pytest.raises(ScreeningOverlapError, match=first.showtime_id):
        await cinema.services.programming.add(
            wanted(
                previews_start=first.credits_end - timedelta(seconds=1),
                movie_start=first.credits_end,
            )
        )
    await cinema.services.programming.add(
        wanted(previews_start=first.credits_end, movie_start=first.credits_end)
    )


async def test_what_is_unknown_is_named(cinema: Cinema) -> None:
    """The movie, the auditorium and the theater."""
    add = cinema.services.programming.add
    with pytest.raises(MovieNotFoundError, match="no movie heat"):
        await add(wanted(movie_id="heat"))
    with pytest.raises(AuditoriumNotFoundError, match="no auditorium 13"):
        await add(wanted(auditorium_number="13"))
    with pytest.raises(AuditoriumNotFoundError, match="theater nowhere"):
        await add(wanted(place_id="nowhere"))


@pytest.mark.parametrize(
    "changes",
    [
        {"movie_start": NOW - timedelta(seconds=1)},
        {"credits_end": NOW + timedelta(minutes=20)},
    ],
)
async def test_instants_out_of_order_are_refused(
    cinema: Cinema, changes: dict[str, object]
) -> None:
    """previews_start <= movie_start < credits_end."""
    with pytest.raises(InvalidBodyError, match="movie_start"):
        await cinema.services.programming.add(wanted(**changes))
