"""A Tell that lets players have the voice: tickets for it, and the addresses of its grant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.settings import ServerSettings
from tests.gateway.town import (
    NOW,
    PUBLIC_URL,
    Client,
    HandClock,
    Town,
    amc_app,
    make_chain,
    open_town,
)
from tests.players.sound import Packaged


@dataclass(frozen=True)
class Cinema:
    """The film runs on a clock that stands still, so what is asked is what is served."""

    town: Town

    @property
    def url(self) -> str:
        """Where Tell is."""
        return str(self.town.tell.make_url("")).rstrip("/")

    async def grant(self, voice: Packaged, offset_s: float) -> Any:
        """What a listener gets whose film began *offset_s* seconds ago."""
        movie_id = voice.track.movie_id
        sold, listener = await self.town.ticket(movie_id, starts_in=-offset_s)
        return await self.town.grant(listener, sold, movie_id)


@asynccontextmanager
async def cinema(folder: Path, voice: Packaged, origin: str) -> AsyncIterator[Cinema]:
    """AMC-clone and Tell with the voice; players on pages of *origin* may read it."""
    root = Path(str(voice.folder).removesuffix(voice.track.prefix))
    clock = HandClock(NOW)
    await make_chain(folder / "amc.db")
    async with AsyncExitStack() as stack:
        amc = TestServer(amc_app(folder / "amc.db", clock))
        await stack.enter_async_context(amc)

        async def client(server: web.Application | TestServer) -> Client:
            assert isinstance(server, TestServer)
            return await stack.enter_async_context(TestClient(server))

        server = ServerSettings(port=0, public_url=PUBLIC_URL, cors_origins=[origin])
        yield Cinema(await open_town(folder, root, amc, clock, client, server=server))
