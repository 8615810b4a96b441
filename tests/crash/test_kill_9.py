"""Real processes, killed under load: `python -m bench.crash` runs twenty rounds of it."""

from __future__ import annotations

from bench.crash import VICTIMS, crash
from tests.services.mariadb import MariaServer

ROUNDS = 3


async def test_no_answered_purchase_is_lost_on_sqlite() -> None:
    """Tell and AMC-clone killed at random: every 202 is kept, once, and becomes a ticket."""
    report = await crash("sqlite", ROUNDS, seed=1895)
    assert report.answered == report.repeated
    assert report.answered >= ROUNDS * 10
    assert report.interrupted > 0


async def test_no_answered_purchase_is_lost_on_mariadb(mariadb_server: MariaServer) -> None:
    """Tell killed, its database server killed, and both at once: the same promise holds."""
    assert len(VICTIMS["mariadb"]) >= ROUNDS
    report = await crash("mariadb", ROUNDS, seed=1895, server=mariadb_server)
    assert report.answered == report.repeated
    assert report.answered >= ROUNDS * 10
    assert report.interrupted + report.refused > 0
