"""The log of what listeners are told: in the database, one for all replicas.

An event is written in the transaction that makes it true. Its id is taken from a counter whose row
is held until the commit, so that events become visible in the order of their ids and a reader that
remembers the last one misses none.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.models import EventKind
from catalog.store.database import Database
from catalog.store.schema import claims, event_sequence, events, purchases

_PRUNED_AT_ONCE = 5_000
# In the detail of an event.
_RELEASED = "purchase"
# Asked for with each playlist: it is built once.
_AFTER = (
    select(events)
    .where(events.c.id > bindparam("last_seen"))
    .order_by(events.c.id)
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event to be written: of a screening (by its row) or of one purchase (by its row)."""

    kind: EventKind
    screening_id: int | None = None
    purchase_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it stands in the log; `id` grows by one with each."""

    id: int
    at: datetime
    kind: EventKind
    screening_id: int | None
    purchase_id: int | None
    detail: Mapping[str, Any]

    @property
    def released(self) -> int | None:
        """The row of a purchase that somebody holds no longer, where it is about that."""
        row: int | None = self.detail.get(_RELEASED)
        return row


@dataclass(frozen=True, slots=True)
class Span:
    """The events that are kept: those after `oldest - 1`, up to `last`."""

    oldest: int
    last: int

    def reaches(self, last_seen: int) -> bool:
        """Whether all that came after event *last_seen* is still there; not for one of ours."""
        return self.oldest - 1 <= last_seen <= self.last


def release_draft(purchase_row: int) -> EventDraft:
    """That somebody holds a purchase no longer: told to no listener, since it is about none."""
    return EventDraft(EventKind.TICKET_RELEASED, detail={_RELEASED: purchase_row})


async def append_events(
    connection: AsyncConnection, drafts: Sequence[EventDraft], now: datetime
) -> None:
    """Write events as the last act of a transaction.

    The last, since from here on every other writer of events waits for the commit.
    """
    if not drafts:
        return
    await connection.execute(
        update(event_sequence)
        .where(event_sequence.c.id == 1)
        .values(last=event_sequence.c.last + len(drafts))
    )
    last: int = (
        await connection.execute(select(event_sequence.c.last).where(event_sequence.c.id == 1))
    ).scalar_one()
    await connection.execute(
        insert(events),
        [
            {
                "id": last - len(drafts) + number,
                "at": now,
                "kind": draft.kind,
                "screening_id": draft.screening_id,
                "purchase_id": draft.purchase_id,
                "detail": json.dumps(dict(draft.detail), separators=(",", ":")),
            }
            for number, draft in enumerate(drafts, start=1)
        ],
    )


class EventLog:
    """Reads the log, and prunes it. All that is awaited raises DatabaseError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def version(self) -> int | None:
        """While this number is the same, nothing was written to the log; None where not known.

        It is told at once, without a reading, and raises nothing.
        """
        return self._database.version()

    async def span(self) -> Span:
        """Which events are kept now."""
        async with self._database.read() as connection:
            last: int = (
                await connection.execute(
                    select(event_sequence.c.last).where(event_sequence.c.id == 1)
                )
            ).scalar_one()
            oldest: int | None = await connection.scalar(select(func.min(events.c.id)))
        return Span(last + 1 if oldest is None else oldest, last)

    async def after(self, last_seen: int, limit: int) -> list[Event]:
        """The first *limit* events after *last_seen*, in order."""
        found = await self._database.rows(_AFTER, {"last_seen": last_seen, "most": limit})
        return [_event(row) for row in found]

    async def of_listener(
        self, listener_id: str, last_seen: int, up_to: int, limit: int
    ) -> list[Event]:
        """The first *limit* events after *last_seen* up to *up_to* about tickets that she holds."""
        held = (
            select(claims.c.purchase_id)
            .where(claims.c.listener_id == listener_id)
            .scalar_subquery()
        )
        shown = select(purchases.c.screening_id).where(purchases.c.id.in_(held)).scalar_subquery()
        query = (
            select(events)
            .where(and_(events.c.id > last_seen, events.c.id <= up_to))
            .where(or_(events.c.purchase_id.in_(held), events.c.screening_id.in_(shown)))
            .order_by(events.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_event(row) for row in await connection.execute(query)]

    async def prune(self, before: datetime) -> int:
        """Delete events from before *before*, the oldest first and not too many; how many."""
        async with self._database.write() as connection:
            old = list(
                await connection.scalars(
                    select(events.c.id)
                    .where(events.c.at < before)
                    .order_by(events.c.id)
                    .limit(_PRUNED_AT_ONCE)
                )
            )
            if old:
                await connection.execute(delete(events).where(events.c.id <= old[-1]))
        return len(old)


def screening_rows(found: Iterable[Event]) -> set[int]:
    """Rows of the screenings that events are about."""
    return {event.screening_id for event in found if event.screening_id is not None}


def purchase_rows(found: Iterable[Event]) -> set[int]:
    """Rows of the purchases that events are about."""
    return {event.purchase_id for event in found if event.purchase_id is not None}


def _event(row: Row[Any]) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        kind=EventKind(row.kind),
        screening_id=row.screening_id,
        purchase_id=row.purchase_id,
        detail=json.loads(row.detail),
    )
