"""deploy/nginx/replicas.conf, by a real nginx before two servers that can die."""

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

TOKEN = "k1~abcdefghijklmnop~qrstuvwxyz0123456789"


async def echo(request: web.Request) -> web.Response:
    """Tell who answered, and what came."""
    return web.json_response(
        {
            "port": request.transport.get_extra_info("sockname")[1] if request.transport else None,
            "forwarded_for": request.headers.getall("X-Forwarded-For", []),
            "host": request.host,
        }
    )


def echoing() -> web.Application:
    """What stands for a replica."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    return app


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[tuple[Nginx, list[TestServer]]]:
    """An nginx and the two servers behind it."""
    servers = []
    for _ in range(2):
        servers.append(TestServer(echoing()))
        await servers[-1].start_server()
    places = dict(
        zip(("first", "second"), (f"127.0.0.1:{each.port}" for each in servers), strict=True)
    )
    try:
        async with running_nginx("replicas.conf", folder, places) as nginx:
            yield nginx, servers
    finally:
        for each in servers:
            await each.close()


async def asked(session: aiohttp.ClientSession, times: int) -> set[int]:
    """Ask so often, which must be answered each time; the ports that answered."""
    ports = set()
    for _ in range(times):
        async with session.get("/time?nonce=abc") as answer:
            assert answer.status == 200
            ports.add((await answer.json())["port"])
    return ports


@pytest.mark.usefixtures("needs_nginx")
async def test_a_dead_replica_costs_no_request(tmp_path: Path) -> None:
    """While both live, both answer; when one is dead, the other does, and nobody sees a 502."""
    async with cluster(tmp_path) as (nginx, servers), aiohttp.ClientSession(nginx.url) as session:
        assert await asked(session, 20) == {each.port for each in servers}
        await servers[0].close()
        assert await asked(session, 20) == {servers[1].port}


@pytest.mark.usefixtures("needs_nginx")
async def test_one_that_has_just_come_back_is_asked_when_the_other_dies(tmp_path: Path) -> None:
    """Though nginx leaves it alone still, as after a restart of one and then of the other."""
    async with cluster(tmp_path) as (nginx, servers), aiohttp.ClientSession(nginx.url) as session:
        port = servers[0].port
        await servers[0].close()
        assert await asked(session, 4) == {servers[1].port}
        servers.append(TestServer(echoing(), port=port))
        await servers[-1].start_server()
        await servers[1].close()
        assert await asked(session, 4) == {port}


@pytest.mark.usefixtures("needs_nginx")
async def test_what_a_client_says_of_its_address_is_not_passed_on(tmp_path: Path) -> None:
    """Tell believes this nginx alone."""
    said = {"X-Forwarded-For": "203.0.113.7"}
    async with (
        cluster(tmp_path) as (nginx, _),
        aiohttp.ClientSession(nginx.url) as session,
        session.get("/time", headers=said) as answer,
    ):
        told = await answer.json()
    assert told["forwarded_for"] == ["127.0.0.1"]
    assert told["host"] == f"127.0.0.1:{nginx.port}"


@pytest.mark.usefixtures("needs_nginx")
async def test_no_token_is_in_its_logs(tmp_path: Path) -> None:
    """However it is spelt, answered or not, with both replicas dead too."""
    paths = [
        f"/stream/{TOKEN}/main.m3u8",
        f"/stream/{TOKEN}",
        f"/%73tream/{TOKEN}/aac-64k.mp4?x={TOKEN}",
        f"//stream//{TOKEN}/main.m3u8",
        f"/STREAM/{TOKEN}/main.m3u8",
        f"/STREAM/{TOKEN.replace('~', '-')}/main.m3u8",
        f"/stream/x/{TOKEN}",
        f"/listen?{TOKEN}",
        f"/listen?access={TOKEN}&token={TOKEN}",
        # What becomes of a claim's link where a program took its # for a letter.
        f"/listen%23{TOKEN}",
        f"/listen%2523{TOKEN}",
        f"/somewhere/stream/{TOKEN}/main.m3u8",
    ]
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Cookie": f"tell-ops={TOKEN}",
        "Referer": f"http://127.0.0.1/stream/{TOKEN}",
        "User-Agent": TOKEN,
    }
    async with cluster(tmp_path) as (nginx, servers), aiohttp.ClientSession() as session:
        for _ in range(2):
            for path in paths:
                # As it is written: the client would decode and merge.
                url = URL(nginx.url + path, encoded=True)
                async with session.get(url, headers=headers) as answer:
                    assert answer.status in {200, 502}
            for each in servers:
                await each.close()
    log = nginx.access_log.read_text()
    assert log.count("\n") == 2 * len(paths)
    assert "/stream/[masked]/main.m3u8" in log
    assert '" 502 ' in log
    for file in tmp_path.rglob("*"):
        if file.is_file():
            text = file.read_text("utf-8", "replace")
            assert "qrstuvwxyz0123456789" not in text, file
