"""GET /time, the clock exchange, and GET /healthz."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from amc_clone.database import Database
from amc_clone.instants import to_us
from amc_clone.routes.inputs import TimeQuery, read_query

# Screenings are kept by this very clock, so that its stamps are exact to their own rounding.
_BOUND_US = 1
_BOUND_SOURCE = "schedule-clock"


class OperationsRoutes:
    """What machines ask of the service itself."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the routes."""
        router.add_get("/time", self.time)
        router.add_get("/healthz", self.health)

    async def time(self, request: web.Request) -> web.Response:
        """The middle two of the four timestamps (RFC 5905 8: T2 and T3), `sent_us` taken last.

        They are by the clock that the screenings are kept by, wherever that stands against UTC.
        """
        received_us = to_us(self._clock())
        query = read_query(request, TimeQuery)
        return web.json_response(
            {
                "nonce": query.nonce,
                "received_us": received_us,
                "bound_us": _BOUND_US,
                "bound_source": _BOUND_SOURCE,
                "sent_us": to_us(self._clock()),
            }
        )

    async def health(self, _request: web.Request) -> web.Response:
        """200 while the database answers."""
        await self._database.ping()
        return web.json_response({"status": "ok"})
