"""What every request goes through."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from amc_clone.routes.middleware import (
    CONTENT_SECURITY_POLICY,
    answer_errors,
    finish_response,
    log_requests,
)
from tests.amc_clone.cinema import Cinema


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/screenings", "/time", "/static/style.css"])
async def test_every_answer_has_safe_headers(cinema: Cinema, path: str) -> None:
    """A strict CSP without anything inline, no sniffing, no framing."""
    async with cinema.client.get(path) as answer:
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Origin": "http://{host}"}, 303),
        ({}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://{host}"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
async def test_only_our_own_pages_can_buy(
    cinema: Cinema, headers: dict[str, str], status: int
) -> None:
    """A form of another site gets 403 and sells nothing."""
    screening = await cinema.put_on()
    host = f"{cinema.client.host}:{cinema.client.port}"
    async with cinema.client.post(
        "/purchases",
        data={"showtime_id": screening.showtime_id},
        headers={name: value.replace("{host}", host) for name, value in headers.items()},
        allow_redirects=False,
    ) as answer:
        assert answer.status == status


async def test_another_sites_call_of_the_api_is_refused(cinema: Cinema) -> None:
    """As a problem; and no preflight is ever answered with a yes."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with cinema.client.post("/api/purchases", json={}, headers=headers) as answer:
        assert answer.status == 403
        assert (await answer.json(content_type=None))["code"] == "foreign-origin"
    async with cinema.client.options("/api/purchases") as answer:
        assert answer.status == 405
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_an_unknown_path_is_404_for_people_and_programs(cinema: Cinema) -> None:
    """A page for a browser, a problem for anything else."""
    async with cinema.client.get("/nowhere", headers={"Accept": "text/html,*/*"}) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert "<h1>That is not here</h1>" in await answer.text()
    async with cinema.client.get("/api/nowhere", headers={"Accept": "text/html"}) as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
        assert (await answer.json(content_type=None))["code"] == "not-found"


async def test_another_method_and_too_much_are_told(cinema: Cinema) -> None:
    """405 names the methods; a body past the limit is 413."""
    async with cinema.client.delete("/api/screenings") as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "GET,HEAD,POST"
        assert (await answer.json(content_type=None))["code"] == "method-not-allowed"
    headers = {"Content-Type": "application/json"}
    async with cinema.client.post("/api/purchases", data=b" " * 20_000, headers=headers) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [("*/*", "application/problem+json"), ("text/html", "text/html")],
)
async def test_a_bug_says_nothing_of_itself(accept: str, media_type: str) -> None:
    """500 in our own form, with the safe headers and without a traceback."""

    async def bug(_request: web.Request) -> web.Response:
        raise RuntimeError("the-secret-of-the-bug")

    app = web.Application(middlewares=[log_requests, answer_errors])
    app.on_response_prepare.append(finish_response)
    app.router.add_get("/bug", bug)
    async with (
        TestClient(TestServer(app)) as client,
        client.get("/bug", headers={"Accept": accept}) as answer,
    ):
        assert answer.status == 500
        assert answer.content_type == media_type
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        text = await answer.text()
    assert "the-secret-of-the-bug" not in text
    assert "Traceback" not in text
    assert "something went wrong" in text.lower()


@pytest.mark.both_databases
async def test_a_database_that_fails_is_503(cinema: Cinema) -> None:
    """The health check says so, and nothing of what the database said."""
    async with cinema.services.database.write() as connection:
        await connection.exec_driver_sql("ALTER TABLE theaters RENAME TO gone")
    async with cinema.client.get("/api/theaters") as answer:
        assert answer.status == 503
        problem = await answer.json(content_type=None)
    assert problem["code"] == "database-error"
    assert "theaters" not in problem["detail"]
