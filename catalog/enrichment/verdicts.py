"""What the partner's answer, or its silence, makes of the purchases that waited for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.enrichment.look_ups import OPEN, LookUp, RetryRules, failing_since, failure
from catalog.errors import AmbiguousShowingError, PartnerError, PartnerUnavailableError
from catalog.listeners.events import EventDraft, append_events
from catalog.models import EventKind, PurchaseState
from catalog.partner.details import ScreeningDetails
from catalog.screenings.keeping import store_details
from catalog.screenings.polling_schedule import watch_screening
from catalog.store.database import Database
from catalog.store.schema import Instant, purchases

log = structlog.get_logger()

_Row = Row[*tuple[Any, ...]]

# The showing of a ticket that was sold at an instant; raises AmbiguousShowingError.
Choose = Callable[[datetime], ScreeningDetails]


@dataclass(frozen=True, slots=True)
class Linked:
    """A purchase that is a ticket now, and how long that took from its 202, in seconds."""

    correlation_id: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class _Parked:
    row: _Row
    error: PartnerError


@dataclass(frozen=True, slots=True)
class _PutOff:
    row: _Row
    failing_since: datetime
    next_attempt_at: datetime


class Verdicts:
    """Writes what became of a look-up. All methods raise DatabaseError.

    *on_parked* is called with the failure code of each purchase that is left to a person.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], datetime],
        rules: RetryRules,
        on_parked: Callable[[str], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules
        self._on_parked = on_parked

    async def link(self, look_up: LookUp, choose: Choose) -> list[Linked]:
        """Enrich all who wait for the answer, and return them.

        *choose* says which showing a ticket sold at an instant is for. A purchase that was parked
        over the same question is answered too; one that *choose* cannot decide is parked. Raises
        PartnerAnswerError where the showing contradicts what is stored.
        """
        now = self._clock()

        async def link(connection: AsyncConnection) -> tuple[list[_Row], list[_Parked]]:
            rows = await _lock(connection, look_up, *OPEN)
            chosen, parked = _sorted(rows, choose)
            await _park(connection, parked, now)
            for details, its in chosen.items():
                await _link(connection, look_up, details, [row.id for row in its], now)
            linked = [row for its in chosen.values() for row in its]
            drafts = [EventDraft(EventKind.TICKET_ENRICHED, purchase_id=row.id) for row in linked]
            await append_events(connection, drafts, now)
            return linked, parked

        linked, parked = await self._database.run(link)
        self._tell_parked(parked)
        return [
            Linked(row.correlation_id, (now - row.accepted_at).total_seconds()) for row in linked
        ]

    async def park(self, look_up: LookUp, error: PartnerError) -> None:
        """All who wait for this answer wait for a person now."""

        async def park(connection: AsyncConnection) -> list[_Parked]:
            rows = await _lock(connection, look_up, PurchaseState.ACCEPTED)
            parked = [_Parked(row, error) for row in rows]
            await _park(connection, parked, self._clock())
            return parked

        self._tell_parked(await self._database.run(park))

    async def put_off(self, look_up: LookUp, error: PartnerError, until: datetime) -> None:
        """Set the next try of each that was claimed *until* then, by its own count of failures.

        One that has got nothing but 404 and impossible answers for too long is parked.
        """
        now = self._clock()
        answered = not isinstance(error, PartnerUnavailableError)

        async def put_off(connection: AsyncConnection) -> tuple[list[_PutOff], list[_Parked]]:
            later: list[_PutOff] = []
            parked: list[_Parked] = []
            for row in await _lock(connection, look_up, PurchaseState.ACCEPTED):
                if row.next_attempt_at > until:
                    continue
                since = failing_since(row.failure_code, row.failing_since, error, now)
                if answered and now - since >= self._rules.patience:
                    parked.append(_Parked(row, error))
                else:
                    later.append(_PutOff(row, since, now + self._rules.delay(row.attempts, error)))
            await _postpone(connection, later, error)
            await _park(connection, parked, now)
            return later, parked

        later, parked = await self._database.run(put_off)
        self._tell_parked(parked)
        for each in later:
            log.warning(
                "enrichment_postponed",
                correlation_id=each.row.correlation_id,
                failure_code=error.reason,
                detail=error.detail,
                attempts=each.row.attempts + 1,
                next_attempt_at=each.next_attempt_at.isoformat(),
            )

    def _tell_parked(self, parked: list[_Parked]) -> None:
        for each in parked:
            # One that was parked before has been told of then.
            if each.row.state is PurchaseState.ACCEPTED:
                self._on_parked(each.error.reason)
                log.error(
                    "purchase_parked",
                    correlation_id=each.row.correlation_id,
                    failure_code=each.error.reason,
                    detail=each.error.detail,
                )


async def _lock(connection: AsyncConnection, look_up: LookUp, *states: PurchaseState) -> list[_Row]:
    rows = await connection.execute(
        select(
            purchases.c.id,
            purchases.c.correlation_id,
            purchases.c.purchased_at,
            purchases.c.accepted_at,
            purchases.c.state,
            purchases.c.attempts,
            purchases.c.next_attempt_at,
            purchases.c.failure_code,
            purchases.c.failing_since,
        )
        .where(*look_up.waiting(*states))
        .with_for_update()
    )
    return list(rows.all())


def _sorted(
    rows: list[_Row], choose: Choose
) -> tuple[dict[ScreeningDetails, list[_Row]], list[_Parked]]:
    """The rows by their showing, and those that have none."""
    chosen: dict[ScreeningDetails, list[_Row]] = {}
    parked: list[_Parked] = []
    for row in rows:
        try:
            chosen.setdefault(choose(row.purchased_at), []).append(row)
        except AmbiguousShowingError as error:
            parked.append(_Parked(row, error))
    return chosen, parked


async def _link(
    connection: AsyncConnection,
    look_up: LookUp,
    details: ScreeningDetails,
    row_ids: list[int],
    now: datetime,
) -> None:
    stored = await store_details(
        connection,
        look_up.environment,
        look_up.movie_id,
        look_up.place_id,
        # A partner that has numbered its showings anew sends events under its own id.
        details.showtime_id or look_up.showtime_id,
        details,
        now=now,
    )
    await watch_screening(connection, stored.screening_id, now)
    await connection.execute(
        update(purchases)
        .where(purchases.c.id.in_(row_ids))
        .values(
            state=PurchaseState.ENRICHED,
            enriched_at=now,
            theater_id=stored.theater_id,
            screening_id=stored.screening_id,
            failure_code=None,
            failure_detail=None,
            failing_since=None,
        )
    )


async def _postpone(connection: AsyncConnection, later: list[_PutOff], error: PartnerError) -> None:
    if later:
        await connection.execute(
            update(purchases)
            .where(purchases.c.id == bindparam("row_id"))
            .values(
                attempts=purchases.c.attempts + 1,
                next_attempt_at=bindparam("next_at"),
                failing_since=bindparam("since"),
                **failure(error),
            ),
            [
                {
                    "row_id": each.row.id,
                    "next_at": each.next_attempt_at,
                    "since": each.failing_since,
                }
                for each in later
            ],
        )


async def _park(connection: AsyncConnection, parked: list[_Parked], now: datetime) -> None:
    if parked:
        await connection.execute(
            update(purchases)
            .where(purchases.c.id == bindparam("row_id"))
            .values(
                state=PurchaseState.PARKED,
                attempts=purchases.c.attempts + 1,
                failure_code=bindparam("code"),
                failure_detail=bindparam("told"),
                failing_since=func.coalesce(
                    purchases.c.failing_since, bindparam("parked_at", type_=Instant())
                ),
            ),
            [
                {
                    "row_id": each.row.id,
                    "code": each.error.reason,
                    "told": failure(each.error)["failure_detail"],
                    "parked_at": now,
                }
                for each in parked
            ],
        )
