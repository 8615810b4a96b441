"""Tell's own operator corrects a start."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import CorrectionError, ScreeningNotFoundError
from catalog.listeners.events import EventLog
from catalog.models import EventKind, Screening, StartSource
from catalog.partner.details import ScreeningDetails
from catalog.screenings.corrections import Corrections
from catalog.screenings.keeping import store_details
from catalog.screenings.screening_rows import read_seen
from catalog.store.database import Database
from tests.catalog.samples import EVENING, Clock, details

STARTS = EVENING + timedelta(minutes=20)
MINUTE = timedelta(minutes=1)


async def tell(database: Database, **changes: object) -> int:
    """Store a word of the partner; returns the screening's row."""

    async def store(connection: AsyncConnection) -> int:
        stored = await store_details(
            connection,
            "prod",
            "steamboat",
            "grand-lake",
            "st-1",
            ScreeningDetails.model_validate(details(**changes)),
            now=EVENING,
        )
        return stored.screening_id

    return await database.run(store)


async def now(database: Database, screening_id: int) -> Screening:
    """The screening as tickets see it."""
    async with database.read() as connection:
        return (await read_seen(connection, screening_id)).screening


@pytest.fixture
def corrections(database: Database, clock: Clock) -> Corrections:
    """The operator's hand."""
    return Corrections(database, clock)


async def test_she_stands_above_the_partner_until_she_clears(
    database: Database, corrections: Corrections
) -> None:
    """A newer word of the partner waits under hers, and counts when she clears."""
    row = await tell(database)
    corrected = await corrections.start("prod", "st-1", STARTS + 6 * MINUTE, 800, "seen")
    assert corrected.movie_start == STARTS + 6 * MINUTE
    assert corrected.movie_start_bound_ms == 800
    assert corrected.movie_start_source is StartSource.OPERATOR
    await tell(database, revision=2, movie_start="2026-03-06T19:58:00Z", status="started")
    assert (await now(database, row)).movie_start == STARTS + 6 * MINUTE
    cleared = await corrections.clear("prod", "st-1")
    assert cleared.movie_start == STARTS + 8 * MINUTE
    assert cleared.movie_start_source is StartSource.PARTNER_EVENT


async def test_a_delay_adds_to_what_stands(database: Database, corrections: Corrections) -> None:
    """Twice three minutes are six; a negative one goes back."""
    await tell(database)
    for minutes, total in ((3, 3), (3, 6), (-1, 5)):
        corrected = await corrections.delay("prod", "st-1", minutes * MINUTE, 60_000)
        assert corrected.movie_start == STARTS + total * MINUTE
        assert corrected.credits_end - corrected.movie_start == timedelta(minutes=71)


async def test_the_history_tells_who_said_what(
    database: Database, corrections: Corrections, clock: Clock
) -> None:
    """Value, bound and source of every start, in order, with the partner's revision."""
    await tell(database)
    clock.move(minutes=1)
    await corrections.start("prod", "st-1", STARTS, 500, "the projectionist waved")
    lines = await corrections.history("prod", "st-1")
    assert [(line.source, line.revision, line.note) for line in lines] == [
        (StartSource.SCHEDULE, 1, None),
        (StartSource.OPERATOR, None, "the projectionist waved"),
    ]
    assert lines[1].recorded_at == EVENING + MINUTE
    assert (lines[1].movie_start, lines[1].bound_ms) == (STARTS, 500)


async def test_listeners_are_told_and_only_of_what_changes(
    database: Database, corrections: Corrections
) -> None:
    """An event for each correction, none for one that says the same again."""
    await tell(database)
    log = EventLog(database)
    await corrections.start("prod", "st-1", STARTS, 500)
    await corrections.start("prod", "st-1", STARTS, 500)
    assert [event.kind for event in await log.after(0, 10)] == [EventKind.SCREENING_CHANGED]


async def test_slips_are_refused(database: Database, corrections: Corrections) -> None:
    """An unknown showtime, and a start on another day."""
    await tell(database)
    with pytest.raises(ScreeningNotFoundError, match="st-2"):
        await corrections.clear("prod", "st-2")
    with pytest.raises(ScreeningNotFoundError):
        await corrections.history("staging", "st-1")
    with pytest.raises(CorrectionError, match="look at the date"):
        await corrections.start("prod", "st-1", STARTS + timedelta(days=1), 500)


async def test_the_list_goes_by_the_start_that_counts(
    database: Database, corrections: Corrections
) -> None:
    """One that was put off out of the hour is not in it any more."""
    await tell(database)
    within = (EVENING, EVENING + timedelta(hours=1))
    (listed,) = await corrections.between(*within)
    assert (listed.title, listed.auditorium_number) == ("Steamboat Bill, Jr.", "7")
    await corrections.delay("prod", "st-1", timedelta(hours=2), 60_000)
    assert await corrections.between(*within) == []
    (later,) = await corrections.between(EVENING, EVENING + timedelta(hours=3), "prod")
    assert later.screening.movie_start == STARTS + timedelta(hours=2)
    assert await corrections.between(EVENING, EVENING + timedelta(hours=3), "staging") == []
