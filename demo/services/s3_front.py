"""A front before the S3 server that fails as real ones do: refuses, stalls, or changes bytes.

It keeps `If-Range` by the bucket's own tags (RFC 9110 13.1.5), as Amazon's does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from demo.services import free_port

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
        headers: Mapping[str, str] = request.headers
        if (tag := headers.get("If-Range")) is not None and tag != await self._tag(url, headers):
            # It knows another file by that tag, or none: all of what it has.
            headers = _without(headers, "Range", "If-Range")
        async with self._session.request(
            request.method, url, headers=headers, data=await request.read()
        ) as answer:
            body = await answer.read()
            if self.mode == "damaging" and request.path.endswith(".mp4"):
                body = bytes([body[0] ^ 1]) + body[1:]
            names = {"ETag", "Content-Range", "Content-Type", "Last-Modified"}
            if request.method == "HEAD":
                # Of what is not sent.
                names.add("Content-Length")
            kept = {name: value for name, value in answer.headers.items() if name in names}
            return web.Response(status=answer.status, body=body, headers=kept)

    async def _tag(self, url: URL, headers: Mapping[str, str]) -> str | None:
        """The bucket's own tag of what a GET asks for."""
        async with self._session.get(url, headers=_without(headers, "Range", "If-Range")) as answer:
            return answer.headers.get("ETag")


def _without(headers: Mapping[str, str], *names: str) -> CIMultiDict[str]:
    kept = CIMultiDict(headers)
    for name in names:
        kept.pop(name, None)
    return kept


@asynccontextmanager
async def s3_front(endpoint: str) -> AsyncIterator[tuple[Front, str]]:
    """A front before the server at *endpoint*, and its own endpoint."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        front = Front(endpoint, session)
        # Uploads come in parts of any size.
        app = web.Application(client_max_size=0)
        app.router.add_route("*", "/{path:.*}", front.answer)
        # One who does not wait any longer is not answered either.
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await runner.setup()
        port = free_port()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield front, f"http://127.0.0.1:{port}"
        finally:
            front.goes_on.set()
            await runner.cleanup()
