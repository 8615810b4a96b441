"""Seeding fills two weeks, and adds only what is missing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from amc_clone.database import Database
from amc_clone.films import FILMS
from amc_clone.localday import cinema_day
from amc_clone.posters.gallery import poster
from amc_clone.schema import auditoriums, screenings
from amc_clone.screenings import ListingQuery, Screenings
from amc_clone.seeding import Seeded, seed
from tests.amc_clone.cinema import NOW, PLACE, Cinema


@pytest.mark.both_databases
async def test_two_weeks_lie_around_today(cinema: Cinema) -> None:
    """A week back, today and a week on, by the theater's own day, with no gap."""
    found, _ = await cinema.services.screenings.listing(ListingQuery(PLACE), 10_000)
    days = {cinema_day(each.previews_start, each.theater.time_zone) for each in found}
    today = cinema_day(NOW, "America/New_York")
    assert days == {today + timedelta(days=days) for days in range(-7, 8)}


async def test_no_two_screenings_share_an_auditorium(cinema: Cinema) -> None:
    """The database itself finds no overlap."""
    other = screenings.alias()
    overlaps = (
        select(func.count())
        .select_from(screenings.join(other, screenings.c.auditorium_id == other.c.auditorium_id))
        .where(
            screenings.c.id < other.c.id,
            screenings.c.previews_start < other.c.credits_end,
            screenings.c.credits_end > other.c.previews_start,
        )
    )
    async with cinema.services.database.read() as connection:
        assert await connection.scalar(overlaps) == 0


@pytest.mark.both_databases
async def test_seeding_again_adds_nothing(database_url: str) -> None:
    """A restart with --seed changes nothing on the same day."""
    database = await Database.open(database_url)
    assert await seed(database, NOW) == Seeded(theaters=0, movies=0, screenings=0)
    await database.close()


@pytest.mark.both_databases
async def test_seeding_a_day_later_adds_a_day(database_url: str) -> None:
    """The window moves on and what is there stays as it is."""
    database = await Database.open(database_url)
    reader = Screenings(database, lambda: NOW)
    before, _ = await reader.listing(ListingQuery(PLACE), 10_000)
    added = await seed(database, NOW + timedelta(days=1))
    after, _ = await reader.listing(ListingQuery(PLACE), 10_000)
    await database.close()
    assert (added.theaters, added.movies) == (0, 0)
    assert added.screenings > 0
    assert after[: len(before)] == before
    new = {cinema_day(each.previews_start, "America/New_York") for each in after[len(before) :]}
    assert new == {cinema_day(NOW, "America/New_York") + timedelta(days=8)}


async def test_a_taken_auditorium_stays_taken(tmp_path: Path) -> None:
    """A seeded screening gives way to one that was there before."""
    database = await Database.open(tmp_path / "amc.db")
    await seed(database, NOW)
    async with database.write() as connection:
        first = (await connection.execute(select(screenings).limit(1))).one()
        await connection.execute(
            screenings.update().where(screenings.c.id == first.id).values(showtime_id="mine")
        )
    again = await seed(database, NOW)
    await database.close()
    assert again.screenings == 0


async def test_every_auditorium_has_its_theater(cinema: Cinema) -> None:
    """The chain has its 43 auditoriums once each."""
    async with cinema.services.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(auditoriums)) == 43


def test_each_film_has_a_poster_and_most_a_description() -> None:
    """poster_path is a path of our own; a few films have no audio description."""
    for movie in FILMS:
        assert movie.poster_path == f"/posters/{movie.movie_id}.svg"
        assert poster(movie.movie_id)
        assert movie.audio_description_path in {None, f"{movie.movie_id}/en"}
    described = [movie for movie in FILMS if movie.audio_description_path]
    assert len(FILMS) // 2 < len(described) < len(FILMS)
    assert {m.movie_id: m.running_time_s // 60 for m in FILMS}["one-week"] == 25
