"""A partner whose clock is wrong: what it stamps is right by Tell's clock within the bound."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from catalog.errors import PartnerUnavailableError
from catalog.keys.webhook_messages import Message
from catalog.models import Screening
from catalog.partner.client import ClockAnswer
from catalog.partner.clock_records import read_clock
from catalog.partner.clock_watch import ClockWatch
from catalog.partner.details import ScreeningDetails
from catalog.screenings.keeping import Outcome, store_details
from catalog.screenings.screening_events import PushedScreening, ScreeningChanged, ScreeningEvents
from catalog.screenings.screening_rows import seen_of, select_seen
from catalog.store.database import Database
from catalog.store.leases import Lease
from catalog.store.schema import screenings
from tests.catalog.samples import EVENING, Clock, details

WRONG = timedelta(seconds=90)
STARTS = EVENING + timedelta(minutes=20)


class WrongClock:
    """A partner's clock that is `off` from Tell's, until somebody sets it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.off = WRONG
        self.away = False

    def now(self) -> datetime:
        """What it shows."""
        return self._clock.now + self.off

    async def clock(self, nonce: str) -> ClockAnswer:
        """As PartnerClient answers."""
        if self.away:
            raise PartnerUnavailableError("timeout", "no answer in time")
        return ClockAnswer(self.now(), self.now(), 1)


@pytest.fixture
def theirs(clock: Clock) -> WrongClock:
    """90 seconds fast."""
    return WrongClock(clock)


@pytest.fixture
async def watch(database: Database, theirs: WrongClock, clock: Clock) -> AsyncIterator[ClockWatch]:
    """The watch; it measures when the test says so."""
    lease = Lease(database, clock, "clock-watch", "one", timedelta(minutes=5))
    running = ClockWatch(database, {"prod": theirs}, clock, lease, every_s=3600)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
def events(database: Database, clock: Clock, watch: ClockWatch) -> ScreeningEvents:
    """What takes the partner's events."""
    return ScreeningEvents(database, clock, measure=watch.measure)


def told(theirs: WrongClock, revision: int, **changes: Any) -> dict[str, Any]:
    """The film starts now, as the partner stamps it."""
    stamp = theirs.now()
    return details(
        revision=revision,
        status="started",
        movie_start=stamp.isoformat(),
        credits_end=(stamp + timedelta(minutes=71)).isoformat(),
        movie_start_bound_ms=10,
        movie_id="steamboat",
        place_id="grand-lake",
        **changes,
    )


async def push(events: ScreeningEvents, theirs: WrongClock, data: dict[str, Any]) -> Outcome:
    """Sign and push it now."""
    event = ScreeningChanged(type="screening.started", data=PushedScreening.model_validate(data))
    digest = sha256(event.model_dump_json().encode()).hexdigest()
    message = Message("prod", f"msg_{digest[:20]}", digest)
    return await events.screening_changed(message, event, theirs.now().replace(microsecond=0))


async def poll(database: Database, clock: Clock, data: dict[str, Any]) -> Outcome:
    """Store the same as an answer, without a signature's instant."""
    async with database.write() as connection:
        stored = await store_details(
            connection,
            "prod",
            "steamboat",
            "grand-lake",
            str(data["showtime_id"]),
            ScreeningDetails.model_validate(data),
            now=clock.now,
        )
    return stored.outcome


async def screening(database: Database, showtime_id: str = "st-1") -> Screening:
    """As tickets see it."""
    query = select_seen().where(screenings.c.showtime_id == showtime_id)
    async with database.read() as connection:
        return seen_of((await connection.execute(query)).one()).screening


def check(screening: Screening, truly: datetime) -> None:
    """movie_start is right by Tell's clock, within the bound that is stated."""
    error = abs(screening.movie_start - truly)
    assert error <= timedelta(milliseconds=screening.movie_start_bound_ms)
    assert screening.movie_start_bound_ms <= 15


async def test_a_start_stamped_by_a_clock_90_s_fast_is_right(
    database: Database,
    events: ScreeningEvents,
    watch: ClockWatch,
    theirs: WrongClock,
    clock: Clock,
) -> None:
    """By Tell's clock, to milliseconds: it was measured half a minute ago, as it always is."""
    clock.move(minutes=26, seconds=7.25)
    await watch.measure("prod")
    clock.move(seconds=30)
    assert await push(events, theirs, told(theirs, 2)) is Outcome.NEW
    check(await screening(database), clock.now)


async def test_it_stays_right_when_the_clock_is_set_right(
    database: Database,
    events: ScreeningEvents,
    watch: ClockWatch,
    theirs: WrongClock,
    clock: Clock,
) -> None:
    """The offset of its own time is kept with the screening: later answers do not move it."""
    clock.move(minutes=26)
    await watch.measure("prod")
    truly, data = clock.now, told(theirs, 2)
    await push(events, theirs, data)
    theirs.off = timedelta(0)
    clock.move(seconds=40)
    await watch.measure("prod")
    check(await screening(database), truly)
    assert await poll(database, clock, data) is Outcome.KNOWN
    moved = data | {"revision": 3, "auditorium_number": "9"}
    assert await poll(database, clock, moved) is Outcome.APPLIED
    check(await screening(database), truly)


async def test_a_start_before_the_clock_was_set_is_right_when_heard_of_afterwards(
    database: Database, watch: ClockWatch, theirs: WrongClock, clock: Clock
) -> None:
    """Its event was lost; the poll that finds it reads the stamp by the clock of before."""
    clock.move(minutes=26)
    await watch.measure("prod")
    truly, data = clock.now, told(theirs, 2)
    clock.move(minutes=3)
    await watch.measure("prod")
    theirs.off = timedelta(0)
    clock.move(seconds=40)
    await watch.measure("prod")
    clock.move(minutes=2)
    assert await poll(database, clock, data) is Outcome.NEW
    check(await screening(database), truly)


async def test_a_start_just_after_the_clock_was_set_is_right_at_once(
    database: Database, events: ScreeningEvents, theirs: WrongClock, clock: Clock
) -> None:
    """Nobody has measured since: the signature's own instant gives it away."""
    clock.move(minutes=26)
    theirs.off = timedelta(0)
    await push(events, theirs, told(theirs, 2))
    check(await screening(database), clock.now)
    async with database.read() as connection:
        known = await read_clock(connection, "prod")
    assert known is not None
    assert known.offset_us == 0
    assert known.before is not None


async def test_a_schedule_follows_the_clock_that_it_will_run_by(
    database: Database, watch: ClockWatch, theirs: WrongClock, clock: Clock
) -> None:
    """What is to come begins by the clock as it runs then: set right, it begins as planned."""
    assert await poll(database, clock, details()) is Outcome.NEW
    assert (await screening(database)).movie_start == STARTS - WRONG
    theirs.off = timedelta(0)
    clock.move(minutes=1)
    await watch.measure("prod")
    assert (await screening(database)).movie_start == STARTS


async def test_without_an_answer_nothing_is_invented(
    database: Database, theirs: WrongClock, clock: Clock
) -> None:
    """A clock that was never measured: as it was said, within what signatures tolerate."""
    theirs.away = True
    lease = Lease(database, clock, "clock-watch", "one", timedelta(minutes=5))
    watch = ClockWatch(database, {"prod": theirs}, clock, lease, every_s=3600)
    await watch.start()
    await poll(database, clock, details())
    before = await screening(database)
    assert before.movie_start == STARTS
    assert before.movie_start_bound_ms == 600_000 + 300_000
    theirs.away = False
    await watch.measure("prod")
    assert (await screening(database)).movie_start == STARTS - WRONG
    assert (await screening(database)).movie_start_bound_ms <= 600_005
    await watch.stop()


async def test_a_plan_s_bound_grows_while_the_clock_is_not_measured(
    database: Database,
    events: ScreeningEvents,
    watch: ClockWatch,
    theirs: WrongClock,
    clock: Clock,
) -> None:
    """By 100 ppm, with nobody to ask; what was stamped keeps its bound; and it shrinks again."""
    await poll(database, clock, details())
    await push(events, theirs, told(theirs, 2, showtime_id="st-2"))
    measured = await screening(database)
    theirs.away = True
    clock.move(minutes=50)
    await watch.measure("prod")
    grown = await screening(database)
    assert grown.movie_start == measured.movie_start
    grew_ms = grown.movie_start_bound_ms - measured.movie_start_bound_ms
    assert 299 <= grew_ms <= 301
    check(await screening(database, "st-2"), EVENING)
    theirs.away = False
    clock.move(minutes=11)
    await watch.measure("prod")
    assert (await screening(database)).movie_start_bound_ms == measured.movie_start_bound_ms


async def test_the_other_replica_knows_what_the_first_has_measured(
    database: Database, watch: ClockWatch, theirs: WrongClock, clock: Clock
) -> None:
    """It measures nothing itself, and its bound does not grow for ever."""
    lease = Lease(database, clock, "clock-watch", "two", timedelta(minutes=5))
    other = ClockWatch(database, {"prod": theirs}, clock, lease, every_s=3600)
    await other.look()
    began = other.known("prod")
    clock.move(minutes=1)
    await watch.measure("prod")
    await other.look()
    known = other.known("prod")
    assert began is not None
    assert known is not None
    assert known == watch.known("prod")
    assert known.measured_at == clock.now > began.measured_at


async def test_a_clock_that_was_never_measured_is_measured_before_its_stamp_is_read(
    database: Database, theirs: WrongClock, clock: Clock
) -> None:
    """Tell was started before the partner: the first start is right all the same."""
    theirs.away = True
    lease = Lease(database, clock, "clock-watch", "one", timedelta(minutes=5))
    watch = ClockWatch(database, {"prod": theirs}, clock, lease, every_s=3600)
    await watch.start()
    theirs.away = False
    taking = ScreeningEvents(database, clock, measure=watch.measure)
    await push(taking, theirs, told(theirs, 2))
    check(await screening(database), clock.now)
    await watch.stop()
