"""A player that asks the cluster for segment after segment, and is held to each answer."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import aiohttp
import m3u8

from demo.check import CheckError, require

# A player asks every 5.76 s; this one asks more often, so that no death passes unseen.
_ASKS_EVERY_S = 0.2
ANSWER_LIMIT_S = 2.0


@dataclass
class Player:
    """Asks for segment after segment, as a player does, and counts what it got."""

    session: aiohttp.ClientSession
    path: str
    ranges: list[str]
    slowest_s: float = 0.0
    heard: int = 0
    # Answers that broke off, as with a replica that died while it sent: a player asks again.
    cut: int = 0
    _fault: Exception | None = None
    _grown: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until a segment does not come, which `hear` raises."""
        try:
            for each in itertools.cycle(self.ranges):
                began = time.monotonic()
                await self._fetch(each, again=True)
                self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                self.heard += 1
                self._grown.set()
                await asyncio.sleep(_ASKS_EVERY_S)
        except (CheckError, aiohttp.ClientError) as error:
            self._fault = error
            self._grown.set()

    async def _fetch(self, byterange: str, *, again: bool) -> None:
        size, _, offset = byterange.partition("@")
        headers = {"Range": f"bytes={offset}-{int(offset) + int(size) - 1}"}
        try:
            async with self.session.get(self.path, headers=headers) as answer:
                require(answer.status == 206, f"a segment: {answer.status}, not 206")
                body = await answer.read()
        except aiohttp.ClientPayloadError:
            require(again, "a segment broke off twice")
            self.cut += 1
            await self._fetch(byterange, again=False)
        else:
            require(len(body) == int(size), f"{len(body)} bytes came, not {size}")

    async def hear(self, count: int) -> None:
        """Return when *count* more segments came; raises CheckError where one does not."""
        wanted = self.heard + count
        while self.heard < wanted:
            if self._fault is not None:
                raise CheckError(f"a segment did not come: {self._fault}") from self._fault
            self._grown.clear()
            await self._grown.wait()

    def told(self) -> list[str]:
        """Its figures; raises CheckError where an answer took too long."""
        require(
            self.slowest_s <= ANSWER_LIMIT_S,
            f"a segment took {self.slowest_s:.2f} s, more than {ANSWER_LIMIT_S:g} s",
        )
        return [f"{self.heard} came, {self.cut} cut, the slowest after {self.slowest_s:.2f} s"]


@asynccontextmanager
async def playing(session: aiohttp.ClientSession, grant: dict[str, Any]) -> AsyncIterator[Player]:
    """A player that asks as long as the block runs."""
    multivariant = m3u8.loads(await text(session, grant["hls"]))
    address = urljoin(grant["hls"], multivariant.playlists[0].uri)
    playlist = m3u8.loads(await text(session, address))
    first = playlist.segments[0]
    player = Player(
        session,
        urljoin(address, first.uri),
        [segment.byterange for segment in playlist.segments],
    )
    running = asyncio.create_task(player.run())
    try:
        yield player
    finally:
        running.cancel()
        await asyncio.wait([running])


async def text(session: aiohttp.ClientSession, path: str) -> str:
    """A playlist; raises CheckError where it does not come."""
    async with session.get(path) as answer:
        require(answer.status == 200, f"a playlist: {answer.status}")
        return await answer.text()
