"""An evening for the delivery's benches: a film with a two-hour track, a screening, its tickets.

The track has the sizes of a real one and noise for sound, which no server looks at; the tickets are
put into the database as intake, enrichment and claims leave them there.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from catalog.ids import new_correlation_id, new_listener_id
from catalog.models import PurchaseState, ScreeningStatus, StartSource
from catalog.store import schema
from catalog.store.database import Database
from gateway.secrets import init_keys, signing_path
from gateway.settings import SecretsSettings
from media.grid import FRAGMENT_SAMPLES, FRAGMENTS_PER_SEGMENT
from media.tokens import Keyring, StreamClaims, Tokens
from media.track import (
    ByteRange,
    Current,
    Piece,
    Rendition,
    Source,
    Track,
    current_key,
    dump_current,
    dump_track,
    group_segments,
)

MOVIE_ID = "one-week"
RENDITION = "aac-64k"
SEGMENT_BYTES = 48_000
_SEGMENTS = 1250
_INIT_BYTES = 16_000
_LADDER = ((RENDITION, 1.0), ("aac-128k", 2.0), ("aac-32k", 0.5))
_FILM_RUNS = timedelta(minutes=12)
_LASTS = timedelta(hours=2)
_MARGIN = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Listener:
    """A ticket in somebody's hand."""

    correlation_id: str
    listener_token: str
    stream_token: str


@dataclass(frozen=True, slots=True)
class Evening:
    """What was made: settings for `tell serve`, the track, its file and who listens."""

    environ: dict[str, str]
    track: Track
    file: Path
    listeners: Sequence[Listener]


async def make_evening(folder: Path, tickets: int, also: Sequence[str] = ()) -> Evening:
    """Make keys, database and track in *folder*; the databases *also* (URLs) get the same rows."""
    folder = await asyncio.to_thread(folder.absolute)
    settings = SecretsSettings(dir=str(folder / "secrets"))
    init_keys(settings, ["local"])
    tokens = Tokens(Keyring.load(signing_path(folder / "secrets")))
    track = _publish(folder / "media")
    now = datetime.now(UTC)
    names = [(new_correlation_id(), new_listener_id()) for _ in range(tickets)]
    for url in (f"sqlite:///{folder / 'tell.db'}", *also):
        database = await Database.open(url)
        try:
            await _sell(database, names, now)
        finally:
            await database.close()
    ends = now - _FILM_RUNS + _LASTS + _MARGIN
    listeners = [
        Listener(
            correlation_id,
            tokens.listener_token(listener),
            tokens.stream_token(
                StreamClaims(correlation_id, 1, MOVIE_ID, "en", track.version, ends)
            ),
        )
        for correlation_id, listener in names
    ]
    environ = {
        "TELL_DATABASE__URL": f"sqlite:///{folder / 'tell.db'}",
        "TELL_MEDIA__ROOT": str(folder / "media"),
        "TELL_SECRETS__DIR": str(folder / "secrets"),
        # Nobody is there, and nobody is asked: the film starts by its schedule.
        "TELL_PARTNERS__LOCAL__BASE_URL": "http://127.0.0.1:9",
    }
    file = folder / "media" / track.prefix / f"{RENDITION}.mp4"
    return Evening(environ, track, file, listeners)


def _publish(root: Path) -> Track:
    chance = random.Random(1)  # noqa: S311  (the same noise each time)
    renditions, files = [], {}
    for name, factor in _LADDER:
        size = round(SEGMENT_BYTES * factor) // FRAGMENTS_PER_SEGMENT
        fragments = tuple(
            Piece(_INIT_BYTES + number * size, size, FRAGMENT_SAMPLES)
            for number in range(_SEGMENTS * FRAGMENTS_PER_SEGMENT)
        )
        data = chance.randbytes(_INIT_BYTES + len(fragments) * size)
        files[name] = data
        bit_rate_bps = round(64_000 * factor)
        renditions.append(
            Rendition(
                name=name,
                codec="aac",
                codecs="mp4a.40.2",
                channels=1,
                bit_rate_bps=bit_rate_bps,
                peak_bps=bit_rate_bps,
                average_bps=bit_rate_bps,
                size_bytes=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                init=ByteRange(offset=0, size=1_000),
                fragments=fragments,
                segments=tuple(group_segments(fragments)),
            )
        )
    samples = _SEGMENTS * FRAGMENTS_PER_SEGMENT * FRAGMENT_SAMPLES
    track = Track(
        movie_id=MOVIE_ID,
        language="en",
        version="0123456789abcdef",
        title="One Week",
        duration_samples=samples,
        source=Source(name="noise", sha256="0" * 64, duration_samples=samples),
        silences=(),
        renditions=tuple(renditions),
    )
    folder = root / track.prefix
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / f"{name}.mp4").write_bytes(data)
    (folder / "track.json").write_bytes(dump_track(track))
    current = Current(version=track.version, since=datetime.now(UTC))
    (root / current_key(MOVIE_ID, "en")).write_bytes(dump_current(current))
    return track


async def _sell(database: Database, names: Sequence[tuple[str, str]], now: datetime) -> None:
    """A ticket for each pair of correlation id and listener, claimed."""
    starts = now - _FILM_RUNS
    ends = starts + _LASTS
    home = {"environment": "local"}
    rows: list[tuple[Any, list[dict[str, Any]]]] = [
        (schema.movies, [{**home, "id": 1, "movie_id": MOVIE_ID, "title": "One Week"}]),
        (
            schema.theaters,
            [{**home, "id": 1, "place_id": "p", "name": "Empire", "time_zone": "America/New_York"}],
        ),
        (schema.auditoriums, [{"id": 1, "location_id": 1, "number": "7"}]),
        (
            schema.screenings,
            [
                {
                    **home,
                    "id": 1,
                    "showtime_id": "st-1",
                    "movie_id": 1,
                    "auditorium_id": 1,
                    "previews_start": starts - timedelta(minutes=20),
                    "movie_start": starts,
                    "movie_start_bound_ms": 300_000,
                    "movie_start_source": StartSource.SCHEDULE,
                    "credits_end": ends,
                    "status": ScreeningStatus.SCHEDULED,
                    "revision": 1,
                }
            ],
        ),
        (schema.listeners, [{"id": listener, "created_at": now} for _, listener in names]),
        (
            schema.purchases,
            [
                {
                    **home,
                    "id": number,
                    "purchase_id": f"p-{number}",
                    "movie_id": MOVIE_ID,
                    "place_id": "p",
                    "auditorium_number": "7",
                    "showtime_id": "st-1",
                    "purchased_at": now,
                    "correlation_id": correlation_id,
                    "webhook_id": f"msg-{number}",
                    "accepted_at": now,
                    "state": PurchaseState.ENRICHED,
                    "attempts": 1,
                    "next_attempt_at": now,
                    "enriched_at": now,
                    "theater_id": 1,
                    "screening_id": 1,
                    "user_id": listener,
                }
                for number, (correlation_id, listener) in enumerate(names, start=1)
            ],
        ),
        (
            schema.claims,
            [
                {
                    "purchase_id": number,
                    "listener_id": listener,
                    "device_nonce": f"bench-device-{number:06}",
                    "claimed_at": now,
                }
                for number, (_, listener) in enumerate(names, start=1)
            ],
        ),
    ]
    async with database.write() as connection:
        for table, values in rows:
            await connection.execute(insert(table), values)
