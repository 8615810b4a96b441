"""GET /screening/details: what Tell asks about a sold ticket's screening.

With `showtimeId` the answer is that screening and echoes the id. Without it the top level is the
one that is nearest to now, and `showings` lists every screening that a ticket sold at `soldAt` (or
now) may be for: movieId, placeId and auditoriumNumber alone name many.
"""

from __future__ import annotations

from aiohttp import web

from amc_clone.details import Details
from amc_clone.facts import details_json
from amc_clone.routes.inputs import DetailsQuery, read_query
from amc_clone.routes.presenting import tagged_json


class DetailsRoutes:
    """The seed's look-up."""

    def __init__(self, details: Details) -> None:
        self._details = details

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the route."""
        router.add_get("/screening/details", self.details)

    async def details(self, request: web.Request) -> web.Response:
        """The screening that the query means; without showtimeId those that it may mean, too."""
        query = read_query(request, DetailsQuery)
        asked = (query.movie_id, query.place_id, query.auditorium_number)
        answer = details_json(await self._details.meant(*asked, query.showtime_id))
        if query.showtime_id is None:
            possible = await self._details.possible(*asked, query.sold_at)
            answer["showings"] = [details_json(screening) for screening in possible]
        return tagged_json(request, answer)
