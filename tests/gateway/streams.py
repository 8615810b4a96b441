"""Reading an event stream in tests, by its own reading of the standard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.test_utils import TestClient

from tests.gateway.town import bearer

PATIENCE_S = 20


@dataclass(frozen=True)
class Heard:
    """One dispatched event."""

    kind: str
    data: dict[str, Any]
    last_event_id: str


class Ears:
    """A connected listener."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_event_id = ""

    async def next(self) -> Heard:
        """The next event; positions without data are noted and passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                fields = await self._block()
                self.last_event_id = fields.get("id", self.last_event_id)
                if "data" in fields:
                    data = json.loads(fields["data"])
                    return Heard(fields.get("event", "message"), data, self.last_event_id)

    async def stands(self) -> str:
        """The id of the next block that has one, whatever else it says."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                fields = await self._block()
                if "id" in fields:
                    self.last_event_id = fields["id"]
                    return self.last_event_id

    async def ended(self) -> None:
        """Wait for the end of the stream."""
        async with asyncio.timeout(PATIENCE_S):
            await self.response.read()

    async def _block(self) -> dict[str, str]:
        fields: dict[str, str] = {}
        while True:
            try:
                line = await self.response.content.readline()
            except aiohttp.ClientPayloadError as error:
                raise EOFError("the stream was cut") from error
            if not line:
                raise EOFError("the stream has ended")
            text = line.decode().rstrip("\n")
            if not text:
                return fields
            name, _, value = text.partition(":")
            fields[name] = value.removeprefix(" ")


@asynccontextmanager
async def listening(
    client: TestClient[Any, Any], token: str, last_event_id: str | None = None
) -> AsyncIterator[Ears]:
    """A listener connected to /tell/events, who knows where she stands."""
    headers = bearer(token)
    if last_event_id is not None:
        headers["Last-Event-ID"] = last_event_id
    async with client.get("/tell/events", headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        ears = Ears(response)
        if last_event_id is None:
            await ears.stands()
        yield ears
