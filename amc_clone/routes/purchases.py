"""Buying: the JSON API and the pages, and the QR code of the listen link."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Final

import segno
from aiohttp import web

from amc_clone.box_office import BoxOffice
from amc_clone.errors import PurchaseNotFoundError
from amc_clone.pages.purchase_page import purchase_page
from amc_clone.routes.inputs import SaleBody, read_form, read_json, read_wait_s
from amc_clone.routes.presenting import purchase_json

# So long the page waits for Tell before it says "on its way": mostly it need not say so.
_PAGE_WAIT_S: Final = 1.5
_LONGEST_WAIT_S: Final = 25.0


class PurchaseRoutes:
    """Selling a ticket and showing it. Its address is a secret: it leads to the listen link."""

    def __init__(self, box_office: BoxOffice, clock: Callable[[], datetime]) -> None:
        self._box_office = box_office
        self._clock = clock

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the routes."""
        router.add_post("/api/purchases", self.sell)
        router.add_get("/api/purchases/{purchase_id}", self.purchase)
        router.add_post("/purchases", self.sell_by_form)
        router.add_get("/purchases/{purchase_id}", self.page)
        router.add_get("/purchases/{purchase_id}/qr.svg", self.qr_code)

    async def sell(self, request: web.Request) -> web.Response:
        """Sell a ticket: 201 once the sale and the message about it are durable."""
        body = await read_json(request, SaleBody)
        purchase = await self._box_office.sell(body.showtime_id)
        return web.json_response(
            purchase_json(purchase),
            status=201,
            headers={"Location": f"/api/purchases/{purchase.purchase_id}"},
        )

    async def purchase(self, request: web.Request) -> web.Response:
        """The purchase as it stands; with `Prefer: wait=<seconds>` once Tell has answered."""
        purchase = await self._box_office.settled(
            request.match_info["purchase_id"], read_wait_s(request, _LONGEST_WAIT_S)
        )
        return web.json_response(purchase_json(purchase))

    async def sell_by_form(self, request: web.Request) -> web.Response:
        """Sell a ticket and go to its page (303, so that a reload buys no second one)."""
        form = await read_form(request, SaleBody)
        purchase = await self._box_office.sell(form.showtime_id)
        raise web.HTTPSeeOther(f"/purchases/{purchase.purchase_id}")

    async def page(self, request: web.Request) -> web.Response:
        """The ticket's page; with `Prefer: wait=<seconds>` it waits longer for Tell."""
        purchase = await self._box_office.settled(
            request.match_info["purchase_id"],
            max(_PAGE_WAIT_S, read_wait_s(request, _LONGEST_WAIT_S)),
        )
        return web.Response(text=purchase_page(purchase, self._clock()), content_type="text/html")

    async def qr_code(self, request: web.Request) -> web.Response:
        """The listen link as a QR code (ISO/IEC 18004), SVG; 404 before Tell has answered."""
        purchase = await self._box_office.purchase(request.match_info["purchase_id"])
        if purchase.listen_url is None:
            raise PurchaseNotFoundError
        return web.Response(
            body=_qr_svg(purchase.listen_url), content_type="image/svg+xml", charset="utf-8"
        )


def _qr_svg(text: str) -> bytes:
    drawn = io.BytesIO()
    # Black on white in dark mode too, with the quiet zone of 4 modules: scanners need both.
    segno.make(text, error="m", micro=False).save(
        drawn, kind="svg", border=4, dark="#000", light="#fff", omitsize=True, xmldecl=False
    )
    return drawn.getvalue()
