"""GET /openapi.json: what programs may ask of AMC-clone."""

from __future__ import annotations

import json

from aiohttp import web

from amc_clone.openapi import document
from amc_clone.routes.presenting import tagged


class DocumentRoutes:
    """The service's own description."""

    def __init__(self) -> None:
        self._document = json.dumps(document()).encode()

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the route."""
        router.add_get("/openapi.json", self.openapi)

    async def openapi(self, request: web.Request) -> web.Response:
        """The OpenAPI 3.1 document."""
        return tagged(request, self._document, "application/json", "no-cache")
