"""The partner's answers as the catalog gets them: kept, shared, retried, and not at any price.

Between enrichment and the partner stand, from the outside in: what is kept (fresh: nobody asks;
older: the partner is asked whether it is still true, RFC 9110 13.1.2; partner away: it still
serves, RFC 5861 4), one flight for equal questions, a few quick tries, and the circuit breaker.
The long retries are enrichment's, in the database.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

import stamina
import structlog

from catalog.errors import (
    BreakerOpenError,
    PartnerAnswerError,
    PartnerError,
    PartnerUnavailableError,
    ScreeningUnknownError,
)
from catalog.partner.answer_cache import AnswerCache, Kept
from catalog.partner.breaker import Breaker, BreakerRules, BreakerState
from catalog.partner.client import Fetched
from catalog.partner.details import Question, ScreeningDetails, check_answer, read_details

log = structlog.get_logger()

# Worth another try at once: what often passes within a second. A time-out has cost enough already.
_QUICK = frozenset({"connection", "status-500", "status-502", "status-503", "status-504"})
_Told = TypeVar("_Told")


class AnswerOutcome(StrEnum):
    """Where an answer came from, or why there is none; the words of a metric."""

    KEPT = "kept"
    CONFIRMED = "confirmed"
    FETCHED = "fetched"
    STALE = "stale"
    UNKNOWN = "unknown"
    WRONG = "wrong"
    UNAVAILABLE = "unavailable"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """For how long an answer is *fresh*, and for how long it serves while the partner is away.

    A look-up is tried *tries* times, the waits between them growing from *wait_s*, as long as no
    more than *tries_within_s* seconds have passed.
    """

    fresh: timedelta
    stale: timedelta
    tries: int
    wait_s: float
    tries_within_s: float
    breaker: BreakerRules


class Asked(Protocol):
    """What asks the partner over the network."""

    @property
    def base_url(self) -> str:
        """Which partner it is."""
        ...

    async def fetch(self, question: Question, etag: str = "") -> Fetched:
        """Raises PartnerError."""
        ...

    async def showings(self, question: Question, sold_at: datetime) -> list[ScreeningDetails]:
        """Raises PartnerError."""
        ...


class Answers:
    """The answers of the partner called *environment*.

    *on_outcome* is told of every question, *on_turn* of the breaker's every change.
    """

    def __init__(
        self,
        environment: str,
        asked: Asked,
        cache: AnswerCache,
        clock: Callable[[], datetime],
        rules: AnswerRules,
        *,
        on_outcome: Callable[[AnswerOutcome], None] = lambda outcome: None,
        on_turn: Callable[[BreakerState], None] = lambda state: None,
    ) -> None:
        self._environment = environment
        self._asked = asked
        self._cache = cache
        self._clock = clock
        self._rules = rules
        self._on_outcome = on_outcome
        self._on_turn = on_turn
        self._caller = stamina.AsyncRetryingCaller(
            attempts=rules.tries,
            timeout=rules.tries_within_s,
            wait_initial=rules.wait_s,
            wait_jitter=rules.wait_s,
        )
        self._breaker = Breaker(rules.breaker)
        self._turned_to = BreakerState.CLOSED
        self._flights: dict[Question, asyncio.Task[ScreeningDetails]] = {}

    @property
    def state(self) -> BreakerState:
        """What the breaker lets through now."""
        return self._breaker.state(self._clock())

    async def close(self) -> None:
        """Drop the look-ups that are under way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def screening_details(
        self,
        movie_id: str,
        place_id: str,
        auditorium_number: str,
        showtime_id: str,
        *,
        fresh: timedelta | None = None,
        stale: timedelta | None = None,
    ) -> ScreeningDetails:
        """What the partner says of the showtime: at most *fresh* old, *stale* while it is away.

        Without them the rules' own; with zero for both it is what the partner says now. Raises
        PartnerUnavailableError, ScreeningUnknownError, ShowtimeEchoError, PartnerAnswerError.
        """
        question = Question(movie_id, place_id, auditorium_number, showtime_id)
        kept = await self._cache.get(self._key(question))
        known = _read_kept(kept, question)
        if known is not None and self._is_within(
            kept, self._rules.fresh if fresh is None else fresh
        ):
            self._on_outcome(AnswerOutcome.KEPT)
            return known
        try:
            return await self._one_flight(question, kept if known is not None else None)
        except PartnerUnavailableError as error:
            serves = self._rules.stale if stale is None else stale
            if known is None or not self._is_within(kept, serves):
                raise
            log.warning("partner_answer_stale", showtime_id=showtime_id, failure_code=error.reason)
            self._on_outcome(AnswerOutcome.STALE)
            return known

    async def showings(self, question: Question, sold_at: datetime) -> list[ScreeningDetails]:
        """Every showing that a ticket for *question*, sold at *sold_at*, may be for: never kept.

        Raises PartnerUnavailableError, ScreeningUnknownError or PartnerAnswerError.
        """

        async def ask() -> tuple[list[ScreeningDetails], AnswerOutcome]:
            return await self._asked.showings(question, sold_at), AnswerOutcome.FETCHED

        return await self._retried(ask)

    def _key(self, question: Question) -> str:
        # Who is asked belongs to it: a staging system may share the Redis.
        asked = [
            self._asked.base_url,
            question.movie_id,
            question.place_id,
            question.auditorium_number,
            question.showtime_id,
        ]
        return f"tell:answer:{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}"

    def _is_within(self, kept: Kept | None, longest: timedelta) -> bool:
        """Whether the answer is younger than *longest*; clocks of replicas differ a little."""
        return kept is not None and abs(self._clock() - kept.told_at) < longest

    async def _one_flight(self, question: Question, kept: Kept | None) -> ScreeningDetails:
        """Equal questions at the same time are one request, and all get its answer."""
        flight = self._flights.get(question)
        if flight is None:
            flight = asyncio.create_task(self._fly(question, kept), name="partner look-up")
            self._flights[question] = flight
            flight.add_done_callback(_retrieve)
        # One who goes away leaves the answer to the others.
        return await asyncio.shield(flight)

    async def _fly(self, question: Question, kept: Kept | None) -> ScreeningDetails:
        async def ask() -> tuple[ScreeningDetails, AnswerOutcome]:
            return await self._ask(question, kept)

        try:
            return await self._retried(ask)
        finally:
            del self._flights[question]

    async def _ask(
        self, question: Question, kept: Kept | None
    ) -> tuple[ScreeningDetails, AnswerOutcome]:
        """One request; what it tells is kept."""
        fetched = await self._asked.fetch(question, kept.etag if kept is not None else "")
        if fetched.body is None and kept is not None:
            body, outcome = kept.body.encode(), AnswerOutcome.CONFIRMED
        else:
            body, outcome = fetched.body or b"", AnswerOutcome.FETCHED
        details = read_details(body)
        check_answer(details, question)
        await self._cache.put(self._key(question), Kept(body.decode(), fetched.etag, self._clock()))
        return details, outcome

    async def _retried(self, ask: Callable[[], Awaitable[tuple[_Told, AnswerOutcome]]]) -> _Told:
        """Ask, and soon again where that may help."""
        return await self._caller(_passes_soon, self._guarded, ask)

    async def _guarded(self, ask: Callable[[], Awaitable[tuple[_Told, AnswerOutcome]]]) -> _Told:
        """Ask if the breaker lets us, and tell it what came of it. Raises BreakerOpenError."""
        now = self._clock()
        admitted = self._breaker.admit(now)
        if admitted is None:
            self._on_outcome(AnswerOutcome.NOT_ASKED)
            raise BreakerOpenError(self._breaker.waits_until(now) or now)
        self._turn(admitted)
        # Stays None where the look-up is cancelled or has a bug: it told nothing of the partner.
        outcome: AnswerOutcome | None = None
        try:
            told, outcome = await ask()
        except PartnerUnavailableError:
            outcome = AnswerOutcome.UNAVAILABLE
            raise
        except ScreeningUnknownError:
            outcome = AnswerOutcome.UNKNOWN
            raise
        except PartnerAnswerError:
            outcome = AnswerOutcome.WRONG
            raise
        finally:
            self._turn(self._after(outcome))
            if outcome is not None:
                self._on_outcome(outcome)
        return told

    def _after(self, outcome: AnswerOutcome | None) -> Breaker:
        if outcome is None:
            return self._breaker.dropped()
        if outcome is AnswerOutcome.UNAVAILABLE:
            return self._breaker.failed(self._clock())
        # A 404 and a wrong answer are answers: the partner is there.
        return self._breaker.succeeded()

    def _turn(self, breaker: Breaker) -> None:
        self._breaker = breaker
        state = self.state
        if state is not self._turned_to:
            self._turned_to = state
            log.warning("partner_breaker", environment=self._environment, state=state.value)
            self._on_turn(state)


def _passes_soon(error: Exception) -> bool:
    return isinstance(error, PartnerUnavailableError) and error.reason in _QUICK


def _read_kept(kept: Kept | None, question: Question) -> ScreeningDetails | None:
    """The details in what is kept, checked again: others may write to a shared Redis."""
    if kept is None:
        return None
    try:
        details = read_details(kept.body.encode())
        check_answer(details, question)
    except (PartnerError, ValueError):
        return None
    return details


def _retrieve(flight: asyncio.Task[ScreeningDetails]) -> None:
    # All who waited may have gone: then nobody else looks at how it ended.
    if not flight.cancelled():
        flight.exception()
