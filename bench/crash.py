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
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bench.crash_partner import BUYERS, PATIENCE_S, Ledger, Partner, purchase_rows
from bench.crash_town import AMC, SERVER, TELL, crash_town, showings_of
from catalog.models import PurchaseState
from demo.services.mariadb import MariaServer, running_mariadb

ROUNDS = 20
# Whom each round kills, over and over: the database server dies under Tell, and with it.
VICTIMS = {
    "sqlite": ((TELL,), (TELL, AMC), (TELL,)),
    "mariadb": ((TELL,), (SERVER,), (SERVER, TELL), (TELL, AMC)),
}
_LONGEST_PEACE_S = 0.8


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
        async with crash_town(Path(scratch), server) as town, aiohttp.ClientSession() as session:
            showings = await showings_of(session, town)
            partner = Partner(session, town, ledger, showings, dice)
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
            async with asyncio.timeout(PATIENCE_S):
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


async def _check_rows(url: str, ledger: Ledger) -> None:
    """Every 202 is a row, once, with its correlation id, and in the end enriched."""
    rows = await purchase_rows(url)
    async with asyncio.timeout(PATIENCE_S):
        # Looked at again and again, as a person would: Tell is another process.
        while PurchaseState.ACCEPTED in {state for _, _, state in rows}:
            await asyncio.sleep(0.2)
            rows = await purchase_rows(url)
    found: dict[str, tuple[str, PurchaseState]] = {}
    for purchase_id, correlation_id, state in rows:
        assert purchase_id not in found, f"{purchase_id} is there twice"
        found[purchase_id] = (correlation_id, state)
    assert len({correlation_id for correlation_id, _ in found.values()}) == len(found)
    for purchase_id, promise in ledger.answered.items():
        assert found.get(purchase_id) == (promise.correlation_id, PurchaseState.ENRICHED), (
            f"{purchase_id}: answered with {promise.correlation_id}, found {found.get(purchase_id)}"
        )


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
