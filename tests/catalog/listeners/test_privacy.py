from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Table, func, insert, select, update
from structlog.testing import capture_logs

from catalog.enrichment.enricher import Enrichment
from catalog.errors import PurchaseAmbiguousError, PurchaseNotFoundError, TicketNotFoundError
from catalog.listeners.claims import Claims
from catalog.listeners.playback import Playback, PlaybackSource, PlaybackState
from catalog.listeners.privacy import Forgotten, Privacy, told_count, told_number
from catalog.listeners.pruning import KeepRules, Pruned, Pruning
from catalog.models import PurchaseState
from catalog.purchases.intake import Intake
from catalog.purchases.parking import Parking
from catalog.screenings.timeline import Phase
from catalog.store.database import Database
from catalog.store.schema import (
    claims as claims_table,
)
from catalog.store.schema import (
    events,
    listeners,
    metadata,
    movie_starts,
    playback_states,
    purchase_cancellations,
    purchases,
    screenings,
    webhook_messages,
)
from tests.catalog.samples import EVENING, Clock, accept, notice, settled

PERSONAL = (listeners, claims_table, playback_states)
STATE = PlaybackState(PlaybackSource.HLS, "aac-64k", Phase.FEATURE, -12.5, 4.0, 1)


@pytest.fixture
def privacy(database: Database, clock: Clock) -> Privacy:
    """Erases."""
    return Privacy(database, clock)


@pytest.fixture
def playback(database: Database, clock: Clock) -> Playback:
    """Keeps states."""
    return Playback(database, clock)


@pytest.fixture
def pruning(database: Database, clock: Clock) -> Pruning:
    """Tickets for 30 days, messages for 14."""
    return Pruning(database, clock, KeepRules(timedelta(days=30), timedelta(days=14)))


async def sell(intake: Intake, enrichment: Enrichment, number: int) -> str:
    """An enriched purchase."""
    correlation_id = await accept(
        intake, "prod", notice(purchase_id=f"p-{number}", showtime_id=f"st-{number}")
    )
    await settled(enrichment)
    return correlation_id


async def count(database: Database, table: Table) -> int:
    """Rows of a table."""
    async with database.read() as connection:
        return int((await connection.scalar(select(func.count()).select_from(table))) or 0)


@pytest.mark.parametrize(
    ("people", "text", "number"),
    [(0, "<3", 0), (1, "<3", 0), (2, "<3", 0), (3, "3", 3), (1999, "1999", 1999)],
)
def test_fewer_than_three_are_told_to_nobody(people: int, text: str, number: int) -> None:
    """None, one and two read alike; from three on a count is a count."""
    assert (told_count(people), told_number(people)) == (text, number)


async def test_a_listener_is_forgotten_with_all_that_is_hers(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    playback: Playback,
    privacy: Privacy,
) -> None:
    """Her id stands in no table afterwards, and neither do her tickets; others keep theirs."""
    hers = [await sell(intake, enrichment, number) for number in (1, 2)]
    another = await sell(intake, enrichment, 3)
    listener = await claims.claim(hers[0], "phone", None)
    await claims.claim(hers[1], "phone", listener)
    other = await claims.claim(another, "other-phone", None)
    for correlation_id in hers:
        await playback.keep(listener, correlation_id, STATE)
    with capture_logs() as logs:
        assert await privacy.forget_listener(listener) == Forgotten(tickets=2, kept=0)
    (told,) = [each for each in logs if each["event"] == "listener_forgotten"]
    assert (told["tickets"], told["kept"]) == ("<3", "<3")
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            for row in await connection.execute(select(table)):
                assert listener not in tuple(row), table.name
        left = list(await connection.scalars(select(purchases.c.correlation_id)))
        holders = list(await connection.scalars(select(claims_table.c.listener_id)))
    assert left == [another]
    assert holders == [other]
    assert await privacy.forget_listener(listener) == Forgotten(0, 0)


async def test_a_ticket_that_two_hold_stays_with_the_other(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    playback: Playback,
    privacy: Privacy,
) -> None:
    """The buyer's friend goes on listening; nothing of the one who left remains."""
    shared = await sell(intake, enrichment, 1)
    first = await claims.claim(shared, "phone", None)
    second = await claims.claim(shared, "friends-phone", None)
    await playback.keep(first, shared, STATE)
    assert await privacy.forget_listener(first) == Forgotten(tickets=0, kept=1)
    async with database.read() as connection:
        purchase = (await connection.execute(select(purchases))).one()
        assert list(await connection.scalars(select(listeners.c.id))) == [second]
    assert purchase.user_id is None
    assert await count(database, playback_states) == 0


async def test_a_ticket_that_she_let_go_is_forgotten_too(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    privacy: Privacy,
) -> None:
    """She was the first to claim it and released it: it still says that she bought it."""
    sold = await sell(intake, enrichment, 1)
    listener = await claims.claim(sold, "phone", None)
    await claims.release(listener, sold)
    assert await privacy.forget_listener(listener) == Forgotten(tickets=1, kept=0)
    assert await count(database, purchases) == 0


@pytest.mark.parametrize("by", ["correlation_id", "purchase_id"])
async def test_a_purchase_is_forgotten_whoever_holds_it(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    playback: Playback,
    privacy: Privacy,
    by: str,
) -> None:
    """Its holders are forgotten with it, but for those who hold another ticket."""
    gone, kept = await sell(intake, enrichment, 1), await sell(intake, enrichment, 2)
    busy = await claims.claim(gone, "phone", None)
    await claims.claim(kept, "phone", busy)
    await claims.claim(gone, "friends-phone", None)
    await playback.keep(busy, gone, STATE)
    assert await privacy.forget_purchase(gone if by == "correlation_id" else "p-1") == 1
    async with database.read() as connection:
        assert list(await connection.scalars(select(listeners.c.id))) == [busy]
        assert list(await connection.scalars(select(purchases.c.correlation_id))) == [kept]
    with pytest.raises(PurchaseNotFoundError):
        await privacy.forget_purchase(gone)


async def test_an_id_that_two_environments_use_names_neither(
    database: Database, intake: Intake, privacy: Privacy, clock: Clock
) -> None:
    """A staging purchase is not erased, nor tried again, for another's; the environment decides."""
    staged, real = [await accept(intake, each, notice()) for each in ("staging", "prod")]
    parking = Parking(database, clock)
    for refused in (privacy.forget_purchase("p-1"), parking.retry("p-1")):
        with pytest.raises(PurchaseAmbiguousError, match="in prod and in staging"):
            await refused
    assert await count(database, purchases) == 2
    assert await parking.retry("p-1", "staging") == [staged]
    with pytest.raises(PurchaseNotFoundError):
        await privacy.forget_purchase(real, "staging")
    assert await privacy.forget_purchase("p-1", "staging") == 1
    async with database.read() as connection:
        assert list(await connection.scalars(select(purchases.c.correlation_id))) == [real]


async def test_the_last_state_is_kept_and_no_history(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    playback: Playback,
    clock: Clock,
) -> None:
    """A later report stands in the place of the earlier; the new holes in the sound are counted."""
    sold = await sell(intake, enrichment, 1)
    listener = await claims.claim(sold, "phone", None)
    new = [
        await playback.keep(listener, sold, replace(STATE, rebuffers=holes))
        for holes in (2, 5, 5, 1)
    ]
    # The last one: the app was opened anew and counts from zero.
    assert new == [2, 3, 0, 1]
    async with database.read() as connection:
        row = (await connection.execute(select(playback_states))).one()
    assert (row.rebuffers, row.error_ms, row.reported_at) == (1, -12.5, EVENING)
    with pytest.raises(TicketNotFoundError):
        await playback.keep("a" * 26, sold, STATE)


async def test_those_who_listen_now_are_counted_once(
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    playback: Playback,
    clock: Clock,
) -> None:
    """A listener with two tickets is one, and who has not reported lately is none."""
    one, two, three = [await sell(intake, enrichment, number) for number in (1, 2, 3)]
    listener = await claims.claim(one, "phone", None)
    await claims.claim(two, "phone", listener)
    other = await claims.claim(three, "other", None)
    await playback.keep(other, three, STATE)
    clock.move(minutes=2)
    for correlation_id in (one, two):
        await playback.keep(listener, correlation_id, STATE)
    assert await playback.listeners(timedelta(minutes=2)) == 2
    clock.move(seconds=1)
    assert await playback.listeners(timedelta(minutes=2)) == 1


async def test_what_is_older_than_it_needs_to_be_is_pruned(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    playback: Playback,
    pruning: Pruning,
    clock: Clock,
) -> None:
    """Thirty days after the credits everything about a ticket is gone, the screening with it."""
    sold = await sell(intake, enrichment, 1)
    listener = await claims.claim(sold, "phone", None)
    await playback.keep(listener, sold, STATE)
    async with database.write() as connection:
        await connection.execute(
            insert(purchase_cancellations).values(
                environment="prod", purchase_id="never-came", cancelled_at=EVENING
            )
        )
    ends = EVENING.replace(hour=21, minute=1)
    clock.now = ends + timedelta(days=30)
    assert (await pruning.prune()).tickets == 0
    clock.move(seconds=1)
    with capture_logs() as logs:
        assert await pruning.prune() == Pruned(
            tickets=1, listeners=1, screenings=1, messages=0, cancellations=0
        )
    (told,) = [each for each in logs if each["event"] == "pruned"]
    assert {told[name] for name in Pruned.__dataclass_fields__} == {"<3"}
    for table in (*PERSONAL, purchases, screenings, events, movie_starts):
        assert await count(database, table) == 0, table.name
    assert await pruning.prune() == Pruned(0, 0, 0, 0, 0)


async def test_messages_and_lost_cancellations_are_pruned_after_their_own_time(
    database: Database, intake: Intake, enrichment: Enrichment, pruning: Pruning, clock: Clock
) -> None:
    """After two weeks no message comes a second time; the tickets stay."""
    await sell(intake, enrichment, 1)
    async with database.write() as connection:
        await connection.execute(
            insert(purchase_cancellations).values(
                environment="prod", purchase_id="never-came", cancelled_at=EVENING
            )
        )
    assert await count(database, webhook_messages) == 1
    clock.move(days=14, seconds=1)
    assert await pruning.prune() == Pruned(0, 0, 0, messages=1, cancellations=1)
    assert await count(database, purchases) == 1


async def in_state(database: Database, state: PurchaseState) -> None:
    """Every purchase, whatever it was."""
    async with database.write() as connection:
        await connection.execute(update(purchases).values(state=state))


async def test_a_purchase_that_is_still_looked_up_is_never_pruned(
    database: Database, intake: Intake, pruning: Pruning, clock: Clock
) -> None:
    """The partner may be away for as long as it likes: what was answered 202 becomes a ticket."""
    await accept(intake, "nobody", notice())
    clock.move(days=1000)
    assert (await pruning.prune()).tickets == 0
    assert await count(database, purchases) == 1


async def test_a_parked_purchase_is_kept_for_a_year_and_its_loss_is_told(
    database: Database, intake: Intake, pruning: Pruning, clock: Clock
) -> None:
    """Sold in advance, it waits longer for a person than for its film; each loss is an error."""
    correlation_id = await accept(intake, "nobody", notice())
    await in_state(database, PurchaseState.PARKED)
    clock.move(days=366)
    assert (await pruning.prune()).tickets == 0
    clock.move(seconds=1)
    with capture_logs() as logs:
        assert (await pruning.prune()).tickets == 1
    (told,) = [each for each in logs if each["event"] == "parked_purchase_pruned"]
    assert (told["log_level"], told["correlation_id"]) == ("error", correlation_id)
    assert await count(database, purchases) == 0


async def test_a_purchase_cancelled_before_its_screening_was_known_is_pruned_by_its_sale(
    database: Database, intake: Intake, pruning: Pruning, clock: Clock
) -> None:
    """It can become no ticket any more, so it does not stay for ever."""
    await accept(intake, "nobody", notice())
    await in_state(database, PurchaseState.CANCELLED)
    clock.move(days=30)
    assert (await pruning.prune()).tickets == 0
    clock.move(seconds=1)
    assert (await pruning.prune()).tickets == 1


async def test_a_listener_without_a_ticket_is_pruned_after_a_day(
    database: Database,
    intake: Intake,
    enrichment: Enrichment,
    claims: Claims,
    pruning: Pruning,
    clock: Clock,
) -> None:
    """Who let go of her only ticket is nobody a day later; who holds one stays."""
    one, two = await sell(intake, enrichment, 1), await sell(intake, enrichment, 2)
    idle = await claims.claim(one, "phone", None)
    await claims.release(idle, one)
    busy = await claims.claim(two, "other", None)
    assert (await pruning.prune()).listeners == 0
    clock.move(days=1, seconds=1)
    assert (await pruning.prune()).listeners == 1
    async with database.read() as connection:
        assert list(await connection.scalars(select(listeners.c.id))) == [busy]
        assert (await connection.scalars(select(purchases.c.user_id))).all() == [None, busy]


async def test_more_than_one_transaction_holds_are_all_pruned(
    database: Database, intake: Intake, pruning: Pruning, clock: Clock
) -> None:
    """Bit by bit, until nothing is left."""
    for number in range(5):
        await accept(intake, "nobody", notice(purchase_id=f"p-{number}"))
    await in_state(database, PurchaseState.CANCELLED)
    async with database.write() as connection:
        row = (await connection.execute(select(purchases).limit(1))).mappings().one()
        rows = [
            {**row, "id": 1000 + n, "purchase_id": f"q-{n}", "correlation_id": f"c{n:019}"}
            for n in range(450)
        ]
        await connection.execute(insert(purchases), rows)
    clock.move(days=31)
    assert (await pruning.prune()).tickets == 455


def test_whatever_points_at_a_person_is_known_here() -> None:
    """A new table that points at purchases or listeners must be thought of in this file's tests."""
    pointing = {
        (table.name, key.parent.name, key.column.table.name)
        for table in metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in {"purchases", "listeners"}
    }
    assert pointing == {
        ("purchases", "user_id", "listeners"),
        ("claims", "purchase_id", "purchases"),
        ("claims", "listener_id", "listeners"),
        ("playback_states", "purchase_id", "purchases"),
        ("playback_states", "listener_id", "listeners"),
        ("events", "purchase_id", "purchases"),
    }
