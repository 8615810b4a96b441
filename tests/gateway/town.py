"""A small town for tests: a real AMC-clone, a real Tell, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import Table, func, select, update

from amc_clone.app import SERVICES
from amc_clone.app import create_app as create_amc
from amc_clone.chain import HOUSES
from amc_clone.models import Screening
from amc_clone.programming import NewScreening
from amc_clone.seeding import seed
from catalog.keys.webhooks import sign_webhook
from catalog.listeners.events import EventDraft, append_events
from catalog.models import EventKind
from catalog.store import schema
from catalog.store.database import Database
from gateway import keys
from gateway.app import create_app
from gateway.delivery.protocol import Runner
from gateway.secrets import init_keys, load_secrets
from gateway.settings import (
    DatabaseSettings,
    GatewaySettings,
    PartnerSettings,
    SecretsSettings,
    ServerSettings,
)
from media.settings import MediaSettings
from media.storage import LocalStorage

Client = TestClient[web.Request, web.Application]
Clients = Callable[[web.Application | TestServer], Awaitable[Client]]

NOW = datetime(2027, 3, 5, 19, 30, tzinfo=UTC)
# The chain is seeded with the showings of other weeks, so that tonight's auditoriums are free.
LONG_AGO = datetime(2020, 1, 1, 12, 0, tzinfo=UTC)
PUBLIC_URL = "https://tell.example"
HOUSE = HOUSES[0]
DEVICE = "device-nonce-0001"
PATIENCE_S = 60


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Now."""
        return self.now

    def advance(self, **step: float) -> None:
        """Move on by a timedelta's arguments."""
        self.now += timedelta(**step)


class Seconds:
    """A clock in seconds that stands still until it is moved."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Now."""
        return self.now


class CountedStorage(LocalStorage):
    """The local storage, counting what is read of its files."""

    read_bytes = 0

    async def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to *size* bytes from *start*."""
        piece = await super().read_range(key, start, size)
        self.read_bytes += len(piece)
        return piece


@dataclass(frozen=True)
class Sold:
    """A purchase that Tell has answered."""

    correlation_id: str
    claim_code: str
    body: bytes


@dataclass
class Town:
    """Tell, its partner, and what a listener and a cinema do."""

    folder: Path
    clock: HandClock
    settings: GatewaySettings
    amc: TestServer
    tell: Client
    enriched: dict[str, asyncio.Event]
    auditoriums: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    sales: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def show(
        self,
        movie_id: str = "the-general",
        *,
        starts_in: float = 0.0,
        lasts_s: float = 4680.0,
        previews_s: float = 1200.0,
    ) -> Screening:
        """Put a screening on whose movie_start is *starts_in* seconds from now."""
        movie_start = self.clock.now + timedelta(seconds=starts_in)
        wanted = NewScreening(
            movie_id=movie_id,
            place_id=HOUSE.theater.place_id,
            auditorium_number=str(next(self.auditoriums)),
            previews_start=movie_start - timedelta(seconds=previews_s),
            movie_start=movie_start,
            credits_end=movie_start + timedelta(seconds=lasts_s),
            movie_start_bound_ms=300_000,
        )
        return await self.amc.app[SERVICES].programming.add(wanted)

    def notice(self, screening: Screening) -> dict[str, Any]:
        """The six fields of a new purchase."""
        return {
            "purchase_id": f"purchase-{next(self.sales)}",
            "movie_id": screening.movie.movie_id,
            "place_id": screening.theater.place_id,
            "auditorium_number": screening.auditorium_number,
            "showtime_id": screening.showtime_id,
            "purchased_at": self.clock.now.isoformat(),
        }

    @property
    def secret(self) -> bytes:
        """What AMC-clone signs with."""
        return load_secrets(self.settings).webhooks["local"][-1]

    def sign(self, body: bytes, webhook_id: str = "", age_s: int = 0) -> dict[str, str]:
        """Headers of a rightly signed message; by itself each body has an id of its own."""
        timestamp_s = int(self.clock.now.timestamp()) - age_s
        webhook_id = webhook_id or f"msg_{hashlib.sha256(body).hexdigest()}"
        return {
            "Content-Type": "application/json",
            "x-api-key": "local",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": sign_webhook(self.secret, webhook_id, timestamp_s, body),
        }

    async def sell(self, screening: Screening) -> Sold:
        """Tell of a purchase, and take the 202."""
        body = json.dumps(self.notice(screening)).encode()
        async with self.tell.post("/tell/purchase", data=body, headers=self.sign(body)) as answer:
            assert answer.status == 202, await answer.text()
            data = await answer.json()
        return Sold(data["correlation_id"], data["listen_url"].partition("#")[2], body)

    async def is_enriched(self, correlation_id: str) -> None:
        """Wait until the purchase has its screening."""
        async with asyncio.timeout(PATIENCE_S):
            await self.enriched.setdefault(correlation_id, asyncio.Event()).wait()

    async def claim(self, sold: Sold, device: str = DEVICE, bearer: str | None = None) -> str:
        """Take up the purchase; returns the listener token."""
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        body = {"claim_code": sold.claim_code, "device_nonce": device}
        async with self.tell.post("/tell/claims", json=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            token: str = (await answer.json())["listener_token"]
        return token

    async def ticket(self, movie_id: str = "the-general", **screening: float) -> tuple[Sold, str]:
        """A screening, sold, enriched and claimed; returns the purchase and the listener token."""
        sold = await self.sell(await self.show(movie_id, **screening))
        await self.is_enriched(sold.correlation_id)
        return sold, await self.claim(sold)

    async def grant(self, listener: str, sold: Sold, movie_id: str = "the-general") -> Any:
        """The JSON of `GET /media/audio/{movieId}`."""
        path = f"/media/audio/{movie_id}?ticket={sold.correlation_id}"
        async with self.tell.get(path, headers=bearer(listener)) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def text(self, path: str, **headers: str) -> str:
        """Body of a good answer."""
        async with self.tell.get(path, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()

    async def problem(self, path: str, method: str = "GET", **options: Any) -> dict[str, Any]:
        """Body of a problem, once its form was checked."""
        async with self.tell.request(method, path, **options) as answer:
            return await checked_problem(answer.status, answer.headers["Content-Type"], answer)

    async def reopen_amc(self, port: int) -> None:
        """Start AMC-clone again, after its `close`, where it was."""
        self.amc = TestServer(amc_app(self.folder / "amc.db", self.clock), port=port)
        await self.amc.start_server()

    async def purchases(self) -> int:
        """How many purchases the database holds."""
        return await self.count(schema.purchases)

    async def count(self, table: Table) -> int:
        """How many rows a table of Tell's database holds."""
        async with self.database() as database, database.read() as connection:
            return int((await connection.scalar(select(func.count()).select_from(table))) or 0)

    async def change_screening(self, showtime_id: str, **values: Any) -> None:
        """Change a screening in Tell's database, as a later correction will."""
        async with self.database() as database, database.write() as connection:
            changed = schema.screenings.c.showtime_id == showtime_id
            await connection.execute(update(schema.screenings).where(changed).values(**values))
            row = await connection.scalar(select(schema.screenings.c.id).where(changed))
            draft = EventDraft(EventKind.SCREENING_CHANGED, screening_id=row)
            await append_events(connection, [draft], self.clock.now)
        await self.seen()

    async def break_database(self) -> None:
        """Have every look at films and screenings fail, as in a database that is not ours."""
        async with self.database() as database, database.write() as connection:
            await connection.exec_driver_sql("ALTER TABLE movies RENAME TO films")

    async def seen(self) -> None:
        """Wait until this Tell has read what was written to the events' log beside it."""
        assert self.tell.app is not None
        await self.tell.app[keys.ENTITLEMENTS].catch_up()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """Tell's database, opened beside Tell."""
        database = await Database.open(self.settings.database.url)
        try:
            yield database
        finally:
            await database.close()


def playback(correlation_id: str, **changes: Any) -> dict[str, Any]:
    """A report of a listener whose sound is 12.5 ms late."""
    return {
        "correlation_id": correlation_id,
        "source": "hls",
        "rendition": "aac-64k",
        "phase": "feature",
        "error_ms": -12.5,
        "bound_ms": 4,
        "rebuffers": 0,
        **changes,
    }


def bearer(token: str) -> dict[str, str]:
    """Header of a listener."""
    return {"Authorization": f"Bearer {token}"}


async def checked_problem(status: int, content_type: str, answer: Any) -> dict[str, Any]:
    """The problem's members, after checking that it is one (RFC 9457 3)."""
    assert content_type == "application/problem+json", await answer.text()
    body: dict[str, Any] = await answer.json(content_type=None)
    assert body["status"] == status
    assert body["type"] == f"/problems/{body['code']}"
    assert body["title"]
    assert body["detail"]
    assert body["correlation_id"]
    return body


def town_settings(
    folder: Path, media_root: Path, amc_url: str, database_url: str | None = None
) -> GatewaySettings:
    """Settings of a Tell in *folder*, with its keys made; its database is an SQLite file there."""
    settings = GatewaySettings(
        server=ServerSettings(port=0, public_url=PUBLIC_URL),
        secrets=SecretsSettings(dir=str(folder / "secrets")),
        database=DatabaseSettings(url=database_url or f"sqlite:///{folder / 'tell.db'}"),
        # Tests publish, and look.
        media=MediaSettings(root=str(media_root), pointers_fresh_s=0.0),
        partners={"local": PartnerSettings(base_url=amc_url, key_id="local")},
    )
    init_keys(settings.secrets, settings.partners)
    return settings


def amc_app(database: Path, clock: HandClock) -> web.Application:
    """AMC-clone as it runs; Tell's address does not matter where nothing is sold there."""
    return create_amc(
        database_url=database,
        tell_url="http://127.0.0.1:9",
        key_id="local",
        secret=bytes(32),
        clock=clock,
    )


async def make_chain(database: Path) -> None:
    """Fill an AMC-clone database with theaters, films and showings of long ago."""
    clock = HandClock(LONG_AGO)
    server = TestServer(amc_app(database, clock))
    await server.start_server()
    try:
        await seed(server.app[SERVICES].database, LONG_AGO)
    finally:
        await server.close()


async def open_town(
    folder: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    clients: Clients,
    database_url: str | None = None,
    environ: Mapping[str, str] | None = None,
    **sections: Any,
) -> Town:
    """Start Tell beside a running AMC-clone; *sections* stand for those of its settings."""
    amc_url = str(amc.make_url("")).rstrip("/")
    settings = town_settings(folder, media_root, amc_url, database_url).model_copy(update=sections)
    enriched: dict[str, asyncio.Event] = {}
    app = create_app(
        settings,
        clock=clock,
        secrets=load_secrets(settings),
        environ=environ or {},
        on_enriched=lambda name: enriched.setdefault(name, asyncio.Event()).set(),
    )
    if isinstance(app[keys.STORAGE], LocalStorage):
        app[keys.STORAGE] = CountedStorage(media_root)
    return Town(folder, clock, settings, amc, await clients(GatewayServer(app)), enriched)


class GatewayServer(TestServer):
    """Runs the gateway as gateway.server does, so that segments take their short way."""

    async def _make_runner(self, **kwargs: Any) -> Runner:
        return Runner(self.app, **kwargs)
