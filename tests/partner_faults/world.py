"""Tell, a real AMC-clone with a clock of its own, and the proxy that spoils what goes between."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from aiohttp.test_utils import TestServer
from sqlalchemy import select

from catalog.store.schema import purchases
from gateway import keys
from gateway.app import create_app
from gateway.secrets import load_secrets
from gateway.settings import EnrichmentSettings
from tests.gateway.town import PATIENCE_S, Clients, HandClock, Sold, Town, town_settings
from tests.partner_faults.proxy import FaultyPartner

_BREAKER = re.compile(r'^tell_partner_breaker\{environment="local",state="(\w+)"\} 1\.0$', re.M)


class OtherClock(HandClock):
    """The partner's clock: Tell's, and so much off."""

    def __init__(self, clock: HandClock, off: timedelta) -> None:
        super().__init__(clock.now)
        self._clock = clock
        self.off = off

    def __call__(self) -> datetime:
        """Now, as the partner believes."""
        return self._clock() + self.off


@dataclass
class World(Town):
    """A town whose Tell reaches AMC-clone through `partner` alone."""

    partner: FaultyPartner = field(kw_only=True)
    states_seen: set[str] = field(default_factory=set, kw_only=True)

    async def settle(self) -> None:
        """All that is due now has been asked for and stored; remember how the breaker stood."""
        self.states_seen.add(await self.breaker())
        enrichment = self.tell.app[keys.ENRICHMENT]
        enrichment.kick()
        async with asyncio.timeout(PATIENCE_S):
            await enrichment.idle()
        self.states_seen.add(await self.breaker())

    async def pass_time(self, minutes: float, step_s: float = 30.0) -> None:
        """Move the clock on, settling at each step."""
        end = self.clock.now + timedelta(minutes=minutes)
        while self.clock.now < end:
            self.clock.advance(seconds=step_s)
            await self.settle()

    async def breaker(self) -> str:
        """The breaker's state, as /metrics shows it: exactly one is 1."""
        (state,) = _BREAKER.findall(await self.text("/metrics"))
        return str(state)

    async def state_of(self, sold: Sold) -> tuple[str, str | None]:
        """State and failure code of a purchase."""
        query = select(purchases.c.state, purchases.c.failure_code).where(
            purchases.c.correlation_id == sold.correlation_id
        )
        async with self.tell.app[keys.DATABASE].read() as connection:
            row = (await connection.execute(query)).one()
        return row.state.value, row.failure_code


async def open_world(
    folder: Path,
    amc: TestServer,
    clock: HandClock,
    clients: Clients,
    partner: FaultyPartner,
    database_url: str,
    **enrichment: float | str,
) -> World:
    """Start Tell with one try for each look-up; *enrichment* changes other settings."""
    settings = town_settings(folder, folder / "media", await partner.start(), database_url)
    settings = settings.model_copy(
        update={"enrichment": EnrichmentSettings.model_validate({"quick_tries": 1, **enrichment})}
    )
    enriched: dict[str, asyncio.Event] = {}
    app = create_app(
        settings,
        clock=clock,
        secrets=load_secrets(settings),
        on_enriched=lambda name: enriched.setdefault(name, asyncio.Event()).set(),
    )
    return World(folder, clock, settings, amc, await clients(app), enriched, partner=partner)
