"""The processes that `python -m bench.crash` kills: Tell, AMC-clone, and a database server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from demo.services import Service, free_port, program, run_command, start_service
from demo.services.mariadb import MariaServer

ENVIRONMENT = "local"
TELL, AMC, SERVER = "Tell", "AMC-clone", "the database server"


@dataclass
class Town:
    """The processes, and how each is started again."""

    folder: Path
    environ: dict[str, str]
    tell_url: str
    amc_url: str
    amc_database: str
    server: MariaServer | None
    running: dict[str, Service] = field(default_factory=dict)

    async def start(self, name: str) -> None:
        """Start a process that does not run."""
        if name == SERVER:
            assert self.server is not None
            await asyncio.to_thread(self.server.start)
            return
        command = {
            TELL: [program("tell"), "serve", "--port", self.tell_url.rpartition(":")[2]],
            AMC: [
                *(program("amc-clone"), "serve", "--database", self.amc_database),
                *("--port", self.amc_url.rpartition(":")[2], "--tell-url", self.tell_url),
                *("--key-id", ENVIRONMENT, "--secret-file", str(self.secret_file)),
            ],
        }[name]
        log = self.folder / f"{name}.log"
        self.running[name] = await start_service(name, command, log, self.environ)

    async def kill(self, name: str) -> None:
        """SIGKILL: it cannot write another byte."""
        if name == SERVER:
            assert self.server is not None
            await asyncio.to_thread(self.server.kill)
            return
        process = self.running.pop(name).process
        process.kill()
        await process.wait()

    @property
    def secret_file(self) -> Path:
        """The webhook secret that the partner signs with."""
        return self.folder / "secrets" / f"webhook-{ENVIRONMENT}.keys"


@asynccontextmanager
async def crash_town(folder: Path, server: MariaServer | None) -> AsyncIterator[Town]:
    """Tell and AMC-clone, seeded, on SQLite files or on *server*."""
    tell_url, amc_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    if server is None:
        databases = [f"sqlite:///{folder / name}" for name in ("tell.db", "amc.db")]
    else:
        databases = [await server.fresh_database(name) for name in ("crash_tell", "crash_amc")]
    environ = {
        "TELL_DATABASE__URL": databases[0],
        "TELL_MEDIA__ROOT": str(folder / "media"),
        "TELL_SECRETS__DIR": str(folder / "secrets"),
        "TELL_PARTNERS__LOCAL__BASE_URL": amc_url,
        "TELL_ENRICHMENT__RETRY_FIRST_S": "0.2",
        "TELL_ENRICHMENT__RETRY_MAX_S": "2.0",
        "TELL_ENRICHMENT__BREAKER_FIRST_S": "0.2",
        "TELL_ENRICHMENT__BREAKER_MAX_S": "1.0",
        # Everything comes from one address and one key.
        "TELL_LIMITS__PARTNER_PER_MINUTE_BY_IP": "100000000",
        "TELL_LIMITS__PURCHASES_PER_MINUTE_BY_KEY": "100000000",
        "TELL_LIMITS__CLAIM_GUESSES_PER_MINUTE_BY_IP": "100000000",
        "TELL_LOGGING__LEVEL": '"warning"',
    }
    await run_command("tell keys init", [program("tell"), "keys", "init"], environ)
    await run_command("seed", [program("amc-clone"), "seed", "--database", databases[1]])
    town = Town(folder, environ, tell_url, amc_url, databases[1], server)
    try:
        for name in (TELL, AMC):
            await town.start(name)
        yield town
    finally:
        for service in town.running.values():
            await service.stop()


async def showings_of(session: aiohttp.ClientSession, town: Town) -> list[dict[str, Any]]:
    """Some screenings of the seeded chain that are not over."""
    query = {"ends_after": datetime.now(UTC).isoformat(), "limit": "40"}
    async with session.get(f"{town.amc_url}/api/screenings", params=query) as answer:
        assert answer.status == 200, await answer.text()
        found: list[dict[str, Any]] = (await answer.json())["screenings"]
    assert len(found) >= 20
    return found
