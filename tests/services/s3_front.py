"""A front before the S3 server that fails as real ones do: refuses, stalls, or changes bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from yarl import URL

_BUSY = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate</Message></Error>"


class Front:
    """Passes requests on while `mode` is "well"; `asked` has the path and range of each."""

    def __init__(self, endpoint: str, session: aiohttp.ClientSession) -> None:
        self.mode: Literal["well", "busy", "stalled", "damaging"] = "well"
        self.asked: list[tuple[str, str]] = []
        self.waits = asyncio.Event()
        self.goes_on = asyncio.Event()
        self._endpoint = endpoint
        self._session = session

    def ranges(self) -> list[str]:
        """The ranges of renditions that were asked for."""
        return [range_ for path, range_ in self.asked if path.endswith(".mp4")]

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one request."""
        self.asked.append((request.path, request.headers.get("Range", "")))
        if self.mode == "busy":
            return web.Response(status=503, text=_BUSY, content_type="application/xml")
        if self.mode == "stalled":
            self.waits.set()
            await self.goes_on.wait()
        # The signature covers the host that the client named, so it stays.
        url = URL(f"{self._endpoint}{request.raw_path}", encoded=True)
        async with self._session.request(
            request.method, url, headers=request.headers, data=await request.read()
        ) as answer:
            body = await answer.read()
            if self.mode == "damaging" and request.path.endswith(".mp4"):
                body = bytes([body[0] ^ 1]) + body[1:]
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name in {"ETag", "Content-Range", "Content-Type", "Last-Modified"}
            }
            return web.Response(status=answer.status, body=body, headers=kept)


@asynccontextmanager
async def s3_front(endpoint: str) -> AsyncIterator[tuple[Front, str]]:
    """A front before the server at *endpoint*, and its own endpoint."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        front = Front(endpoint, session)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", front.answer)
        async with TestServer(app, handler_cancellation=True) as server:
            try:
                yield front, str(server.make_url("")).rstrip("/")
            finally:
                front.goes_on.set()
