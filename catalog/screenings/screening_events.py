"""What the partner pushes: a screening changed, or a purchase was taken back.

At least once and in any order: a screening goes by its revision, a cancellation says the same each
time. `docs/changes.md` describes the messages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal, Self

import structlog
from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import PartnerAnswerError, ScreeningConflictError, WebhookIdReusedError
from catalog.keys.webhook_messages import Message, note_messages
from catalog.models import ScreeningStatus
from catalog.partner.clock import correction_of_plan
from catalog.partner.clock_records import read_clock
from catalog.partner.details import ScreeningDetails
from catalog.purchases.cancellations import cancel_purchase
from catalog.purchases.notices import MovieId, PartnerId
from catalog.screenings.keeping import Outcome, Stored, store_details
from catalog.store.database import Database

log = structlog.get_logger()

SCREENING_TYPES = (
    "screening.updated",
    "screening.cancelled",
    "screening.started",
    "screening.moved",
)
CANCELLATION_TYPE = "purchase.cancelled"
# What was stamped so shortly before it was signed was stamped by the clock that signed it.
_PROMPT = timedelta(seconds=5)
# Between signing and arriving lie a second of rounding and the way here; what is more is a clock
# that somebody has set since it was measured.
_SUSPECT = timedelta(seconds=15)


class PushedScreening(ScreeningDetails):
    """`data` of a screening's event: its details, with the ids that say whose they are."""

    movie_id: MovieId
    place_id: PartnerId
    showtime_id: PartnerId


class ScreeningChanged(BaseModel):
    """A screening as it is since `revision`. Fields that are not ours are passed over."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    type: Literal[
        "screening.updated", "screening.cancelled", "screening.started", "screening.moved"
    ]
    data: PushedScreening

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        status = self.data.status
        for named, meant in (
            ("screening.cancelled", ScreeningStatus.CANCELLED),
            ("screening.started", ScreeningStatus.STARTED),
        ):
            if self.type == named and status is not meant:
                raise PydanticCustomError(
                    "status",
                    "data.status must be '{meant}' in {named}",
                    {"meant": meant.value, "named": named},
                )
        return self


class CancelledPurchase(BaseModel):
    """`data` of purchase.cancelled."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    purchase_id: PartnerId


class PurchaseCancelled(BaseModel):
    """A purchase was taken back: its ticket opens nothing any more."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    type: Literal["purchase.cancelled"]
    data: CancelledPurchase


class ScreeningEvents:
    """Takes events: what is accepted is durable, and true for every replica from then on.

    *on_change* is called after the commit of something that listeners see. *measure* is asked to
    measure the clock of an environment that seems to have been set; it takes a moment at most.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        *,
        on_change: Callable[[], None] = lambda: None,
        measure: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_change = on_change
        self._measure = measure

    async def screening_changed(
        self, message: Message, event: ScreeningChanged, signed_at: datetime
    ) -> Outcome:
        """Take a screening as the partner has it now.

        *signed_at* is the instant of the signature by the partner's clock. An older revision is
        OUTDATED and changes nothing; an equal one with other content is a CONFLICT, which the log
        tells of. Raises WebhookIdReusedError, ScreeningConflictError where the showtime is another
        film's, and DatabaseError.
        """
        data, environment = event.data, message.environment
        await self._check_clock(environment, signed_at)
        stamped_now = abs(signed_at - data.movie_start) <= _PROMPT

        async def store(connection: AsyncConnection) -> Stored:
            now = self._clock()
            await _note(connection, message, now)
            return await store_details(
                connection,
                environment,
                data.movie_id,
                data.place_id,
                data.showtime_id,
                data,
                now=now,
                stamped_now=stamped_now,
            )

        try:
            stored = await self._database.run(store)
        except PartnerAnswerError as error:
            log.exception("screening_event_refused", environment=environment, reason=error.reason)
            raise ScreeningConflictError(data.showtime_id, error.detail) from error
        log.info(
            "screening_event",
            environment=environment,
            kind=event.type,
            showtime_id=data.showtime_id,
            revision=data.revision,
            outcome=stored.outcome,
        )
        if stored.outcome is Outcome.APPLIED:
            self._on_change()
        return stored.outcome

    async def purchase_cancelled(self, message: Message, event: PurchaseCancelled) -> Outcome:
        """Take a purchase back, also one that has not come yet (NEW).

        Raises WebhookIdReusedError, DatabaseError.
        """
        environment = message.environment

        async def store(connection: AsyncConnection) -> Outcome:
            now = self._clock()
            await _note(connection, message, now)
            return await cancel_purchase(connection, environment, event.data.purchase_id, now)

        outcome = await self._database.run(store)
        log.info("purchase_cancelled", environment=environment, outcome=outcome)
        if outcome is Outcome.APPLIED:
            self._on_change()
        return outcome

    async def _check_clock(self, environment: str, signed_at: datetime) -> None:
        """Measure the partner's clock before its stamps are read, where that was not done yet.

        Or where it seems to have been set since.
        """
        if self._measure is None:
            return
        now = self._clock()
        async with self._database.read() as connection:
            clock = await read_clock(connection, environment)
        known = correction_of_plan(clock, now)
        if clock is None or abs(known.on_our_clock(signed_at) - now) > _SUSPECT:
            log.warning("partner_clock_suspect", environment=environment)
            await self._measure(environment)


async def _note(connection: AsyncConnection, message: Message, now: datetime) -> None:
    """Remember the message in the transaction that does what it says.

    A replay goes on: it says what is true already. Raises WebhookIdReusedError.
    """
    if await note_messages(connection, [message], now):
        raise WebhookIdReusedError(message.webhook_id)
