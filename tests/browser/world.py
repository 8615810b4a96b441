"""The whole of Tell and AMC-clone as real processes, for a real browser to visit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sqlite3
import sys
import time
import wave
from collections.abc import AsyncIterator, Container, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from amc_clone.webhooks import load_signing_secret, signed_headers
from demo import timecode
from demo.chain import Chain, Sale, chain_at
from demo.services import Service, free_port, run_command, start_service
from media.storage import LocalStorage
from packager.ffmpeg import find_tools
from packager.pipeline import TrackOrder, add_track
from packager.settings import PackagerSection
from tests.sounds import published_at

# Films of the chain: one described from its minute 11 to 17, without a word from minute 15 on; one
# from its first second, one not.
MOVIE_ID = "one-week"
MOVIE_STARTS_S, MOVIE_QUIET_S, MOVIE_ENDS_S = 11 * 60, 15 * 60, 17 * 60
MOVIE_MINUTES = 25
FROM_THE_START_MOVIE_ID = "sherlock-jr"
UNDESCRIBED_MOVIE_ID = "charade"
TELL = [sys.executable, "-c", "from gateway.cli import main; main()"]
AMC_CLONE = [sys.executable, "-c", "from amc_clone.cli import main; main()"]
# How many may claim a ticket, as config.toml has it.
_DEVICES = 5
_PLACE = "hudson-street-12"
# In each theater; the demo's way to sell looks at no more.
_AUDITORIUMS = 30
_VOICE = np.asarray(
    0.03 * np.sin(2 * np.pi * 220 * np.arange(timecode.RATE_HZ) / timecode.RATE_HZ), np.float32
)


@dataclass
class World:
    """Both services. `tell_command` starts Tell again on the same port and data."""

    folder: Path
    environ: dict[str, str]
    tell: Service
    amc: Service
    chain: Chain

    async def sell(self, starts_in: timedelta, movie_id: str = MOVIE_ID) -> Sale:
        """Sell a ticket for a showing whose film starts in *starts_in* (negative: it runs)."""
        return await self.chain.sell("", movie_id, _PLACE, [datetime.now(UTC) + starts_in])

    async def post_purchase(self, other_showtime_id: str | None = None) -> tuple[str, str]:
        """Post a purchase of a seeded screening as AMC-clone would, without AMC-clone.

        Returns correlation_id and listen_url. It works while AMC-clone hangs. The
        screening is one that Tell does not know: else it needs no answer of the partner.
        *other_showtime_id* takes the place of the true one.
        """
        with closing(sqlite3.connect(self.folder / "amc.db")) as database:
            database.execute("ATTACH ? AS tell", (str(self.folder / "tell.db"),))
            place_id, number, showtime_id = database.execute(
                "SELECT place_id, number, showtime_id FROM screenings"
                " JOIN movies ON movies.id = screenings.movie_id"
                " JOIN auditoriums ON auditoriums.id = auditorium_id"
                " JOIN theaters ON theaters.id = location_id"
                " WHERE movies.movie_id = ? AND previews_start > ?"
                " AND showtime_id NOT IN (SELECT showtime_id FROM tell.screenings)"
                " ORDER BY previews_start LIMIT 1",
                (MOVIE_ID, round(time.time() * 1e6)),
            ).fetchone()
        purchase_id = secrets.token_hex(8)
        now = datetime.now(UTC)
        body = json.dumps(
            {
                "purchase_id": purchase_id,
                "movie_id": MOVIE_ID,
                "place_id": place_id,
                "auditorium_number": number,
                "showtime_id": other_showtime_id or showtime_id,
                "purchased_at": now.isoformat(),
            }
        ).encode()
        secret = load_signing_secret(self.folder / "secrets" / "webhook-local.keys")
        headers = signed_headers(f"msg_{purchase_id}", body, "local", secret, now)
        headers["Content-Type"] = "application/json"
        async with (
            aiohttp.ClientSession(self.tell.url) as session,
            session.post("/tell/purchase", data=body, headers=headers) as response,
        ):
            answer = await response.json()
            assert response.status == 202, answer
            return answer["correlation_id"], answer["listen_url"]

    async def claim(self, listen_url: str, device: str) -> dict[str, Any]:
        """Claim that ticket on a device of that name, a listener of its own; returns the answer."""
        code = listen_url.partition("#")[2]
        body = {"claim_code": code, "device_nonce": device.ljust(22, "n")}
        async with (
            aiohttp.ClientSession(self.tell.url) as session,
            session.post("/tell/claims", json=body) as response,
        ):
            answer: dict[str, Any] = await response.json()
            assert response.status == 200, answer
            return answer

    async def claim_on_all_devices(self, listen_url: str) -> None:
        """Claim that ticket on as many devices as may have it."""
        for number in range(_DEVICES):
            await self.claim(listen_url, f"device{number}")

    def change_screening(self, correlation_id: str, **columns: str | int) -> None:
        """Set columns of the screening of that ticket in Tell's database.

        It stands for what reaches Tell by the partner's events.
        """
        names = ", ".join(f"{name} = ?" for name in columns)
        with closing(sqlite3.connect(self.folder / "tell.db", timeout=10)) as database, database:
            changed = database.execute(
                f"UPDATE screenings SET {names} WHERE id ="  # noqa: S608  (names from the tests)
                " (SELECT screening_id FROM purchases WHERE correlation_id = ?)",
                (*columns.values(), correlation_id),
            )
            assert changed.rowcount == 1
            # Told as every change is: the gateway reads what it keeps in memory anew.
            database.execute("UPDATE event_sequence SET last = last + 1 WHERE id = 1")
            database.execute(
                "INSERT INTO events (id, at, kind, screening_id, detail)"
                " SELECT last, ?, 'screening.changed', screening_id, '{}'"
                " FROM event_sequence, purchases WHERE correlation_id = ?",
                (time.time_ns() // 1000, correlation_id),
            )

    async def restart_tell(self) -> None:
        """Start Tell again, after it was stopped, where it was."""
        self.tell = await _start_tell(self.folder, self.environ, port_of(self.tell.url))


def port_of(url: str) -> int:
    """Port of one of our own addresses."""
    return int(url.rpartition(":")[2])


@asynccontextmanager
async def running_world(folder: Path) -> AsyncIterator[World]:
    """Start AMC-clone and Tell with empty databases in *folder*; end both afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        amc_port = free_port()
        environ = {
            "TELL_DATABASE__URL": f"sqlite:///{folder / 'tell.db'}",
            "TELL_MEDIA__ROOT": str(folder / "media"),
            "TELL_SECRETS__DIR": str(folder / "secrets"),
            "TELL_PARTNERS__LOCAL__BASE_URL": f"http://127.0.0.1:{amc_port}",
            # A partner that hangs is given up, and asked again, within a test's patience.
            "TELL_ENRICHMENT__TIMEOUT_S": "1.0",
            "TELL_ENRICHMENT__RETRY_MAX_S": "1.0",
            # So is one that knows nothing of a showing; then a person has to look.
            "TELL_ENRICHMENT__PARK_AFTER_S": "2.0",
        }
        await run_command("tell keys init", [*TELL, "keys", "init"], environ)
        tell = await _start_tell(folder, environ, 0)
        secret = folder / "secrets" / "webhook-local.keys"
        await _make_chain(folder / "amc.db")
        command = [*AMC_CLONE, "serve", "--database", str(folder / "amc.db")]
        command += ["--port", str(amc_port), "--tell-url", tell.url]
        command += ["--key-id", "local", "--secret-file", str(secret)]
        amc = await start_service("AMC-clone", command, folder / "amc.log")
        stack.push_async_callback(amc.stop)
        chain = await stack.enter_async_context(chain_at(amc.url))
        world = World(folder, environ, tell, amc, chain)
        # Through the world: a test may have replaced the first process.
        stack.push_async_callback(lambda: world.tell.stop())
        yield world


async def _make_chain(database: Path) -> None:
    """Seed the chain, and make room for the tests' own showings: they all run at about one time."""
    await run_command("amc-clone seed", [*AMC_CLONE, "seed", "--database", str(database)])
    with closing(sqlite3.connect(database)) as connection, connection:
        until = datetime.now(UTC) + timedelta(hours=6)
        connection.execute(
            "DELETE FROM screenings WHERE previews_start < ?", (round(until.timestamp() * 1e6),)
        )
        connection.execute(
            "WITH RECURSIVE numbers(number) AS (VALUES (1) UNION ALL SELECT number + 1 FROM numbers"
            " WHERE number < ?)"
            " INSERT OR IGNORE INTO auditoriums (location_id, number)"
            " SELECT theaters.id, CAST(number AS TEXT) FROM theaters, numbers",
            (_AUDITORIUMS,),
        )


async def _start_tell(folder: Path, environ: dict[str, str], port: int) -> Service:
    command = [*TELL, "serve", "--port", str(port)]
    return await start_service("Tell", command, folder / "tell.log", environ)


async def publish_code(
    root: Path,
    movie_id: str,
    first_second: int,
    seconds: int,
    *,
    silent: Container[int] = (),
    voice: bool = False,
    language: str = "en",
) -> None:
    """Publish a track of the time code alone that begins at *first_second* of the film.

    The seconds in *silent* have no code. With *voice* a tone of 220 Hz goes through the pauses that
    the code makes in each second.
    """
    blocks: Iterable[timecode.Samples] = timecode.encode(seconds, first_second)
    blocks = (
        block * 0 if second in silent else block + _VOICE if voice else block
        for second, block in enumerate(blocks, first_second)
    )
    await publish_blocks(root, movie_id, first_second, blocks, language)


async def publish_blocks(
    root: Path,
    movie_id: str,
    first_second: int,
    blocks: Iterable[timecode.Samples],
    language: str = "en",
) -> None:
    """Publish a track of these seconds that begins at *first_second* of the film."""
    root.mkdir(parents=True, exist_ok=True)
    source = root.parent / f"{movie_id}-{language}.wav"
    await asyncio.to_thread(_write_wav, source, blocks)
    settings = PackagerSection(ladder=["aac-32k", "aac-64k"])
    order = TrackOrder(source, movie_id, language, movie_id, float(first_second))
    await add_track(order, LocalStorage(root), find_tools(settings), settings, clock=published_at)


def _write_wav(path: Path, blocks: Iterable[timecode.Samples]) -> None:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(timecode.RATE_HZ)
        for block in blocks:
            out.writeframes(np.round(block * 32767).astype("<i2").tobytes())
