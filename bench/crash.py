"""`python -m bench.crash`: kill -9 at random moments under load, and then every 202 must be kept.

Real processes: `tell serve`, AMC-clone, and for half of the rounds a MariaDB server. Buyers post
signed purchases without a pause, and send one again until it is answered, as a partner does;
AMC-clone sells beside them. In each round one or more of the processes are killed and started
again. At the end each answered purchase must stand in the database once, with the correlation id of
its 202, enriched; asked again, Tell must give the same correlation id and the same listen_url; and
claim codes of the first answers must still open their tickets.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
from sqlalchemy import select

from catalog.keys.webhooks import load_secret_file, sign_webhook
from catalog.models import PurchaseState
from catalog.store.database import Database
from catalog.store.schema import purchases
from demo.services import Service, program, run_command, start_service
from tests.services.mariadb import MariaServer, free_port, running_mariadb

ROUNDS = 20
BUYERS = 24
ENVIRONMENT = "local"
TELL, AMC, SERVER = "Tell", "AMC-clone", "the database server"
# Whom each round kills, over and over: the database server dies under Tell, and with it.
VICTIMS = {
    "sqlite": ((TELL,), (TELL, AMC), (TELL,)),
    "mariadb": ((TELL,), (SERVER,), (SERVER, TELL), (TELL, AMC)),
}
_LONGEST_PEACE_S = 0.8
_PATIENCE_S = 120.0
_CLAIMED = 25
_AGAIN_AFTER_S = 0.03


@dataclass
class Promise:
    """A purchase as it is sent, and what the first 202 for it said."""

    webhook_id: str
    body: bytes
    correlation_id: str = ""
    listen_url: str = ""


@dataclass
class Ledger:
    """What the buyers know.

    `interrupted` counts requests that died on their way, `refused` those that got a 503; tries at
    which nobody listened count nowhere.
    """

    answered: dict[str, Promise] = field(default_factory=dict)
    sold_by_amc: list[str] = field(default_factory=list)
    interrupted: int = 0
    refused: int = 0
    repeated: int = 0


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


@dataclass(frozen=True)
class Report:
    """What came of the rounds; all of it was checked."""

    kind: str
    rounds: int
    answered: int
    interrupted: int
    refused: int
    repeated: int
    sold_by_amc: int
    elapsed_s: float


async def crash(kind: str, rounds: int, seed: int, server: MariaServer | None = None) -> Report:
    """Run *rounds* on `sqlite` or `mariadb`; raises AssertionError where a promise is broken."""
    dice = random.Random(seed)  # noqa: S311  (chooses moments, guards nothing)
    began = time.perf_counter()
    ledger = Ledger()
    with tempfile.TemporaryDirectory(prefix="tell-crash-") as scratch:
        async with _town(Path(scratch), server) as town, aiohttp.ClientSession() as session:
            showings = await _showings(session, town)
            partner = _Partner(session, town, ledger, showings, dice)
            load = [asyncio.create_task(partner.buy()) for _ in range(BUYERS)]
            load.append(asyncio.create_task(partner.sell_at_amc()))
            for number in range(rounds):
                await partner.answers(5)
                await asyncio.sleep(dice.uniform(0, _LONGEST_PEACE_S))
                victims = VICTIMS[kind][number % len(VICTIMS[kind])]
                await asyncio.gather(*(town.kill(victim) for victim in victims))
                for victim in victims:
                    await town.start(victim)
                await partner.answers(5)
            partner.closing = True
            async with asyncio.timeout(_PATIENCE_S):
                await asyncio.gather(*load)
            url = town.environ["TELL_DATABASE__URL"]
            await _check_rows(url, ledger)
            await partner.repeat_all()
            await partner.claim_some()
            await partner.check_amc_sales(url)
    return Report(
        kind,
        rounds,
        len(ledger.answered),
        ledger.interrupted,
        ledger.refused,
        ledger.repeated,
        len(ledger.sold_by_amc),
        time.perf_counter() - began,
    )


class _Partner:
    """Buyers who post to Tell, and one who buys at AMC-clone."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        town: Town,
        ledger: Ledger,
        showings: list[dict[str, Any]],
        dice: random.Random,
    ) -> None:
        self._session = session
        self._town = town
        self._ledger = ledger
        self._showings = showings
        self._dice = dice
        self._numbers: Iterator[int] = iter(range(10**9))
        (self._secret,) = load_secret_file(town.secret_file)
        self._answered = asyncio.Condition()
        self.closing = False

    async def buy(self) -> None:
        """One purchase after the other, each sent until it is answered."""
        while not self.closing:
            purchase_id = f"crash-{next(self._numbers)}"
            promise = Promise(f"msg_{purchase_id}", self._notice(purchase_id))
            promise.correlation_id, promise.listen_url = await self._until_answered(promise)
            async with self._answered:
                self._ledger.answered[purchase_id] = promise
                self._answered.notify_all()

    async def sell_at_amc(self) -> None:
        """Buy tickets of AMC-clone, which tells Tell itself."""
        while not self.closing:
            body = {"showtime_id": self._dice.choice(self._showings)["showtime_id"]}
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._session.post(
                    f"{self._town.amc_url}/api/purchases", json=body
                ) as answer:
                    if answer.status == 201:
                        self._ledger.sold_by_amc.append((await answer.json())["purchase_id"])
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def answers(self, more: int) -> None:
        """Wait until so many more purchases are answered: the load is on."""
        wanted = len(self._ledger.answered) + more
        async with asyncio.timeout(_PATIENCE_S), self._answered:
            await self._answered.wait_for(lambda: len(self._ledger.answered) >= wanted)

    async def repeat_all(self) -> None:
        """Send each purchase once more: the answer must be the first one, to the letter."""
        promises = iter(list(self._ledger.answered.values()))

        async def repeat() -> None:
            for promise in promises:
                again = await self._until_answered(promise)
                assert again == (promise.correlation_id, promise.listen_url), promise
                self._ledger.repeated += 1

        await asyncio.gather(*(repeat() for _ in range(BUYERS)))

    async def claim_some(self) -> None:
        """The claim codes of some first answers open the tickets of their purchases."""
        promises = list(self._ledger.answered.values())
        for promise in self._dice.sample(promises, min(_CLAIMED, len(promises))):
            claim = {
                "claim_code": promise.listen_url.partition("#")[2],
                "device_nonce": "crash-device-0123456789",
            }
            async with self._session.post(
                f"{self._town.tell_url}/tell/claims", json=claim
            ) as answer:
                assert answer.status == 200, await answer.text()
                ticket = (await answer.json())["ticket"]
            assert ticket["correlation_id"] == promise.correlation_id

    async def check_amc_sales(self, url: str) -> None:
        """Each ticket that AMC-clone sold is told, once, and AMC-clone has Tell's answer."""
        for purchase_id in self._ledger.sold_by_amc:
            async with (
                asyncio.timeout(_PATIENCE_S),
                self._session.get(
                    f"{self._town.amc_url}/api/purchases/{purchase_id}",
                    headers={"Prefer": "wait=25"},
                ) as answer,
            ):
                told = await answer.json()
            assert told["listen_url"], told
            rows = [row for row in await _rows(url) if row[0] == purchase_id]
            assert [row[1] for row in rows] == [told["correlation_id"]], told

    async def _until_answered(self, promise: Promise) -> tuple[str, str]:
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    async with self._session.post(
                        f"{self._town.tell_url}/tell/purchase",
                        data=promise.body,
                        headers=self._headers(promise),
                    ) as answer:
                        text = await answer.text()
                        if answer.status == 202:
                            told = json.loads(text)
                            return told["correlation_id"], told["listen_url"]
                        # 503 is "not now", which a partner sends again; nothing else may come.
                        assert answer.status == 503, f"{answer.status}: {text}"
                        self._ledger.refused += 1
                except aiohttp.ClientConnectorError:
                    pass
                except aiohttp.ClientError:
                    self._ledger.interrupted += 1
                await asyncio.sleep(_AGAIN_AFTER_S)

    def _headers(self, promise: Promise) -> dict[str, str]:
        timestamp_s = int(datetime.now(UTC).timestamp())
        signature = sign_webhook(self._secret, promise.webhook_id, timestamp_s, promise.body)
        return {
            "Content-Type": "application/json",
            "x-api-key": ENVIRONMENT,
            "webhook-id": promise.webhook_id,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": signature,
        }

    def _notice(self, purchase_id: str) -> bytes:
        showing = self._dice.choice(self._showings)
        return json.dumps(
            {
                "purchase_id": purchase_id,
                "movie_id": showing["movie_id"],
                "place_id": showing["place_id"],
                "auditorium_number": showing["auditorium_number"],
                "showtime_id": showing["showtime_id"],
                "purchased_at": datetime.now(UTC).isoformat(),
            }
        ).encode()


async def _check_rows(url: str, ledger: Ledger) -> None:
    """Every 202 is a row, once, with its correlation id, and in the end enriched."""
    rows = await _rows(url)
    async with asyncio.timeout(_PATIENCE_S):
        # Looked at again and again, as a person would: Tell is another process.
        while PurchaseState.ACCEPTED in {state for _, _, state in rows}:
            await asyncio.sleep(0.2)
            rows = await _rows(url)
    found: dict[str, tuple[str, PurchaseState]] = {}
    for purchase_id, correlation_id, state in rows:
        assert purchase_id not in found, f"{purchase_id} is there twice"
        found[purchase_id] = (correlation_id, state)
    assert len({correlation_id for correlation_id, _ in found.values()}) == len(found)
    for purchase_id, promise in ledger.answered.items():
        assert found.get(purchase_id) == (promise.correlation_id, PurchaseState.ENRICHED), (
            f"{purchase_id}: answered with {promise.correlation_id}, found {found.get(purchase_id)}"
        )


async def _rows(url: str) -> list[tuple[str, str, PurchaseState]]:
    database = await Database.open(url)
    try:
        async with database.read() as connection:
            rows = await connection.execute(
                select(purchases.c.purchase_id, purchases.c.correlation_id, purchases.c.state)
            )
            return [(row.purchase_id, row.correlation_id, row.state) for row in rows]
    finally:
        await database.close()


async def _showings(session: aiohttp.ClientSession, town: Town) -> list[dict[str, Any]]:
    """Some screenings of the seeded chain that are not over."""
    query = {"ends_after": datetime.now(UTC).isoformat(), "limit": "40"}
    async with session.get(f"{town.amc_url}/api/screenings", params=query) as answer:
        assert answer.status == 200, await answer.text()
        found: list[dict[str, Any]] = (await answer.json())["screenings"]
    assert len(found) >= 20
    return found


@asynccontextmanager
async def _town(folder: Path, server: MariaServer | None) -> AsyncIterator[Town]:
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


async def _main(rounds: int, seed: int) -> None:
    with running_mariadb(durable=True) as server:
        for kind in ("sqlite", "mariadb"):
            report = await crash(kind, rounds, seed, server if kind == "mariadb" else None)
            print(
                f"{report.kind}: {report.rounds} rounds of kill -9 in {report.elapsed_s:.0f} s "
                f"(seed {seed}): {report.answered} purchases answered with 202, "
                f"{report.interrupted} requests died on their way and {report.refused} were "
                f"refused (503), and were sent again; all {report.answered} found once, enriched, "
                "with the same correlation id, and the same listen_url when asked again "
                f"({report.repeated}); "
                f"{report.sold_by_amc} more told by AMC-clone, each once"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="on each kind of database")
    parser.add_argument("--seed", type=int, default=None, help="to see a run again")
    given = parser.parse_args()
    asyncio.run(_main(given.rounds, given.seed or random.SystemRandom().randrange(10**6)))
    sys.exit(0)
