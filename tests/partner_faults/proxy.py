"""Between Tell and the real AMC-clone: a proxy that does wrong what a test tells it to."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

DETAILS = "/screening/details"
CLOCK = "/time"


class Fault(StrEnum):
    """What the partner does."""

    NONE = "none"
    SLOW = "slow"
    FAILING = "failing"
    GARBAGE = "garbage"
    GONE = "gone"


def _html(_answer: dict[str, Any]) -> bytes:
    return b"<html><h1>It works!</h1></html>"


def _cut(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer).encode()[:-20]


def _changed(**changes: Any) -> Callable[[dict[str, Any]], bytes]:
    return lambda answer: json.dumps(answer | changes).encode()


# All with status 200: what looks like an answer and is none, or cannot be true.
GARBAGE: tuple[Callable[[dict[str, Any]], bytes], ...] = (
    _html,
    _cut,
    _changed(movie_start=1772825400),
    _changed(credits_end="2001-01-01T00:00:00Z"),
    _changed(poster_path="https://elsewhere.example/x.jpg"),
    _changed(time_zone="Moon/Tycho"),
    _changed(revision=-1),
    lambda _answer: b"[]",
    lambda _answer: b"\xff\xfe\x00",
    lambda _answer: b" " * 70_000,
)


class FaultyPartner:
    """Passes requests on to AMC-clone at *target*, with `fault` in between.

    `edit` may change what is answered about a screening.
    """

    def __init__(self, target: str) -> None:
        self._target = target.rstrip("/")
        self.fault = Fault.NONE
        self.edit: Callable[[dict[str, Any]], dict[str, Any]] | None = None
        # Paths that it does not have.
        self.refused: set[str] = set()
        # The look-ups of screenings that came.
        self.asked = 0
        self._garbage = itertools.cycle(GARBAGE)
        # Set when the test is over: what is slow then ends.
        self._over = asyncio.Event()
        self._session: ClientSession | None = None
        self._server: TestServer | None = None

    async def start(self) -> str:
        """Listen; returns the address."""
        self._session = ClientSession()
        app = web.Application()
        app.router.add_get("/{path:.*}", self._pass_on)
        self._server = TestServer(app)
        await self._server.start_server()
        return str(self._server.make_url("")).rstrip("/")

    async def stop(self) -> None:
        """Let go of everybody."""
        self._over.set()
        if self._server is not None:
            await self._server.close()
        if self._session is not None:
            await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        self.asked += request.path == DETAILS
        if request.path in self.refused:
            return web.Response(status=404)
        match self.fault:
            case Fault.GONE:
                # As at a machine that was switched off: no byte comes back.
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case Fault.SLOW:
                await self._over.wait()
            case Fault.FAILING:
                return web.Response(status=500, text="Oops")
            case _:
                pass
        assert self._session is not None
        async with self._session.get(
            f"{self._target}{request.rel_url.raw_path_qs}", headers=_passed(request)
        ) as answer:
            body, headers = await answer.read(), {"Content-Type": answer.headers["Content-Type"]}
            if "ETag" in answer.headers:
                headers["ETag"] = answer.headers["ETag"]
            if request.path == DETAILS and answer.status == 200:
                body = self._spoilt(body)
            elif request.path == CLOCK and self.fault is Fault.GARBAGE:
                body = b"<html>Bad gateway</html>"
            return web.Response(status=answer.status, body=body, headers=headers)

    def _spoilt(self, body: bytes) -> bytes:
        if self.fault is Fault.GARBAGE:
            return next(self._garbage)(json.loads(body))
        return body if self.edit is None else json.dumps(self.edit(json.loads(body))).encode()


def _passed(request: web.Request) -> dict[str, str]:
    return {name: request.headers[name] for name in ("If-None-Match",) if name in request.headers}
