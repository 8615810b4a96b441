"""`make bench-database-size`: how large the database is for a hundred thousand tickets.

An SQLite file with the rows that sold, claimed and listened tickets leave, as long as those are. No
gateway runs, so it takes seconds. MariaDB's files are larger: its pages are less full.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert

from bench.figures import Bar, Chart, hand_over, rounded
from catalog.ids import new_correlation_id, new_listener_id
from catalog.models import PurchaseState, ScreeningStatus, StartSource
from catalog.store.database import Database
from catalog.store.schema import (
    auditoriums,
    claims,
    events,
    listeners,
    movie_starts,
    movies,
    playback_states,
    purchases,
    screenings,
    theaters,
    webhook_messages,
)

TICKETS = 100_000
# Listeners of one showing; a cinema's average, not its best.
_TO_A_SCREENING = 20
_TO_AN_AUDITORIUM = 50
_AT_ONCE = 5_000
_NOW = datetime(2026, 11, 22, 19, 30, tzinfo=UTC)
_ENVIRONMENT = "prod"
_UUID = "0f9c1d7e-3b52-4d8a-9c41-5a6f{:08d}"
# Beside the tables: Alembic's word, and the counter of events.
_SMALL = 100_000


async def main(tickets: int = TICKETS) -> int:
    """Fill a database, and print what each table takes with its indexes."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        path = (await asyncio.to_thread(Path(name).absolute)) / "tell.db"
        database = await Database.open(f"sqlite:///{path}")
        await _fill(database, tickets)
        await database.close()
        return await asyncio.to_thread(_report, path, tickets)


async def _fill(database: Database, tickets: int) -> None:
    showings = -(-tickets // _TO_A_SCREENING)
    rooms = -(-showings // _TO_AN_AUDITORIUM)
    await _add(database, movies, [_movie()])
    await _add(database, theaters, [_theater()])
    await _add(database, auditoriums, [_auditorium(number) for number in range(1, rooms + 1)])
    for first in range(0, showings, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, showings))
        await _add(database, screenings, [_screening(number) for number in numbers])
        await _add(database, movie_starts, [_start(number) for number in numbers])
    for first in range(0, tickets, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, tickets))
        people = {number: new_listener_id() for number in numbers}
        await _add(
            database, listeners, [{"id": each, "created_at": _NOW} for each in people.values()]
        )
        await _add(database, purchases, [_purchase(*each) for each in people.items()])
        await _add(database, webhook_messages, [_message(number) for number in numbers])
        await _add(database, claims, [_claim(*each) for each in people.items()])
        await _add(database, playback_states, [_playback(*each) for each in people.items()])
        await _add(database, events, [_event(number) for number in numbers])


async def _add(database: Database, table: Table, rows: list[dict[str, Any]]) -> None:
    async with database.write() as connection:
        await connection.execute(insert(table), rows)


def _movie() -> dict[str, Any]:
    path = "/kqjL17yufvn9OVLyXYpvtyrFfak.jpg"
    return {
        "environment": _ENVIRONMENT,
        "movie_id": "one-week",
        "title": "One Week",
        "poster_path": path,
        "audio_description_path": "one-week/en",
    }


def _theater() -> dict[str, Any]:
    return {
        "environment": _ENVIRONMENT,
        "place_id": "amc-empire-25",
        "name": "AMC Empire 25",
        "time_zone": "America/New_York",
    }


def _auditorium(number: int) -> dict[str, Any]:
    return {"location_id": 1, "number": str(number)}


def _screening(number: int) -> dict[str, Any]:
    return {
        "environment": _ENVIRONMENT,
        "showtime_id": f"st-{number:08d}",
        "movie_id": 1,
        "auditorium_id": number // _TO_AN_AUDITORIUM + 1,
        "previews_start": _NOW,
        "movie_start": _NOW + timedelta(minutes=20),
        "movie_start_bound_ms": 500,
        "movie_start_source": StartSource.PARTNER_EVENT,
        "credits_end": _NOW + timedelta(hours=2),
        "status": ScreeningStatus.SCHEDULED,
        "revision": 3,
        "clock_offset_us": 1234,
        "clock_bound_ms": 12,
        "etag": '"0123456789abcdef0123456789abcdef"',
        "polled_at": _NOW,
        "next_poll_at": _NOW + timedelta(hours=1),
    }


def _start(number: int) -> dict[str, Any]:
    return {
        "screening_id": number + 1,
        "recorded_at": _NOW,
        "movie_start": _NOW,
        "bound_ms": 500,
        "source": StartSource.SCHEDULE,
        "revision": 1,
    }


def _purchase(number: int, listener: str) -> dict[str, Any]:
    showing = number // _TO_A_SCREENING
    return {
        "environment": _ENVIRONMENT,
        "purchase_id": _UUID.format(number),
        "movie_id": "one-week",
        "place_id": "amc-empire-25",
        "auditorium_number": str(showing // _TO_AN_AUDITORIUM + 1),
        "showtime_id": f"st-{showing:08d}",
        "purchased_at": _NOW,
        "correlation_id": new_correlation_id(),
        "webhook_id": f"msg_{_UUID.format(number)}",
        "accepted_at": _NOW,
        "state": PurchaseState.ENRICHED,
        "attempts": 1,
        "next_attempt_at": _NOW,
        "enriched_at": _NOW,
        "theater_id": 1,
        "screening_id": showing + 1,
        "user_id": listener,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


def _message(number: int) -> dict[str, Any]:
    return {
        "environment": _ENVIRONMENT,
        "webhook_id": f"msg_{_UUID.format(number)}",
        "received_at": _NOW,
        "body_sha256": f"{number:064x}",
    }


def _claim(number: int, listener: str) -> dict[str, Any]:
    return {
        "purchase_id": number + 1,
        "listener_id": listener,
        "device_nonce": f"{number:032x}",
        "claimed_at": _NOW,
    }


def _playback(number: int, listener: str) -> dict[str, Any]:
    return {
        "purchase_id": number + 1,
        "listener_id": listener,
        "source": "stream",
        "rendition": "aac-64k",
        "phase": "feature",
        "error_ms": 3.25,
        "bound_ms": 4.5,
        "rebuffers": 0,
        "reported_at": _NOW + timedelta(milliseconds=number),
    }


def _event(number: int) -> dict[str, Any]:
    return {
        "id": number + 1,
        "at": _NOW,
        "kind": "ticket-enriched",
        "screening_id": number // _TO_A_SCREENING + 1,
        "purchase_id": number + 1,
        "detail": "{}",
    }


def _report(path: Path, tickets: int) -> int:
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) "
        "GROUP BY tbl_name ORDER BY sum(pgsize) DESC"
    ).fetchall()
    connection.close()
    print(f"| {tickets:,} tickets | MB with its indexes | bytes a ticket |")
    print("|---|---|---|")
    for table, size in rows:
        if size > _SMALL:
            print(f"| `{table}` | {size / 1e6:.1f} | {size / tickets:.0f} |")
    total = path.stat().st_size
    print(f"| the whole file | {total / 1e6:.1f} | {total / tickets:.0f} |")
    return hand_over(
        Chart(
            title="Bytes of the database for a ticket",
            command="make bench-database-size",
            bars=[Bar(name="SQLite, with all indexes", value=rounded(total / tickets))],
            drawn=False,
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.database_size", description=__doc__)
    parser.add_argument("--tickets", type=int, default=TICKETS)
    sys.exit(asyncio.run(main(parser.parse_args().tickets)))
