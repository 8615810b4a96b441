"""The JSON API of the operator: start, delay, cancel and move a screening, take a ticket back.

For the operator of a simulator on loopback, so it asks for no key; do not publish it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from amc_clone.box_office import BoxOffice
from amc_clone.models import Screening
from amc_clone.operator_desk import OperatorDesk
from amc_clone.routes.inputs import DelayBody, MoveBody, NoBody, StartBody, read_json
from amc_clone.routes.presenting import listed_json, purchase_json


class ChangeRoutes:
    """Each answers once the change and the message about it are durable."""

    def __init__(
        self, desk: OperatorDesk, box_office: BoxOffice, clock: Callable[[], datetime]
    ) -> None:
        self._desk = desk
        self._box_office = box_office
        self._clock = clock

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the routes."""
        router.add_post("/api/screenings/{showtime_id}/start", self.start)
        router.add_post("/api/screenings/{showtime_id}/delay", self.delay)
        router.add_post("/api/screenings/{showtime_id}/cancel", self.cancel)
        router.add_post("/api/screenings/{showtime_id}/move", self.move)
        router.add_post("/api/purchases/{purchase_id}/cancel", self.cancel_purchase)

    async def start(self, request: web.Request) -> web.Response:
        """The film begins now."""
        body = await read_json(request, StartBody)
        return self._screening(
            await self._desk.start(request.match_info["showtime_id"], body.movie_start_bound_ms)
        )

    async def delay(self, request: web.Request) -> web.Response:
        """The film begins so many minutes later."""
        body = await read_json(request, DelayBody)
        by = timedelta(minutes=body.minutes)
        return self._screening(await self._desk.delay(request.match_info["showtime_id"], by))

    async def cancel(self, request: web.Request) -> web.Response:
        """The screening does not take place."""
        await read_json(request, NoBody)
        return self._screening(await self._desk.cancel(request.match_info["showtime_id"]))

    async def move(self, request: web.Request) -> web.Response:
        """It takes place in another auditorium."""
        body = await read_json(request, MoveBody)
        return self._screening(
            await self._desk.move(request.match_info["showtime_id"], body.auditorium_number)
        )

    async def cancel_purchase(self, request: web.Request) -> web.Response:
        """Take a ticket back."""
        await read_json(request, NoBody)
        purchase_id = request.match_info["purchase_id"]
        await self._desk.cancel_purchase(purchase_id)
        return web.json_response(purchase_json(await self._box_office.purchase(purchase_id)))

    def _screening(self, screening: Screening) -> web.Response:
        return web.json_response(listed_json(screening, self._clock()))
