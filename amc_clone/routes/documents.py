"""GET /openapi.json: what programs may ask of AMC-clone."""

from __future__ import annotations

from aiohttp import web

from amc_clone.openapi import document_json
from amc_clone.routes.presenting import tagged


class DocumentRoutes:
    """The service's own description."""

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the route."""
        router.add_get("/openapi.json", self.openapi)

    async def openapi(self, request: web.Request) -> web.Response:
        """The OpenAPI 3.1 document."""
        return tagged(request, document_json(), "application/json", "no-cache")
