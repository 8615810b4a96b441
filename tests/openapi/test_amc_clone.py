"""AMC-clone keeps what its OpenAPI document says, and leaves nothing out of it."""

from __future__ import annotations

from aiohttp.test_utils import TestServer

from amc_clone.app import SERVICES
from amc_clone.openapi import OPERATIONS
from tests.gateway.town import Town
from tests.openapi.contract import broken_promises

API = ("/api/", "/screening/", "/time", "/healthz", "/openapi.json")


def test_every_route_for_programs_is_described(amc: TestServer) -> None:
    """A route that is added is added to the document, and none stands there that is gone."""
    routed = {
        (route.method.lower(), route.resource.canonical)
        for route in amc.app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith(API)
    }
    described = {(operation.method, operation.path) for operation in OPERATIONS}
    assert {each for each in routed if each[0] != "head"} == described


async def test_amc_clone_keeps_its_document(town: Town) -> None:
    """Edge cases, random requests and sequences of them: every answer is as described."""
    screening = await town.show()
    purchase = await town.amc.app[SERVICES].box_office.sell(screening.showtime_id)
    showtime, ticket = (
        {"showtime_id": screening.showtime_id},
        {"purchase_id": purchase.purchase_id},
    )
    changes = ("start", "delay", "cancel", "move")
    world = {
        "paths": {
            **{f"/api/screenings/{{showtime_id}}/{name}": showtime for name in changes},
            "/api/purchases/{purchase_id}": ticket,
            "/api/purchases/{purchase_id}/cancel": ticket,
        },
        "query": {
            "/screening/details": {
                "movieId": screening.movie.movie_id,
                "placeId": screening.theater.place_id,
                "auditoriumNumber": screening.auditorium_number,
            },
        },
        "place_id": screening.theater.place_id,
        "showtime_id": screening.showtime_id,
        "movie_id": screening.movie.movie_id,
    }
    said = await broken_promises(str(town.amc.make_url("")).rstrip("/"), world)
    assert said == "", said
