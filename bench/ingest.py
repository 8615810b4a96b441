"""Purchases a second: group commit against one commit for each request, on the same disk.

Both sides are the same Intake on the same disk and a real SQLite file, with 64 callers at once; the
peer may put one purchase into a transaction. Rounds alternate, so that a slow minute of the machine
hits both.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from catalog.database import Database
from catalog.intake import Intake
from catalog.notices import PurchaseNotice

_CALLERS = 64
_PURCHASES = 2_000
_ROUNDS = 5


async def main() -> None:
    """Print the medians of five alternated rounds, and their ratio."""
    grouped, single = [], []
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as folder:
        for number in range(_ROUNDS):
            grouped.append(await _round(Path(folder) / f"grouped-{number}.db", commit_rows=50))
            single.append(await _round(Path(folder) / f"single-{number}.db", commit_rows=1))
    ours, peer = statistics.median(grouped), statistics.median(single)
    print(f"ingest, {_CALLERS} callers, {_PURCHASES} purchases, median of {_ROUNDS} rounds:")
    print(f"  group commit            {ours:8.0f} purchases/s")
    print(f"  one commit each (peer)  {peer:8.0f} purchases/s")
    print(f"  ratio                   {ours / peer:8.1f} x")


async def _round(path: Path, commit_rows: int) -> float:
    """Purchases a second, each counted when its accept has returned (so when it is durable)."""
    database = await Database.open(f"sqlite:///{path}")
    intake = Intake(
        database, lambda: datetime.now(UTC), commit_rows=commit_rows, queue_limit=_PURCHASES
    )
    await intake.start()
    numbers = iter(range(_PURCHASES))

    async def caller() -> None:
        for number in numbers:
            await intake.accept("bench", _notice(number), f"msg_{number}")

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(_CALLERS)))
    elapsed_s = time.perf_counter() - began
    await intake.stop()
    await database.close()
    return _PURCHASES / elapsed_s


def _notice(number: int) -> PurchaseNotice:
    return PurchaseNotice.model_validate_json(
        f'{{"purchase_id": "p-{number}", "movie_id": "one-week", "place_id": "t-1",'
        f' "auditorium_number": "7", "showtime_id": "st-{number % 20}",'
        ' "purchased_at": "2026-11-22T18:00:00Z"}'
    )
