"""The operator's page, and the forms on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from aiohttp import web

from amc_clone.localday import cinema_day
from amc_clone.models import Screening
from amc_clone.operator_desk import OperatorDesk
from amc_clone.pages.operator_page import DeskView, operator_page
from amc_clone.routes.inputs import (
    CancellationForm,
    DelayForm,
    MoveBody,
    NoBody,
    OperatorQuery,
    read_form,
    read_query,
)
from amc_clone.screenings import Screenings
from amc_clone.theater_day import theater_day


class OperatorRoutes:
    """A page with a button for each thing that may happen to a screening.

    A form leads back to the page (303, so that a reload does nothing twice), which says what was
    done.
    """

    def __init__(
        self, screenings: Screenings, desk: OperatorDesk, clock: Callable[[], datetime]
    ) -> None:
        self._screenings = screenings
        self._desk = desk
        self._clock = clock

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the routes."""
        router.add_get("/operator", self.page)
        # Before those whose middle part is a showtime's id.
        router.add_post("/operator/tickets/cancel", self.cancel_ticket)
        router.add_post("/operator/{showtime_id}/start", self.start)
        router.add_post("/operator/{showtime_id}/delay", self.delay)
        router.add_post("/operator/{showtime_id}/cancel", self.cancel)
        router.add_post("/operator/{showtime_id}/move", self.move)

    async def page(self, request: web.Request) -> web.Response:
        """The screenings of `?theater=` (the first by name without it) on `?day=` (today)."""
        query = read_query(request, OperatorQuery)
        now = self._clock()
        shown = await theater_day(self._screenings, query.theater, query.day, now)
        changed = (each for each in shown.screenings if each.showtime_id == query.changed)
        view = DeskView(
            shown=shown,
            auditoriums=await self._desk.auditoriums(shown.theater.place_id),
            waiting=await self._desk.waiting(),
            changed=next(changed, None),
            ticket_cancelled=query.ticket is not None,
        )
        return web.Response(
            text=operator_page(view, now),
            content_type="text/html",
            # The forms need it: see routes/showings.py.
            headers={"Referrer-Policy": "same-origin"},
        )

    async def start(self, request: web.Request) -> web.Response:
        """Start now."""
        await read_form(request, NoBody)
        raise _back(await self._desk.start(request.match_info["showtime_id"]))

    async def delay(self, request: web.Request) -> web.Response:
        """Delay by minutes."""
        form = await read_form(request, DelayForm)
        by = timedelta(minutes=form.minutes)
        raise _back(await self._desk.delay(request.match_info["showtime_id"], by))

    async def cancel(self, request: web.Request) -> web.Response:
        """Cancel the screening."""
        await read_form(request, NoBody)
        raise _back(await self._desk.cancel(request.match_info["showtime_id"]))

    async def move(self, request: web.Request) -> web.Response:
        """Move to another auditorium."""
        form = await read_form(request, MoveBody)
        raise _back(
            await self._desk.move(request.match_info["showtime_id"], form.auditorium_number)
        )

    async def cancel_ticket(self, request: web.Request) -> web.Response:
        """Take a ticket back; its id stays out of the next address, as it leads to a secret."""
        form = await read_form(request, CancellationForm)
        await self._desk.cancel_purchase(form.purchase_id)
        raise web.HTTPSeeOther("/operator?ticket=cancelled")


def _back(screening: Screening) -> web.HTTPSeeOther:
    """To the day that the screening is on now, with the word of what was done."""
    theater = screening.theater
    query = {
        "theater": theater.place_id,
        "day": cinema_day(screening.previews_start, theater.time_zone).isoformat(),
        "changed": screening.showtime_id,
    }
    return web.HTTPSeeOther(f"/operator?{urlencode(query)}")
