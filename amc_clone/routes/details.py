"""GET /screening/details: what Tell asks about a sold ticket's screening."""

from __future__ import annotations

from aiohttp import web

from amc_clone.routes.inputs import DetailsQuery, read_query
from amc_clone.routes.presenting import details_json, tagged_json
from amc_clone.screenings import Screenings


class DetailsRoutes:
    """The seed's look-up."""

    def __init__(self, screenings: Screenings) -> None:
        self._screenings = screenings

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the route."""
        router.add_get("/screening/details", self.details)

    async def details(self, request: web.Request) -> web.Response:
        """The screening that the query means (Screenings.details says which)."""
        query = read_query(request, DetailsQuery)
        screening = await self._screenings.details(
            query.movie_id, query.place_id, query.auditorium_number, query.showtime_id
        )
        return tagged_json(request, details_json(screening))
