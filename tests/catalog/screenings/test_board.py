"""The evening as an operator looks at it: what is sold, and what changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog.enrichment.enricher import Enrichment
from catalog.errors import ScreeningNotFoundError, StartChangedError
from catalog.models import PurchaseState, StartSource
from catalog.purchases.backlog import Backlog
from catalog.purchases.intake import Intake
from catalog.screenings.board import Board
from catalog.screenings.corrections import Corrections
from catalog.store.database import Database
from tests.catalog.samples import EVENING, Clock, PartnerServer, accept, notice, settled

STARTS = EVENING + timedelta(minutes=20)
HOUR = timedelta(hours=1)


@pytest.fixture
def board(database: Database) -> Board:
    """What is looked at."""
    return Board(database)


@pytest.fixture
def corrections(database: Database, clock: Clock) -> Corrections:
    """The operator's hand."""
    return Corrections(database, clock)


async def sell(intake: Intake, enrichment: Enrichment, *numbers: int) -> None:
    """Enriched purchases of one showing."""
    for number in numbers:
        await accept(intake, "prod", notice(purchase_id=f"p-{number}"))
    await settled(enrichment)


async def test_a_showing_has_what_an_operator_calls_it_by(
    board: Board, intake: Intake, enrichment: Enrichment
) -> None:
    """With its tickets; looked for by the time in which it runs."""
    await sell(intake, enrichment, 1, 2)
    (showing,) = await board.showings(EVENING, EVENING + HOUR)
    assert (showing.movie_id, showing.title) == ("steamboat", "Steamboat Bill, Jr.")
    assert (showing.theater_name, showing.auditorium_number) == ("Grand Lake", "7")
    assert (showing.audio_description_path, showing.tickets) == ("steamboat/en", 2)
    assert showing.by_partner == showing.screening
    assert await board.showing("prod", "st-1") == showing
    assert await board.showings(EVENING, EVENING) == []
    assert await board.showings(EVENING + 3 * HOUR, EVENING + 9 * HOUR) == []
    with pytest.raises(ScreeningNotFoundError):
        await board.showing("staging", "st-1")


async def test_a_corrected_start_is_looked_for_where_it_is(
    board: Board, corrections: Corrections, intake: Intake, enrichment: Enrichment
) -> None:
    """Three hours later it still runs then; what the partner says stands beside it."""
    await sell(intake, enrichment, 1)
    await corrections.start("prod", "st-1", STARTS + 3 * HOUR, 1000)
    (showing,) = await board.showings(EVENING + 3 * HOUR, EVENING + 4 * HOUR)
    assert showing.screening.movie_start == STARTS + 3 * HOUR
    assert showing.by_partner.movie_start == STARTS


async def test_changes_are_told_newest_first_and_without_the_first_word(
    board: Board, corrections: Corrections, intake: Intake, enrichment: Enrichment, clock: Clock
) -> None:
    """That Tell heard of a screening is no change; a correction and its end are two."""
    await sell(intake, enrichment, 1)
    assert await board.changes(EVENING, 10) == []
    clock.move(minutes=1)
    await corrections.start("prod", "st-1", STARTS + HOUR, 1000, "late house")
    clock.move(minutes=1)
    await corrections.clear("prod", "st-1")
    cleared, corrected = await board.changes(EVENING, 10)
    assert (corrected.movie_start, corrected.source) == (STARTS + HOUR, StartSource.OPERATOR)
    assert (corrected.note, corrected.title) == ("late house", "Steamboat Bill, Jr.")
    assert cleared.source is StartSource.SCHEDULE
    assert [each.at for each in await board.changes(EVENING, 1)] == [cleared.at]
    assert await board.changes(clock.now + HOUR, 10) == []


async def test_a_correction_of_what_has_changed_meanwhile_is_refused(
    corrections: Corrections, intake: Intake, enrichment: Enrichment
) -> None:
    """It was made for another start; nothing is changed by it."""
    await sell(intake, enrichment, 1)
    later = await corrections.start("prod", "st-1", STARTS + HOUR, 1000, expected=STARTS)
    assert later.movie_start == STARTS + HOUR
    for attempt in (
        corrections.start("prod", "st-1", STARTS + 2 * HOUR, 1000, expected=STARTS),
        corrections.clear("prod", "st-1", expected=STARTS),
    ):
        with pytest.raises(StartChangedError, match="look at it again"):
            await attempt
    assert len(await corrections.history("prod", "st-1")) == 2


async def test_what_waits_is_counted_by_state(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    partner: PartnerServer,
    clock: Clock,
) -> None:
    """With since when; a ticket waits for nothing."""
    backlog = Backlog(database)
    assert await backlog.piles() == []
    partner.changes["auditorium_number"] = None
    await sell(intake, enrichment, 1)
    clock.move(seconds=1)
    await sell(intake, enrichment, 2)
    (pile,) = await backlog.piles()
    assert (pile.environment, pile.purchases, pile.oldest_at) == ("prod", 2, EVENING)
    assert pile.state in {PurchaseState.ACCEPTED, PurchaseState.PARKED}
