"""A Tell for tests: a real server that checks signatures with its own reading of the standard."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY_ID = "local"
SECRET = b"0123456789abcdef0123456789abcdef"
LISTEN_URL = "http://tell.example/listen#claim-code-of-the-buyer"


def signature_fits(headers: dict[str, str], body: bytes, secret: bytes) -> bool:
    """Whether one of the signatures is right (Standard Webhooks 1.0)."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    right = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return f"v1,{right}" in headers["webhook-signature"].split(" ")


@dataclass
class Received:
    """One try of AMC-clone."""

    headers: dict[str, str]
    body: bytes

    @property
    def notice(self) -> dict[str, str]:
        """The body, read."""
        data: dict[str, str] = json.loads(self.body)
        return data


@dataclass
class TellServer:
    """Listens when `start` is called, and refuses connections before.

    `refusals` are answered first, one for each try; after them every try gets its 202.
    """

    refusals: list[web.Response] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    answers: int = 0

    def __post_init__(self) -> None:
        # Bound and not listening: the port is ours, and connections to it are refused.
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._runner: web.AppRunner | None = None
        self._news = asyncio.Event()

    @property
    def url(self) -> str:
        """Where it will listen."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    async def start(self) -> None:
        """Begin to listen."""
        app = web.Application()
        app.router.add_post("/tell/purchase", self._purchase)
        app.router.add_post("/tell/screening-events", self._purchase)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def close(self) -> None:
        """Stop and give the port back."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._socket.close()

    async def tries(self, count: int) -> list[Received]:
        """The tries so far, once there are *count*."""
        async with asyncio.timeout(20):
            while len(self.received) < count:
                self._news.clear()
                await self._news.wait()
        return self.received

    async def _purchase(self, request: web.Request) -> web.Response:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(headers, body))
        self._news.set()
        if headers["x-api-key"] != KEY_ID or not signature_fits(headers, body, SECRET):
            return web.json_response({"code": "webhook-refused"}, status=401)
        if self.refusals:
            return self.refusals.pop(0)
        self.answers += 1
        return web.json_response(
            {"correlation_id": f"correlation-{self.answers}", "listen_url": LISTEN_URL}, status=202
        )


def problem(status: int, code: str, detail: str, **headers: str) -> web.Response:
    """A refusal as Tell words it."""
    body: dict[str, Any] = {"title": "No", "status": status, "code": code, "detail": detail}
    return web.json_response(
        body,
        status=status,
        content_type="application/problem+json",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
