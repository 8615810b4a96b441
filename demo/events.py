"""Tell's event stream, read as the app reads it: with a bearer, from the present on."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp


@asynccontextmanager
async def ticket_events(
    session: aiohttp.ClientSession, bearer: dict[str, str]
) -> AsyncIterator[AsyncIterator[tuple[str, dict[str, Any]]]]:
    """The names and tickets of a listener's events; none that comes within the block is missed."""
    async with session.get("/tell/events", headers=bearer) as response:
        # The first position: from here on nothing is missed.
        await response.content.readuntil(b"id: ")
        yield _read(response.content)


async def _read(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Each event that has a ticket; raises EOFError where the stream ends."""
    name = ""
    async for line in content:
        field, _, value = line.decode().strip().partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            ticket = json.loads(value).get("ticket")
            if ticket is not None:
                yield name, ticket
    raise EOFError("the event stream ended")
