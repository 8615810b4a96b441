"""The page of a theater's day, its posters and its static files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import resources

from aiohttp import web

from amc_clone.errors import PosterNotFoundError
from amc_clone.pages.showings_page import showings_page
from amc_clone.posters.gallery import poster
from amc_clone.routes.inputs import ShowingsQuery, read_query
from amc_clone.routes.presenting import tagged
from amc_clone.screenings import Screenings
from amc_clone.theater_day import theater_day

_STATIC = {"style.css": "text/css", "ticket.js": "text/javascript", "icon.svg": "image/svg+xml"}


class ShowingsRoutes:
    """What people see before they buy."""

    def __init__(self, screenings: Screenings, clock: Callable[[], datetime]) -> None:
        self._screenings = screenings
        self._clock = clock

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the routes."""
        router.add_get("/", self.page)
        router.add_get("/posters/{movie_id}.svg", self.poster)
        router.add_get("/static/{name}", self.static)

    async def page(self, request: web.Request) -> web.Response:
        """The showings of `?theater=` (the first by name without it) on `?day=` (today)."""
        query = read_query(request, ShowingsQuery)
        now = self._clock()
        shown = await theater_day(self._screenings, query.theater, query.day, now)
        return web.Response(
            text=showings_page(shown, now),
            content_type="text/html",
            # The forms need it: with no-referrer a browser says "Origin: null" (Fetch, "append a
            # request Origin header"), and require_same_origin must refuse that.
            headers={"Referrer-Policy": "same-origin"},
        )

    async def poster(self, request: web.Request) -> web.Response:
        """A film's poster; Tell shows it on its own pages too."""
        drawn = poster(request.match_info["movie_id"])
        if drawn is None:
            raise PosterNotFoundError(request.match_info["movie_id"])
        response = tagged(request, drawn.encode(), "image/svg+xml", "public, max-age=3600")
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    async def static(self, request: web.Request) -> web.Response:
        """A file of the pages: style, script, icon."""
        name = request.match_info["name"]
        if name not in _STATIC:
            raise web.HTTPNotFound
        body = resources.files("amc_clone.pages").joinpath("static", name).read_bytes()
        return tagged(request, body, _STATIC[name], "no-cache")
