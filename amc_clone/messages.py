"""Messages to Tell, as rows of the outbox: written in the transaction that makes them true."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from amc_clone.database import insert_row
from amc_clone.facts import details_json
from amc_clone.identifiers import new_webhook_id
from amc_clone.instants import rfc3339
from amc_clone.models import DeliveryState, MessageKind, Screening
from amc_clone.schema import outbox

PURCHASE_PATH: Final = "/tell/purchase"
EVENTS_PATH: Final = "/tell/screening-events"


async def tell_of_purchase(
    connection: AsyncConnection,
    purchase_id: str,
    row_id: int,
    screening: Screening,
    now: datetime,
) -> None:
    """A ticket was sold: the six fields of POST /tell/purchase, instants as RFC 3339."""
    body = {
        "purchase_id": purchase_id,
        "movie_id": screening.movie.movie_id,
        "place_id": screening.theater.place_id,
        "auditorium_number": screening.auditorium_number,
        "showtime_id": screening.showtime_id,
        "purchased_at": rfc3339(now),
    }
    await _put(connection, MessageKind.PURCHASE, PURCHASE_PATH, body, row_id, now)


async def tell_of_screening(
    connection: AsyncConnection, event_type: str, screening: Screening, now: datetime
) -> None:
    """A screening changed: all of its facts, which say the same however often they are read."""
    body = {"type": event_type, "timestamp": rfc3339(now), "data": details_json(screening)}
    await _put(connection, MessageKind.SCREENING, EVENTS_PATH, body, None, now)


async def tell_of_cancellation(
    connection: AsyncConnection, purchase_id: str, row_id: int, now: datetime
) -> None:
    """A purchase was taken back."""
    body = {
        "type": "purchase.cancelled",
        "timestamp": rfc3339(now),
        "data": {"purchase_id": purchase_id, "cancelled_at": rfc3339(now)},
    }
    await _put(connection, MessageKind.CANCELLATION, EVENTS_PATH, body, row_id, now)


async def _put(
    connection: AsyncConnection,
    kind: MessageKind,
    path: str,
    body: dict[str, Any],
    purchase_row: int | None,
    now: datetime,
) -> None:
    await insert_row(
        connection,
        outbox,
        webhook_id=new_webhook_id(),
        kind=kind,
        path=path,
        body=json.dumps(body, separators=(",", ":")),
        purchase_id=purchase_row,
        created_at=now,
        state=DeliveryState.PENDING,
        attempts=0,
        next_attempt_at=now,
    )
