"""The clock exchange and the health check."""

from __future__ import annotations

from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from amc_clone.instants import to_us
from amc_clone.routes.operations import OperationsRoutes
from tests.amc_clone.cinema import NOW, Cinema


async def test_the_exchange_gives_back_the_nonce_and_two_times(cinema: Cinema) -> None:
    """By the clock that the screenings are kept by, past every cache."""
    async with cinema.client.get("/time", params={"nonce": "aB3_-"}) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert await answer.json() == {
            "nonce": "aB3_-",
            "received_us": to_us(NOW),
            "sent_us": to_us(NOW),
            "bound_us": 1,
            "bound_source": "schedule-clock",
        }


async def test_the_sending_time_is_taken_last(cinema: Cinema) -> None:
    """With a clock that moves at each look, received_us comes before sent_us."""
    looks = iter(range(100))
    app = web.Application()
    OperationsRoutes(
        cinema.services.database, lambda: NOW + timedelta(microseconds=next(looks))
    ).add_to(app.router)
    async with (
        TestClient(TestServer(app)) as client,
        client.get("/time", params={"nonce": "x"}) as answer,
    ):
        times = await answer.json()
    assert times["sent_us"] - times["received_us"] == 1


@pytest.mark.parametrize("query", ["", "?nonce=", f"?nonce={'a' * 65}", "?nonce=a%20b"])
async def test_a_wrong_nonce_is_refused(cinema: Cinema, query: str) -> None:
    """1 to 64 url-safe characters."""
    async with cinema.client.get(f"/time{query}") as answer:
        assert answer.status == 400
        assert (await answer.json(content_type=None))["errors"][0]["name"] == "nonce"


@pytest.mark.both_databases
async def test_health_follows_the_database(cinema: Cinema) -> None:
    """200 while it answers; what a failing one gives is in test_middleware.py."""
    async with cinema.client.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok"})
