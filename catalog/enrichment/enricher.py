"""From accepted purchases to tickets: asking the partner, in the background, until it answers.

What is still to be asked, and when, stands in the database: a restart goes on where it stopped, and
several gateways share it. Purchases of one showtime share a look-up. A partner that is down or slow
is asked again, at growing intervals, for ever; one that does not know the screening or says what
cannot be true, for a while; then the purchase is parked for a person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from math import inf
from typing import Protocol

import structlog

from catalog.enrichment.ambiguity import choose
from catalog.enrichment.look_ups import RANDOM, LookUp, RetryRules
from catalog.enrichment.verdicts import Choose, Verdicts
from catalog.enrichment.waiting import Waiting
from catalog.errors import (
    AmbiguousShowingError,
    BreakerOpenError,
    DatabaseError,
    PartnerAnswerError,
    PartnerError,
    ShowtimeEchoError,
)
from catalog.partner.details import Question, ScreeningDetails
from catalog.store.database import Database
from catalog.traceparent import tracing
from catalog.workers import ended, is_alive, spawn

log = structlog.get_logger()

# Another gateway may accept purchases, or an operator retry some: look at times without a kick.
_LONGEST_WAIT_S = 5.0


class Partner(Protocol):
    """What enrichment needs of a partner."""

    async def screening_details(
        self, movie_id: str, place_id: str, auditorium_number: str, showtime_id: str
    ) -> ScreeningDetails:
        """Raises PartnerError."""
        ...

    async def showings(self, question: Question, sold_at: datetime) -> list[ScreeningDetails]:
        """All that a ticket sold then may be for; raises PartnerError."""
        ...


class Enrichment:
    """The worker. *on_enriched* is called with a correlation id after its commit.

    *on_waited* is called with the seconds that each took from its 202, and *on_parked* with the
    failure code of each purchase that is left to a person.

    A partner that answers 404, or what cannot be true, is asked for *patience_s* seconds. A look-up
    is this gateway's for *claim_s* seconds: it must be longer than any look-up takes.
    """

    def __init__(
        self,
        database: Database,
        partners: Mapping[str, Partner],
        clock: Callable[[], datetime],
        *,
        retry_first_s: float,
        retry_max_s: float,
        concurrency: int,
        patience_s: float = 3600.0,
        claim_s: float = 30.0,
        on_enriched: Callable[[str], None] = lambda correlation_id: None,
        on_waited: Callable[[float], None] = lambda seconds: None,
        on_parked: Callable[[str], None] = lambda failure_code: None,
        fraction: Callable[[], float] = RANDOM.random,
    ) -> None:
        rules = RetryRules(retry_first_s, retry_max_s, timedelta(seconds=patience_s), fraction)
        self._waiting = Waiting(database, clock)
        self._verdicts = Verdicts(database, clock, rules, on_parked)
        self._partners = partners
        self._clock = clock
        self._retry_first_s = retry_first_s
        self._concurrency = concurrency
        self._claim = timedelta(seconds=claim_s)
        self._on_enriched = on_enriched
        self._on_waited = on_waited
        self._flights: dict[LookUp, asyncio.Task[None]] = {}
        # Those of the flights that have not got their answer yet, and until when they are ours.
        self._asking: dict[LookUp, datetime] = {}
        # Look-ups whose outcome could not be stored, and when to try again.
        self._held: dict[LookUp, datetime] = {}
        self._recovered: set[str] = set()
        self._kicked = asyncio.Event()
        self._idle = asyncio.Event()
        self._running = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker)

    async def start(self) -> None:
        """Begin with what is due."""
        self._running = True
        self._worker = spawn(self._run(), "enrichment")

    async def stop(self) -> None:
        """Drop the look-ups that are under way, finish what is being stored, and end."""
        self._running = False
        self.kick()
        await ended(self._worker)
        dropped = dict(self._asking)
        for look_up in dropped:
            self._flights[look_up].cancel()
        await asyncio.gather(*self._flights.values(), return_exceptions=True)
        if dropped:
            try:
                await self._waiting.give_back(dropped)
            except DatabaseError as error:
                # Nothing is lost: they come due again when our claim has ended.
                log.warning("enrichment_not_given_back", error=str(error))

    def kick(self) -> None:
        """Look for due purchases now: some were accepted, or the clock was moved."""
        self._idle.clear()
        self._kicked.set()

    def recovered(self, environment: str) -> None:
        """The partner answers again: do not let those wait who were only held."""
        self._recovered.add(environment)
        self.kick()

    async def idle(self) -> None:
        """Wait until no look-up is under way and none is due."""
        await self._idle.wait()

    async def _run(self) -> None:
        while self._running:
            self._kicked.clear()
            try:
                wait_s = await self._start_due()
            except DatabaseError as error:
                log.warning("enrichment_not_read", error=str(error))
                wait_s = self._retry_first_s
            if not (self._flights or self._kicked.is_set()):
                self._idle.set()
            try:
                async with asyncio.timeout(min(wait_s, _LONGEST_WAIT_S)):
                    await self._kicked.wait()
            except TimeoutError:
                continue

    async def _start_due(self) -> float:
        """Start look-ups for what is due; returns the seconds until more will be.

        Raises DatabaseError.
        """
        for environment in list(self._recovered):
            await self._waiting.resume(environment)
            self._recovered.discard(environment)
        # One that lands while we read would look due still; its landing kicks anyway.
        flying = set(self._flights)
        limit = self._concurrency + len(self._flights) + len(self._held) + 1
        upcoming = await self._waiting.upcoming(self._partners.keys(), limit)
        now = self._clock()
        self._held = {look_up: until for look_up, until in self._held.items() if until > now}
        next_at = list(self._held.values())
        due: list[LookUp] = []
        for look_up, due_at in upcoming:
            if look_up in flying or look_up in self._held:
                continue
            if due_at > now:
                next_at.append(due_at)
                break
            if len(self._flights) + len(due) >= self._concurrency:
                break  # The next one to land kicks.
            due.append(look_up)
        if due:
            until = now + self._claim
            for look_up in await self._waiting.claim(due, until):
                self._asking[look_up] = until
                self._flights[look_up] = spawn(self._fly(look_up, until), "enrichment look-up")
        return min((instant - now).total_seconds() for instant in next_at) if next_at else inf

    async def _fly(self, look_up: LookUp, until: datetime) -> None:
        landed = False
        try:
            await self._enrich(look_up, until)
            landed = True
        except DatabaseError as error:
            log.warning("enrichment_not_stored", showtime_id=look_up.showtime_id, error=str(error))
        finally:
            if not landed:
                # Its purchases may be due still: without a pause the same would happen at once.
                self._held[look_up] = self._clock() + timedelta(seconds=self._retry_first_s)
            self._asking.pop(look_up, None)
            del self._flights[look_up]
            self.kick()

    async def _enrich(self, look_up: LookUp, until: datetime) -> None:
        """Ask, and store what became of it. Raises DatabaseError."""
        try:
            with tracing(await self._waiting.traceparent(look_up)):
                chooses = await self._ask(look_up)
        except BreakerOpenError as error:
            await self._waiting.hold(look_up, error, until)
        except AmbiguousShowingError as error:
            await self._verdicts.park(look_up, error)
        except PartnerError as error:
            await self._verdicts.put_off(look_up, error, until)
        else:
            await self._link(look_up, chooses)

    async def _ask(self, look_up: LookUp) -> Choose:
        """How to choose the showing of each purchase that waits. Raises PartnerError."""
        partner = self._partners[look_up.environment]
        try:
            details = await partner.screening_details(
                look_up.movie_id,
                look_up.place_id,
                look_up.auditorium_number,
                look_up.showtime_id,
            )
        except ShowtimeEchoError as echo:
            return await self._candidates(look_up, partner, echo)
        finally:
            # From here on stop() waits: what is being stored is not broken off.
            self._asking.pop(look_up, None)
        return lambda _sold_at: details

    async def _candidates(
        self, look_up: LookUp, partner: Partner, echo: ShowtimeEchoError
    ) -> Choose:
        """The answer does not say which showing it is about: see which are possible."""
        sold_at = await self._waiting.sold_at(look_up)
        try:
            showings = await partner.showings(look_up.question, sold_at or self._clock())
        except PartnerAnswerError as error:
            # A partner that lists no showings: then only a person can tell.
            raise AmbiguousShowingError(echo.reason, f"{echo.detail}; {error}") from error
        return partial(_choose, showings, look_up.showtime_id, echo)

    async def _link(self, look_up: LookUp, chooses: Choose) -> None:
        try:
            linked = await self._verdicts.link(look_up, chooses)
        except PartnerAnswerError as error:
            # It contradicts what the partner said before: asking again would not tell which is so.
            await self._verdicts.park(look_up, error)
            return
        for each in linked:
            log.info("purchase_enriched", correlation_id=each.correlation_id)
            self._on_waited(each.waited_s)
            self._on_enriched(each.correlation_id)


def _choose(
    showings: list[ScreeningDetails],
    showtime_id: str,
    echo: ShowtimeEchoError,
    sold_at: datetime,
) -> ScreeningDetails:
    return choose(showings, showtime_id, sold_at, echo)
