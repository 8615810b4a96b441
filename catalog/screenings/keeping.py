"""Keeping what the partner tells of screenings: the newest revision wins, whoever brings it.

An answer to a look-up, a poll and an event all come through `store_details`. What it changes for
listeners is written to the events' log in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import PartnerAnswerError
from catalog.listeners.events import EventDraft, append_events
from catalog.models import Screening, ScreeningStatus, StartSource
from catalog.partner.clock import (
    Correction,
    PartnerClock,
    correction_of_plan,
    correction_of_stamp,
)
from catalog.partner.clock_records import read_clock
from catalog.partner.details import ScreeningDetails
from catalog.screenings.effective import Seen, kinds_of_change, start_differs
from catalog.screenings.polling_schedule import watch_screening
from catalog.screenings.screening_rows import read_seen, seen_of, select_seen
from catalog.store.schema import auditoriums, movie_starts, movies, screenings, theaters

log = structlog.get_logger()


class Outcome(StrEnum):
    """What became of a word of the partner."""

    NEW = "new"
    APPLIED = "applied"
    KNOWN = "known"
    OUTDATED = "outdated"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Stored:
    """Rows that a purchase is linked to, and what became of the partner's word."""

    screening_id: int
    theater_id: int
    outcome: Outcome


async def store_details(
    connection: AsyncConnection,
    environment: str,
    movie_id: str,
    place_id: str,
    showtime_id: str,
    details: ScreeningDetails,
    *,
    now: datetime,
    stamped_now: bool = False,
) -> Stored:
    """Insert or update the screening with its movie, theater and auditorium.

    An older revision changes nothing; an equal one with other content neither, and is an alarm.
    *stamped_now*: the partner signed its word within seconds of stamping it, so that its clock was
    the present one. Events are written last of all in a transaction
    (catalog/listeners/events.py), so this comes last too. Raises
    PartnerAnswerError where the showtime belongs to another movie or theater: then one of the two
    answers is wrong, and which one is not ours to guess.
    """
    known = await _locked(connection, environment, showtime_id)
    clock = await read_clock(connection, environment)
    if known is None:
        correction = _correction(None, details, clock, now, stamped_now=stamped_now)
        screening_id, theater_id = await _keep_all(
            connection, environment, movie_id, place_id, showtime_id, details, correction
        )
        seen = await read_seen(connection, screening_id)
        await add_to_history(connection, seen.screening, now)
        return Stored(screening_id, theater_id, Outcome.NEW)
    if (known.movie_id, known.place_id) != (movie_id, place_id):
        raise PartnerAnswerError(
            "showtime-reused",
            f"showtime {showtime_id[:80]} belongs to movie {known.movie_id} "
            f"in theater {known.place_id[:80]}",
        )
    if details.revision < known.revision:
        return Stored(known.screening_row, known.theater_row, Outcome.OUTDATED)
    if details.revision == known.revision:
        same = _same(known, details)
        if not same:
            log.error(
                "screening_revision_reused",
                environment=environment,
                showtime_id=showtime_id,
                revision=details.revision,
            )
        outcome = Outcome.KNOWN if same else Outcome.CONFLICT
        return Stored(known.screening_row, known.theater_row, outcome)
    correction = _correction(known, details, clock, now, stamped_now=stamped_now)
    await _keep_all(connection, environment, movie_id, place_id, showtime_id, details, correction)
    if known.next_poll_at is not None:
        # It may have been brought forward.
        await watch_screening(connection, known.screening_row, now)
    await tell_of_change(connection, seen_of(known), now)
    return Stored(known.screening_row, known.theater_row, Outcome.APPLIED)


async def tell_of_change(
    connection: AsyncConnection, before: Seen, now: datetime, note: str | None = None
) -> bool:
    """Write what changed since *before* to the start's history and to the events' log.

    Returns whether there was anything. Call it last in a transaction.
    """
    after = await read_seen(connection, before.screening.id)
    if start_differs(before.screening, after.screening):
        await add_to_history(connection, after.screening, now, note)
    kinds = kinds_of_change(before, after)
    drafts = [EventDraft(kind, screening_id=after.screening.id) for kind in kinds]
    await append_events(connection, drafts, now)
    return bool(drafts)


async def add_to_history(
    connection: AsyncConnection, screening: Screening, now: datetime, note: str | None = None
) -> None:
    """Keep where movie_start stands from *now* on, by whose word."""
    by_operator = screening.movie_start_source is StartSource.OPERATOR
    await connection.execute(
        insert(movie_starts).values(
            screening_id=screening.id,
            recorded_at=now,
            movie_start=screening.movie_start,
            bound_ms=screening.movie_start_bound_ms,
            source=screening.movie_start_source,
            revision=None if by_operator else screening.revision,
            note=note,
        )
    )


async def correct_clock(connection: AsyncConnection, environment: str, now: datetime) -> int:
    """Read the stamps of *environment* anew after its clock was measured; how many changed.

    Only those that are not over, and only where the new measurement excludes the one by which they
    were read, or is much better: a start that moved by a tremble each minute would help nobody.
    Where nothing was measured for long, a plan's bound grows: its clock runs on. A stamp's does
    not, which was read by the clock of its own moment.
    """
    clock = await read_clock(connection, environment)
    query = (
        select_seen()
        .where(screenings.c.environment == environment)
        .where(screenings.c.credits_end > now)
    )
    changed = [
        (row, correction)
        for row in (await connection.execute(query)).all()
        if (correction := _recorrection(row, clock, now)) is not None
    ]
    seen = []
    for row, correction in changed:
        # Locked and read again: an event may have come meanwhile.
        fresh = await _locked(connection, environment, row.showtime_id)
        if fresh is None or fresh.revision != row.revision:
            continue
        seen.append(seen_of(fresh))
        await connection.execute(
            update(screenings)
            .where(screenings.c.id == row.screening_row)
            .values(
                clock_offset_us=correction.offset_us,
                clock_bound_ms=correction.bound_ms,
                **{name: correction.on_our_clock(_raw(fresh, name)) for name in _TIMES},
            )
        )
    for before in seen:
        await tell_of_change(connection, before, now, "the partner's clock was measured anew")
    return len(seen)


_TIMES = ("previews_start", "movie_start", "credits_end")
# A bound that shrinks or grows by less than this is no news.
_WORTH_MS = 100


def _raw(known: Row[Any], name: str) -> datetime:
    """An instant as the partner wrote it."""
    stamp: datetime = getattr(known, name)
    return Correction(-known.clock_offset_us, 0).on_our_clock(stamp)


def _same(known: Row[Any], details: ScreeningDetails) -> bool:
    return (
        known.status is details.status
        and known.number == details.auditorium_number
        and known.movie_start_bound_ms == details.movie_start_bound_ms
        and all(_raw(known, name) == getattr(details, name) for name in _TIMES)
    )


def _correction(
    known: Row[Any] | None,
    details: ScreeningDetails,
    clock: PartnerClock | None,
    now: datetime,
    *,
    stamped_now: bool,
) -> Correction:
    if details.status is not ScreeningStatus.STARTED or stamped_now:
        return correction_of_plan(clock, now)
    if (
        known is not None
        and known.status is ScreeningStatus.STARTED
        and _raw(known, "movie_start") == details.movie_start
    ):
        # The same stamp as before: it was read by the clock of its own time already.
        return _kept(known)
    return correction_of_stamp(clock, details.movie_start, now)


def _recorrection(row: Row[Any], clock: PartnerClock | None, now: datetime) -> Correction | None:
    kept = _kept(row)
    if row.status is ScreeningStatus.STARTED:
        fresh = correction_of_stamp(clock, _raw(row, "movie_start"), now)
    else:
        fresh = correction_of_plan(clock, now)
    if abs(fresh.offset_us - kept.offset_us) > fresh.bound_us + kept.bound_us:
        return fresh
    if fresh.bound_ms + _WORTH_MS < kept.bound_ms:
        return fresh
    is_plan = row.status is not ScreeningStatus.STARTED
    return fresh if is_plan and kept.bound_ms + _WORTH_MS < fresh.bound_ms else None


def _kept(row: Row[Any]) -> Correction:
    return Correction(row.clock_offset_us, row.clock_bound_ms * 1000)


def _source(details: ScreeningDetails) -> StartSource:
    # Once the film has started, its start is no longer a plan: the partner saw it.
    if details.status is ScreeningStatus.STARTED:
        return StartSource.PARTNER_EVENT
    return StartSource.SCHEDULE


async def _locked(
    connection: AsyncConnection, environment: str, showtime_id: str
) -> Row[Any] | None:
    """The screening's row, which no other writer changes until the commit."""
    same = (screenings.c.environment == environment, screenings.c.showtime_id == showtime_id)
    # Alone, since a lock on a join would hold the movie and the theater too.
    await connection.execute(select(screenings.c.id).where(*same).with_for_update())
    row: Row[Any] | None = (await connection.execute(select_seen().where(*same))).one_or_none()
    return row


async def _keep_all(
    connection: AsyncConnection,
    environment: str,
    movie_id: str,
    place_id: str,
    showtime_id: str,
    details: ScreeningDetails,
    correction: Correction,
) -> tuple[int, int]:
    """Rows of the screening and of its theater, inserted or brought to *details*."""
    movie = await _keep(
        connection,
        movies,
        {"environment": environment, "movie_id": movie_id},
        {
            "title": details.title,
            "poster_path": details.poster_path,
            "audio_description_path": details.audio_description_path,
        },
    )
    theater = await _keep(
        connection,
        theaters,
        {"environment": environment, "place_id": place_id},
        {"name": details.theater_name, "time_zone": details.time_zone},
    )
    auditorium = await _keep(
        connection,
        auditoriums,
        {"location_id": theater, "number": details.auditorium_number},
        {},
    )
    screening = await _keep(
        connection,
        screenings,
        {"environment": environment, "showtime_id": showtime_id},
        {
            "movie_id": movie,
            "auditorium_id": auditorium,
            **{name: correction.on_our_clock(getattr(details, name)) for name in _TIMES},
            "movie_start_bound_ms": details.movie_start_bound_ms,
            "movie_start_source": _source(details),
            "status": details.status,
            "revision": details.revision,
            "clock_offset_us": correction.offset_us,
            "clock_bound_ms": correction.bound_ms,
        },
    )
    return screening, theater


async def _keep(
    connection: AsyncConnection, table: Table, key: dict[str, Any], values: dict[str, Any]
) -> int:
    """Id of the row that *key* names, inserted or brought to *values*.

    Select, then insert: portable, which neither ON CONFLICT nor RETURNING is. Where another writer
    inserts the same row, the unique key ends one of the two transactions and `Database.run` begins
    it again. A row that is so already is not written: many screenings share a movie, and a write
    would lock it.
    """
    same = [table.c[name] == value for name, value in key.items()]
    row = (
        await connection.execute(
            select(table.c.id, *(table.c[name] for name in values)).where(*same)
        )
    ).one_or_none()
    if row is None:
        inserted = await connection.execute(insert(table).values(**key, **values))
        return int(inserted.lastrowid)
    if any(getattr(row, name) != value for name, value in values.items()):
        await connection.execute(update(table).where(table.c.id == row.id).values(**values))
    return int(row.id)
