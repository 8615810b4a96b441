"""Events shuffled, doubled and lost, with polls between: the final screening is AMC-clone's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from amc_clone import changes
from amc_clone.errors import SaleError
from amc_clone.facts import details_json
from amc_clone.models import Movie, Screening, ScreeningStatus, Theater
from catalog.models import StartSource
from catalog.partner.details import ScreeningDetails
from catalog.screenings.effective import Seen
from catalog.screenings.keeping import store_details
from catalog.screenings.screening_rows import seen_of, select_seen
from catalog.store.database import Database
from catalog.store.schema import screenings
from tests.catalog.samples import EVENING
from tests.services.mariadb import tell_database

# Examples of so many screenings each, every one with an order of its own. What decides an order is
# Python's, and the statements are few: on MariaDB a tenth tells as much.
EXAMPLES = {"sqlite": 250, "mariadb": 25}
SCREENINGS = 8
NUMBERS = itertools.count()
MOVIE = Movie("one-week", "One Week", 1920, 1500, "/posters/one-week.svg", "one-week/en")
THEATER = Theater("hudson-street-12", "Hudson Street 12", "New York", "America/New_York")


@dataclass(frozen=True)
class Evening:
    """What became of one screening, and in which order Tell heard of it."""

    versions: list[Screening]
    heard: list[Screening]


@st.composite
def evenings(draw: st.DrawFn) -> Evening:
    """A history of presses at AMC-clone's desk, and what the network made of it."""
    now = EVENING
    versions = [
        Screening(
            id=1,
            showtime_id="",
            movie=MOVIE,
            theater=THEATER,
            auditorium_number="7",
            previews_start=EVENING,
            movie_start=EVENING + timedelta(minutes=20),
            credits_end=EVENING + timedelta(minutes=45),
            status=ScreeningStatus.SCHEDULED,
            revision=1,
            movie_start_bound_ms=300_000,
        )
    ]
    for press in draw(st.lists(st.sampled_from(["delay", "start", "move", "cancel"]), max_size=5)):
        now += timedelta(seconds=draw(st.integers(0, 300)))
        latest = versions[-1]
        try:
            if press == "delay":
                by = timedelta(minutes=draw(st.integers(1, 9)))
                latest = changes.delayed(latest, by, now)
            elif press == "start":
                latest = changes.started(latest, now)
            elif press == "move":
                latest = changes.moved(latest, str(draw(st.integers(1, 9))), now)
            else:
                latest = changes.cancelled(latest, now)
        except SaleError:
            continue
        versions.append(latest)
    # Lost, doubled, shuffled; an answer to a poll or a look-up may be overtaken just as well.
    heard = draw(st.lists(st.sampled_from(versions), max_size=2 * len(versions)))
    # The last word arrives at some moment: as an event, or by a poll that heals.
    heard.insert(draw(st.integers(0, len(heard))), versions[-1])
    return Evening(versions, heard)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """A loop for examples, which Hypothesis runs one after the other within one test."""
    with asyncio.Runner() as running:
        yield running


@pytest.fixture
def one_database(
    request: pytest.FixtureRequest, runner: asyncio.Runner, database_kind: str, tmp_path: Path
) -> Iterator[Database]:
    """A database for all examples: each has showtimes of its own."""
    url = f"sqlite:///{tmp_path / 'tell.db'}"
    if database_kind == "mariadb":
        url = runner.run(tell_database(request.getfixturevalue("mariadb_server")))
    opened = runner.run(Database.open(url))
    yield opened
    runner.run(opened.close())


async def hear(connection: AsyncConnection, showtime_id: str, evening: Evening) -> Seen:
    """Take everything in that order; returns what a listener sees at the end."""
    for version in evening.heard:
        told = details_json(version) | {"showtime_id": showtime_id}
        await store_details(
            connection,
            "prod",
            MOVIE.movie_id,
            THEATER.place_id,
            showtime_id,
            ScreeningDetails.model_validate(told),
            now=EVENING,
        )
    query = select_seen().where(screenings.c.showtime_id == showtime_id)
    return seen_of((await connection.execute(query)).one())


@pytest.mark.both_databases
def test_the_final_screening_is_amc_clone_s(
    runner: asyncio.Runner, one_database: Database, database_kind: str
) -> None:
    """Times, auditorium, status, revision and source, whatever the network did, 2,000 times."""
    examples = EXAMPLES[database_kind]

    @settings(max_examples=examples, deadline=None)
    @given(lot=st.lists(evenings(), min_size=SCREENINGS, max_size=SCREENINGS))
    def holds(lot: list[Evening]) -> None:
        for evening, seen in zip(lot, runner.run(hear_all(one_database, lot)), strict=True):
            check(evening.versions[-1], seen)

    holds()
    # So that it cannot pass by trying next to nothing.
    assert runner.run(stored(one_database)) >= examples * SCREENINGS


async def hear_all(database: Database, lot: list[Evening]) -> list[Seen]:
    """Each of an example's screenings, in one transaction that spares the disk."""
    async with database.write() as connection:
        return [await hear(connection, f"st-{next(NUMBERS)}", each) for each in lot]


def check(final: Screening, seen: Seen) -> None:
    """What Tell shows is what AMC-clone has."""
    ours = seen.screening
    assert seen.auditorium_number == final.auditorium_number
    assert (ours.revision, ours.status.value) == (final.revision, final.status.value)
    assert ours.previews_start == final.previews_start
    assert ours.movie_start == final.movie_start
    assert ours.credits_end == final.credits_end
    started = final.status is ScreeningStatus.STARTED
    assert ours.movie_start_source is (
        StartSource.PARTNER_EVENT if started else StartSource.SCHEDULE
    )


async def stored(database: Database) -> int:
    """How many screenings are in the database."""
    async with database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(screenings)) or 0)
