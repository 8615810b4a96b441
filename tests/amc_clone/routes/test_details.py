"""GET /screening/details, the seed's look-up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from amc_clone.instants import rfc3339
from amc_clone.models import ScreeningStatus
from amc_clone.schema import auditoriums, screenings, theaters
from tests.amc_clone.cinema import NOW, PLACE, Cinema

ASKED = {"movieId": "one-week", "placeId": PLACE, "auditoriumNumber": "12"}


@pytest.mark.both_databases
async def test_the_answer_has_every_field(cinema: Cinema) -> None:
    """What Tell needs, instants in UTC, revalidated and never stale."""
    screening = await cinema.put_on()
    asked = ASKED | {"showtimeId": screening.showtime_id}
    async with cinema.client.get("/screening/details", params=asked) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-cache"
        assert await answer.json() == {
            "movie_id": "one-week",
            "title": "One Week",
            "poster_path": "/posters/one-week.svg",
            "audio_description_path": "one-week/en",
            "place_id": PLACE,
            "theater_name": "Hudson Street 12",
            "time_zone": "America/New_York",
            "auditorium_number": "12",
            "showtime_id": screening.showtime_id,
            "previews_start": "2027-03-06T00:13:00Z",
            "movie_start": "2027-03-06T00:33:00Z",
            "credits_end": "2027-03-06T00:58:00Z",
            "movie_start_bound_ms": 300000,
            "status": "scheduled",
            "revision": 1,
        }


async def test_a_client_that_has_it_gets_304(cinema: Cinema) -> None:
    """The ETag is strong and of the content: time alone does not change it, a change does."""
    screening = await cinema.put_on()
    asked = ASKED | {"showtimeId": screening.showtime_id}
    async with cinema.client.get("/screening/details", params=asked) as answer:
        etag = answer.headers["ETag"]
    assert etag.startswith('"')
    cinema.clock.advance(minutes=1)
    for sent in (etag, f'"other", W/{etag}', "*"):
        headers = {"If-None-Match": sent}
        async with cinema.client.get("/screening/details", params=asked, headers=headers) as answer:
            assert answer.status == 304
            assert answer.headers["ETag"] == etag
            assert await answer.read() == b""
    async with cinema.services.database.write() as connection:
        await connection.execute(
            update(screenings)
            .where(screenings.c.showtime_id == screening.showtime_id)
            .values(revision=2, movie_start=screening.movie_start + timedelta(minutes=6))
        )
    headers = {"If-None-Match": etag}
    async with cinema.client.get("/screening/details", params=asked, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["ETag"] != etag
        assert (await answer.json())["revision"] == 2


@pytest.mark.both_databases
async def test_without_showtime_id_the_nearest_is_meant(cinema: Cinema) -> None:
    """Several showings fit: the running one, else the one with the shorter gap."""
    early = await cinema.put_on(starts_in_min=0)
    late = await cinema.put_on(starts_in_min=90)

    async def nearest() -> str:
        async with cinema.client.get("/screening/details", params=ASKED) as answer:
            assert answer.status == 200
            showtime_id: str = (await answer.json())["showtime_id"]
            return showtime_id

    assert await nearest() == early.showtime_id
    # early's credits end 25 minutes in; late's previews begin at 70.
    cinema.clock.now = NOW + timedelta(minutes=47)
    assert await nearest() == early.showtime_id
    cinema.clock.now = NOW + timedelta(minutes=48)
    assert await nearest() == late.showtime_id
    cinema.clock.now = NOW + timedelta(days=3)
    assert await nearest() == late.showtime_id


@pytest.mark.both_databases
async def test_a_cancelled_one_is_meant_only_where_there_is_no_other(cinema: Cinema) -> None:
    """404 never means cancelled."""
    early = await cinema.put_on(starts_in_min=0)
    late = await cinema.put_on(starts_in_min=90)

    async def cancel(showtime_id: str) -> None:
        async with cinema.services.database.write() as connection:
            await connection.execute(
                update(screenings)
                .where(screenings.c.showtime_id == showtime_id)
                .values(status=ScreeningStatus.CANCELLED)
            )

    for cancelled, meant, status in (
        (early, late, "scheduled"),
        (late, early, "cancelled"),
    ):
        await cancel(cancelled.showtime_id)
        async with cinema.client.get("/screening/details", params=ASKED) as answer:
            found = await answer.json()
            assert (found["showtime_id"], found["status"]) == (meant.showtime_id, status)


@pytest.mark.both_databases
async def test_a_moved_screening_is_found_by_its_old_auditorium(cinema: Cinema) -> None:
    """The showtimeId decides, and the answer names the auditorium of today."""
    screening = await cinema.put_on()
    async with cinema.services.database.write() as connection:
        there = await connection.scalar(
            select(auditoriums.c.id)
            .join(screenings, screenings.c.auditorium_id == auditoriums.c.id)
            .join(theaters, auditoriums.c.location_id == theaters.c.id)
            .where(auditoriums.c.number == "3", theaters.c.place_id == PLACE)
            .limit(1)
        )
        await connection.execute(
            update(screenings)
            .where(screenings.c.showtime_id == screening.showtime_id)
            .values(auditorium_id=there)
        )
    asked = ASKED | {"showtimeId": screening.showtime_id}
    async with cinema.client.get("/screening/details", params=asked) as answer:
        assert (await answer.json())["auditorium_number"] == "3"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"movieId": "heat"}, "movie-not-found"),
        ({"movieId": "charade"}, "screening-not-found"),
        ({"placeId": "nowhere"}, "theater-not-found"),
        ({"auditoriumNumber": "13"}, "auditorium-not-found"),
        ({"showtimeId": "st-unknown"}, "screening-not-found"),
    ],
)
async def test_what_does_not_exist_is_404(
    cinema: Cinema, changes: dict[str, str], code: str
) -> None:
    """As a problem whose stable code says what there is not, for programs alone."""
    await cinema.put_on()
    async with cinema.client.get(
        "/screening/details", params=ASKED | changes, headers={"Accept": "text/html"}
    ) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        problem = await answer.json(content_type=None)
        assert problem["code"] == code
        assert problem["status"] == 404


async def test_no_such_auditorium_is_told_with_a_showtime_too(cinema: Cinema) -> None:
    """A ticket for a door that the theater does not have is a fault of the ticket."""
    screening = await cinema.put_on()
    asked = ASKED | {"showtimeId": screening.showtime_id, "auditoriumNumber": "99"}
    async with cinema.client.get("/screening/details", params=asked) as answer:
        assert answer.status == 404
        assert (await answer.json(content_type=None))["code"] == "auditorium-not-found"


async def possible(cinema: Cinema, **asked: str) -> list[str]:
    """The showtime_ids that the answer without showtimeId lists."""
    async with cinema.client.get("/screening/details", params=ASKED | asked) as answer:
        assert answer.status == 200, await answer.text()
        showings = (await answer.json())["showings"]
    assert all(showing["movie_id"] == ASKED["movieId"] for showing in showings)
    return [showing["showtime_id"] for showing in showings]


@pytest.mark.both_databases
async def test_without_showtime_id_all_that_a_ticket_may_be_for_are_listed(cinema: Cinema) -> None:
    """Those over when it was sold are not; the last instant of the credits is over."""
    early = await cinema.put_on(starts_in_min=0)
    late = await cinema.put_on(starts_in_min=90)
    await cinema.put_on(starts_in_min=0, auditorium_number="11")
    assert await possible(cinema) == [early.showtime_id, late.showtime_id]
    just_before = early.credits_end - timedelta(microseconds=1)
    assert len(await possible(cinema, soldAt=rfc3339(just_before))) == 2
    assert await possible(cinema, soldAt=rfc3339(early.credits_end)) == [late.showtime_id]
    cinema.clock.now = early.credits_end
    assert await possible(cinema) == [late.showtime_id]


@pytest.mark.both_databases
async def test_one_that_may_have_been_moved_away_is_listed_too(cinema: Cinema) -> None:
    """A ticket for the old auditorium may be for it."""
    here = await cinema.put_on(starts_in_min=0)
    moved = await cinema.put_on(starts_in_min=90, auditorium_number="11")
    async with cinema.services.database.write() as connection:
        await connection.execute(
            update(screenings)
            .where(screenings.c.showtime_id == moved.showtime_id)
            .values(revision=2)
        )
    assert await possible(cinema) == [here.showtime_id, moved.showtime_id]


async def test_the_showtime_of_another_film_is_404(cinema: Cinema) -> None:
    """A showtime_id never answers for a film or place that was not asked about."""
    screening = await cinema.put_on()
    for change in ({"movieId": "the-general"}, {"placeId": "lakeshore-10"}):
        asked = ASKED | {"showtimeId": screening.showtime_id} | change
        async with cinema.client.get("/screening/details", params=asked) as answer:
            assert answer.status == 404


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["movieId", "placeId", "auditoriumNumber"]),
        ("movieId=a&placeId=b", ["auditoriumNumber"]),
        ("movieId=a%2Fb&placeId=b&auditoriumNumber=1", ["movieId"]),
        (f"movieId={'a' * 65}&placeId=b&auditoriumNumber=1", ["movieId"]),
        ("movieId=a&placeId=b&auditoriumNumber=", ["auditoriumNumber"]),
        ("movieId=a&movieId=b&placeId=b&auditoriumNumber=1", ["movieId"]),
        ("movieId=a%0A&placeId=b&auditoriumNumber=1&showtimeId=%00", ["movieId", "showtimeId"]),
    ],
)
async def test_wrong_parameters_are_named(cinema: Cinema, query: str, names: list[str]) -> None:
    """400 with each wrong parameter and its rule."""
    async with cinema.client.get(f"/screening/details?{query}") as answer:
        assert answer.status == 400
        assert answer.content_type == "application/problem+json"
        problem = await answer.json(content_type=None)
        assert problem["code"] == "invalid-parameter"
        assert [field["name"] for field in problem["errors"]] == names
        assert all(field["detail"] for field in problem["errors"])


@pytest.mark.both_databases
async def test_times_are_written_to_the_microsecond(cinema: Cinema) -> None:
    """An exact start survives the way through the database and the wire."""
    cinema.clock.now = NOW + timedelta(microseconds=123457)
    screening = await cinema.put_on()
    asked = ASKED | {"showtimeId": screening.showtime_id}
    async with cinema.client.get("/screening/details", params=asked) as answer:
        found = (await answer.json())["movie_start"]
    assert found == rfc3339(screening.movie_start) == "2027-03-06T00:33:00.123457Z"
