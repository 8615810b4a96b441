"""A way to Tell that breaks as a test asks: files cut, changed, held back; sound that stalls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from gateway.presigning import TO_KEEP

FAILURE_ID = "a-number-for-the-staff"
_WORKER = "/app/sw.js"
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-encoding"})


@dataclass
class Fault:
    """What happens to one download request: `flip` and `cut_after` count from its first byte.

    It is cut once `cut` is set: what a browser has not read yet by then is lost with the line.
    """

    cut_after: int | None = None
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    flip: int | None = None
    held_by: asyncio.Event | None = None


@dataclass
class Faulty:
    """The broken way. `faults` are used up in turn; `asked` are the first bytes asked for.

    While `flows` is not set, nothing of the sound comes through; while `garbles` is, none of its
    bytes comes as it was. Paths that begin with `failing` are answered 500 with the number
    FAILURE_ID.
    """

    url: str
    faults: list[Fault] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    worker_suffix: bytes = b""
    failing: str | None = None
    garbles: bool = False
    flows: asyncio.Event = field(default_factory=asyncio.Event)

    def through(self, listen_url: str) -> str:
        """Return the same link by this way."""
        return f"{self.url}/listen#{listen_url.partition('#')[2]}"


@asynccontextmanager
async def faulty_way(tell_url: str, address: str = "127.0.0.1") -> AsyncIterator[Faulty]:
    """Serve Tell's every answer on a port of its own; downloads as `Faulty.faults` say.

    Tell is asked from *address*, one of loopback.
    """
    way = Faulty("")
    way.flows.set()
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(
        tell_url, connector=connector, auto_decompress=False
    ) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
            headers["Accept-Encoding"] = "identity"
            if way.failing is not None and request.path.startswith(way.failing):
                problem = {"status": 500, "code": "internal", "correlation_id": FAILURE_ID}
                media_type = "application/problem+json"
                return web.json_response(problem, status=500, content_type=media_type)
            if request.path == _WORKER:
                # A changed worker is never "not modified".
                headers.pop("If-None-Match", None)
            body = await request.read()
            if request.path.endswith(".mp4"):
                await way.flows.wait()
            try:
                async with session.request(
                    request.method, request.rel_url, headers=headers, data=body,
                    allow_redirects=False, timeout=aiohttp.ClientTimeout(total=None),
                ) as answer:  # fmt: skip
                    return await _answer(way, request, answer)
            except aiohttp.ClientConnectionError:
                raise web.HTTPBadGateway from None

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", forward)
        # 0 would wait for ever for a page that still hears events.
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        way.url = f"http://{host}:{port}"
        try:
            yield way
        finally:
            await runner.cleanup()


async def _answer(
    way: Faulty, request: web.Request, answer: aiohttp.ClientResponse
) -> web.StreamResponse:
    headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP}
    if request.path == _WORKER and answer.status == 200:
        body = await answer.read() + way.worker_suffix
        headers.pop("Content-Length")
        return web.Response(status=200, headers=headers, body=body)
    response = web.StreamResponse(status=answer.status, headers=headers)
    fault = _fault_of(way, request)
    if fault.held_by is not None:
        await fault.held_by.wait()
    await response.prepare(request)
    sent = 0
    async for piece in answer.content.iter_any():
        out = bytearray(piece)
        if way.garbles and request.path.endswith(".mp4"):
            out = bytearray(byte ^ 0xFF for byte in out)
        if fault.flip is not None and sent <= fault.flip < sent + len(out):
            out[fault.flip - sent] ^= 1
        if fault.cut_after is not None and sent + len(out) >= fault.cut_after:
            await response.write(bytes(out[: fault.cut_after - sent]))
            await fault.cut.wait()
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write(bytes(out))
        sent += len(out)
    await response.write_eof()
    return response


def _fault_of(way: Faulty, request: web.Request) -> Fault:
    # Downloads say that they keep what they get (gateway/presigning.py), from a byte to the end.
    if not (request.path.endswith(".mp4") and request.headers.get("Accept") == TO_KEEP):
        return Fault()
    asked = request.headers.get("Range", "bytes=0-")
    way.asked.append(int(asked.removeprefix("bytes=").removesuffix("-")))
    return way.faults.pop(0) if way.faults else Fault()
