"""The JSON API of screenings: /api/theaters and /api/screenings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from amc_clone.errors import InvalidField, InvalidInputError
from amc_clone.instants import from_us, rfc3339, to_us
from amc_clone.localday import day_bounds
from amc_clone.programming import NewScreening, Programming
from amc_clone.routes.inputs import ListingParameters, NewScreeningBody, read_json, read_query
from amc_clone.routes.presenting import listed_json
from amc_clone.screenings import Cursor, ListingQuery, Screenings


class ScreeningRoutes:
    """Listing screenings, and the operator's way to add one."""

    def __init__(
        self, screenings: Screenings, programming: Programming, clock: Callable[[], datetime]
    ) -> None:
        self._screenings = screenings
        self._programming = programming
        self._clock = clock

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the routes."""
        router.add_get("/api/theaters", self.theaters)
        router.add_get("/api/screenings", self.listing)
        router.add_post("/api/screenings", self.add)

    async def theaters(self, _request: web.Request) -> web.Response:
        """All theaters."""
        theaters = await self._screenings.theaters()
        return web.json_response(
            {
                "theaters": [
                    {
                        "place_id": theater.place_id,
                        "name": theater.name,
                        "city": theater.city,
                        "time_zone": theater.time_zone,
                    }
                    for theater in theaters
                ]
            }
        )

    async def listing(self, request: web.Request) -> web.Response:
        """Screenings by previews_start, in pages: `next` is the `cursor` of the next one."""
        parameters = read_query(request, ListingParameters)
        query = await self._query(parameters)
        found, following = await self._screenings.listing(
            query, parameters.limit, _read_cursor(parameters.cursor)
        )
        now = self._clock()
        return web.json_response(
            {
                "server_time": rfc3339(now),
                "screenings": [listed_json(screening, now) for screening in found],
                "next": None if following is None else _write_cursor(following),
            }
        )

    async def add(self, request: web.Request) -> web.Response:
        """Put a screening on at exact times.

        For the operator of a simulator on loopback, so it asks for no key; do not publish it.
        """
        body = await read_json(request, NewScreeningBody)
        screening = await self._programming.add(
            NewScreening(
                movie_id=body.movie_id,
                place_id=body.place_id,
                auditorium_number=body.auditorium_number,
                previews_start=body.previews_start,
                movie_start=body.movie_start,
                credits_end=body.credits_end,
                movie_start_bound_ms=body.movie_start_bound_ms,
            )
        )
        return web.json_response(listed_json(screening, self._clock()), status=201)

    async def _query(self, parameters: ListingParameters) -> ListingQuery:
        starts_from, starts_before = parameters.starts_from, parameters.starts_before
        if parameters.day is not None:
            if parameters.place_id is None or starts_from or starts_before:
                raise InvalidInputError(
                    (
                        InvalidField(
                            "day",
                            "is a theater's own day: give place_id, "
                            "and neither starts_from nor starts_before",
                        ),
                    )
                )
            theater = await self._screenings.theater(parameters.place_id)
            starts_from, starts_before = day_bounds(parameters.day, theater.time_zone)
        return ListingQuery(
            place_id=parameters.place_id,
            movie_id=parameters.movie_id,
            auditorium_number=parameters.auditorium_number,
            starts_from=starts_from,
            starts_before=starts_before,
            ends_after=parameters.ends_after,
        )


def _read_cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    previews_start_us, _, screening_id = text.partition("-")
    try:
        return Cursor(from_us(int(previews_start_us)), int(screening_id))
    except OverflowError as error:
        field = InvalidField("cursor", "is none that this service has given")
        raise InvalidInputError((field,)) from error


def _write_cursor(cursor: Cursor) -> str:
    return f"{to_us(cursor.previews_start)}-{cursor.id}"
