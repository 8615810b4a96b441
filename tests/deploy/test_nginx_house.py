"""/ops and /metrics are for the house: what the shipped nginx tells who asks from elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

from demo.services.nginx import Nginx, running_nginx
from tests.deploy.nginx import needs_nginx

__all__ = ["needs_nginx"]

# All of them are this machine, and nginx tells them apart: itself, an operator, and anybody.
HERE, OPERATOR, ANYBODY = "127.0.0.1", "127.0.0.2", "127.0.0.3"
OPERATORS = f"{OPERATOR}/32 1;"
FOR_THE_HOUSE = (
    "/ops",
    "/ops?done=retried",
    "/ops/",
    "/ops/login",
    "/ops/events",
    "/ops/static/ops.js",
    "/metrics",
    "/metrics/",
    # Other spellings of the same.
    "/%6fps",
    "/op%73/login",
    "//ops",
    "/./ops",
    "/app/../ops",
    "/stream/..%2Fops",
    "/stream/../metrics",
    "/%6D%65trics?name=x",
    "/ops%2Flogin",
    "/metrics#x",
)
FOR_ALL = ("/healthz", "/readyz", "/listen", "/time?nonce=abc", "/openapi.json", "/tell/ops")


@asynccontextmanager
async def behind(configuration: str, folder: Path) -> AsyncIterator[tuple[Nginx, list[str]]]:
    """An nginx before a server that answers everything, and notes what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response(text="from inside")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    server = TestServer(app)
    await server.start_server()
    place = f"127.0.0.1:{server.port}"
    values = {"first": place, "second": place, "tell": place, "media": str(folder)}
    try:
        async with running_nginx(
            configuration, folder / "nginx", {**values, "operators": OPERATORS}
        ) as nginx:
            yield nginx, asked
    finally:
        await server.close()


async def ask(nginx: Nginx, path: str, address: str) -> tuple[int, str]:
    """Status and body of what *address* is told; the path goes out as it is written."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(URL(nginx.url + path, encoded=True)) as answer,
    ):
        return answer.status, await answer.text()


@pytest.mark.usefixtures("needs_nginx")
@pytest.mark.parametrize("configuration", ["replicas.conf", "delivery.conf"])
async def test_anybody_is_told_that_there_is_nothing(tmp_path: Path, configuration: str) -> None:
    """Neither page nor number gets out, however the path is spelt, and Tell is not even asked."""
    async with behind(configuration, tmp_path) as (nginx, asked):
        for path in FOR_THE_HOUSE:
            status, body = await ask(nginx, path, ANYBODY)
            assert status == 404, path
            assert "from inside" not in body
        assert asked == []
        for path in FOR_ALL:
            assert await ask(nginx, path, ANYBODY) == (200, "from inside"), path
        assert asked == list(FOR_ALL)


@pytest.mark.usefixtures("needs_nginx")
@pytest.mark.parametrize("configuration", ["replicas.conf", "delivery.conf"])
@pytest.mark.parametrize("address", [HERE, OPERATOR])
async def test_the_house_sees_them(tmp_path: Path, configuration: str, address: str) -> None:
    """This machine, and the networks that are named as operators'."""
    async with behind(configuration, tmp_path) as (nginx, asked):
        for path in ("/ops", "/ops/login", "/metrics"):
            assert await ask(nginx, path, address) == (200, "from inside"), path
        assert asked == ["/ops", "/ops/login", "/metrics"]


@pytest.mark.usefixtures("needs_nginx")
async def test_an_address_that_is_only_said_counts_for_nothing(tmp_path: Path) -> None:
    """Anybody can write a header; who connects is what counts."""
    said = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Forwarded"), HERE)
    connector = aiohttp.TCPConnector(local_addr=(ANYBODY, 0))
    async with (
        behind("replicas.conf", tmp_path) as (nginx, asked),
        aiohttp.ClientSession(nginx.url, connector=connector) as session,
        session.get("/ops", headers=said) as answer,
    ):
        assert answer.status == 404
    assert asked == []
