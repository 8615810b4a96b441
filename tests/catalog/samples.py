"""What the catalog's tests are made of: an evening, a clock, a film, a partner that answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Row, select

from catalog.enrichment.enricher import Enrichment
from catalog.purchases.intake import Delivery, Intake
from catalog.purchases.notices import PurchaseNotice
from catalog.store.database import Database
from catalog.store.schema import purchases

EVENING = datetime(2026, 3, 6, 19, 30, tzinfo=UTC)


class Clock:
    """An instant that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class PartnerServer:
    """A partner that answers what the test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.changes: dict[str, Any] = {}
        self.missing: set[str] = set()
        self.answer: Callable[[], web.StreamResponse] | None = None
        # What it was asked without a showtimeId, and the list that it answers with, if any.
        self.listed: list[dict[str, str]] = []
        self.showings: list[dict[str, Any]] | None = None
        # Cleared: requests wait, as at a partner that is slow.
        self.open = asyncio.Event()
        self.open.set()
        self.came = asyncio.Event()

    async def details(self, request: web.Request) -> web.StreamResponse:
        if "showtimeId" not in request.query:
            self.listed.append(dict(request.query))
            answer = details() if self.showings is None else details(showings=self.showings)
            return web.json_response(answer)
        self.asked.append(dict(request.query))
        self.came.set()
        await self.open.wait()
        if self.answer is not None:
            return self.answer()
        known = details(
            showtime_id=request.query["showtimeId"],
            auditorium_number=request.query["auditoriumNumber"],
        )
        known.update(self.changes)
        return web.json_response({k: v for k, v in known.items() if k not in self.missing})


def details(**changes: Any) -> dict[str, Any]:
    """The partner's answer for the film that starts twenty minutes after EVENING."""
    return {
        "title": "Steamboat Bill, Jr.",
        "poster_path": "/posters/steamboat.jpg",
        "audio_description_path": "steamboat/en",
        "previews_start": "2026-03-06T19:30:00Z",
        "movie_start": "2026-03-06T19:50:00Z",
        "credits_end": "2026-03-06T21:01:00Z",
        "showtime_id": "st-1",
        "auditorium_number": "7",
        "status": "scheduled",
        "theater_name": "Grand Lake",
        "time_zone": "America/Los_Angeles",
        "movie_start_bound_ms": 600_000,
        "revision": 1,
        **changes,
    }


def notice(**changes: Any) -> PurchaseNotice:
    """A purchase for the partner's film."""
    return PurchaseNotice.model_validate(
        {
            "purchase_id": "p-1",
            "movie_id": "steamboat",
            "place_id": "grand-lake",
            "auditorium_number": "7",
            "showtime_id": "st-1",
            "purchased_at": "2026-03-06T11:15:00-08:00",
            **changes,
        }
    )


async def settled(enrichment: Enrichment) -> None:
    """Everything that is due now has been asked for and stored."""
    enrichment.kick()
    async with asyncio.timeout(20):
        await enrichment.idle()


async def purchase_row(database: Database, correlation_id: str) -> Row[Any]:
    """The purchase as it is stored."""
    async with database.read() as connection:
        return (
            await connection.execute(
                select(purchases).where(purchases.c.correlation_id == correlation_id)
            )
        ).one()


def garbage() -> web.Response:
    """What a proxy answers in the place of the partner."""
    return web.Response(text="<html>Bad gateway</html>", content_type="text/html")


def failing(status: int) -> Callable[[], web.Response]:
    """An answer with that status."""
    return lambda: web.Response(status=status, text=json.dumps({"error": "no"}))


async def accept(
    intake: Intake, environment: str, sold: PurchaseNotice, webhook_id: str = ""
) -> str:
    """Hand *sold* to the intake as one message; without a *webhook_id* it has one of its own."""
    digest = hashlib.sha256(sold.model_dump_json().encode()).hexdigest()
    return await intake.accept(environment, sold, Delivery(webhook_id or digest, digest))
