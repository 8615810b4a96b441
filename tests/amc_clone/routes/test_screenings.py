"""The JSON API of screenings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from amc_clone.localday import day_bounds
from tests.amc_clone.cinema import NOW, PLACE, Cinema

BODY: dict[str, Any] = {
    "movie_id": "one-week",
    "place_id": PLACE,
    "auditorium_number": "12",
    "previews_start": "2027-03-05T19:10:00-05:00",
    "movie_start": "2027-03-06T00:30:00.5Z",
}


async def listing(cinema: Cinema, **parameters: str | int) -> dict[str, Any]:
    """A page of the listing."""
    async with cinema.client.get("/api/screenings", params=parameters) as answer:
        assert answer.status == 200, await answer.text()
        data: dict[str, Any] = await answer.json()
        return data


@pytest.mark.both_databases
async def test_a_day_is_the_theaters_own(cinema: Cinema) -> None:
    """From 04:00 to 04:00 local time, the late show included."""
    found = await listing(cinema, place_id=PLACE, day="2027-03-05")
    begins, ends = day_bounds(NOW.date() - timedelta(days=1), "America/New_York")
    starts = [each["previews_start"] for each in found["screenings"]]
    assert starts == sorted(starts)
    assert {each["day"] for each in found["screenings"]} == {"2027-03-05"}
    assert starts[0] >= begins.isoformat()
    assert starts[-1] < ends.isoformat()
    # A Friday: something begins after local midnight, 05:00 UTC.
    assert starts[-1] >= "2027-03-06T05:00"


@pytest.mark.both_databases
async def test_each_screening_tells_where_it_stands(cinema: Cinema) -> None:
    """Phase and offset at server_time, so that a program can find one to buy."""
    screening = await cinema.put_on(starts_in_min=-12)
    found = await listing(cinema, movie_id="one-week", place_id=PLACE, auditorium_number="12")
    (listed,) = found["screenings"]
    assert found["server_time"] == "2027-03-06T00:30:00Z"
    assert listed["showtime_id"] == screening.showtime_id
    assert (listed["phase"], listed["offset_s"]) == ("feature", 720.0)
    assert listed["on_sale"] is True
    assert listed["running_time_s"] == 1500


@pytest.mark.both_databases
async def test_pages_have_no_gap_and_no_double(cinema: Cinema) -> None:
    """The cursor goes through all of it."""
    whole = await listing(cinema, place_id=PLACE, limit=1000)
    assert whole["next"] is None
    paged: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = await listing(cinema, place_id=PLACE, limit=97, **more)
        paged += page["screenings"]
        cursor = page["next"]
    assert paged == whole["screenings"]


@pytest.mark.both_databases
async def test_a_span_keeps_what_is_on(cinema: Cinema) -> None:
    """ends_after and starts_before: what runs at this moment."""
    now = "2027-03-05T19:30:00-05:00"
    found = await listing(cinema, ends_after=now, starts_before=now)
    assert found["screenings"]
    assert {each["phase"] for each in found["screenings"]} <= {"previews", "feature"}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("day=2027-03-05", "day"),
        (f"place_id={PLACE}&day=2027-3-5", "day"),
        (f"place_id={PLACE}&day=9999-12-31", "day"),
        (f"place_id={PLACE}&day=2027-03-05&starts_from=2027-03-05T00:00:00Z", "day"),
        ("limit=0", "limit"),
        ("limit=ten", "limit"),
        ("starts_from=2027-03-05T00:00:00", "starts_from"),
        ("starts_from=1772668800", "starts_from"),
        ("cursor=x", "cursor"),
        ("cursor=999999999999999999-1", "cursor"),
    ],
)
async def test_a_wrong_question_is_refused(cinema: Cinema, query: str, name: str) -> None:
    """400 names the parameter."""
    async with cinema.client.get(f"/api/screenings?{query}") as answer:
        assert answer.status == 400
        assert (await answer.json(content_type=None))["errors"][0]["name"] == name


@pytest.mark.both_databases
async def test_theaters_are_listed(cinema: Cinema) -> None:
    """All five, with their zones."""
    async with cinema.client.get("/api/theaters") as answer:
        theaters = (await answer.json())["theaters"]
    assert [each["name"] for each in theaters] == sorted(each["name"] for each in theaters)
    assert len({each["time_zone"] for each in theaters}) == 5


@pytest.mark.both_databases
async def test_an_operator_adds_a_screening(cinema: Cinema) -> None:
    """201 with the screening as it is listed; it can be looked up at once."""
    async with cinema.client.post("/api/screenings", json=BODY) as answer:
        assert answer.status == 201, await answer.text()
        added = await answer.json()
    assert added["previews_start"] == "2027-03-06T00:10:00Z"
    assert added["movie_start"] == "2027-03-06T00:30:00.500000Z"
    assert added["credits_end"] == "2027-03-06T00:55:00.500000Z"
    assert added["phase"] == "previews"
    found = await listing(cinema, place_id=PLACE, auditorium_number="12")
    assert found["screenings"] == [added]


@pytest.mark.both_databases
async def test_an_overlap_is_a_conflict(cinema: Cinema) -> None:
    """409 with its own code, and the other screening by name."""
    first = await cinema.put_on()
    async with cinema.client.post("/api/screenings", json=BODY) as answer:
        assert answer.status == 409
        problem = await answer.json(content_type=None)
    assert problem["code"] == "screening-overlap"
    assert first.showtime_id in problem["detail"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"movie_id": "heat"}, 404, "movie-not-found"),
        ({"auditorium_number": "99"}, 404, "auditorium-not-found"),
        ({"auditorium_number": 12}, 400, "invalid-body"),
        ({"movie_start": "2027-03-06T00:30:00"}, 400, "invalid-body"),
        ({"movie_start": 1772668800}, 400, "invalid-body"),
        ({"previews_start": "0001-01-01T00:00:00+23:59"}, 400, "invalid-body"),
        ({"movie_start": "2027-03-05T00:00:00Z"}, 400, "invalid-body"),
        ({"movie_start_bound_ms": "40"}, 400, "invalid-body"),
        ({"movie_start_bound_ms": -1}, 400, "invalid-body"),
    ],
)
async def test_a_wrong_screening_is_refused(
    cinema: Cinema, changes: dict[str, Any], status: int, code: str
) -> None:
    """Each with a stable code."""
    async with cinema.client.post("/api/screenings", json=BODY | changes) as answer:
        assert answer.status == status
        assert (await answer.json(content_type=None))["code"] == code


@pytest.mark.parametrize(
    ("body", "content_type", "name"),
    [
        (b"{", "application/json", "body"),
        (b"\xff", "application/json", "body"),
        (b"[" * 9000, "application/json", "body"),
        (b'{"movie_id": "a", "movie_id": "b"}', "application/json", "movie_id"),
        (b"[]", "application/json", "body"),
        (b"{}", "text/plain", "Content-Type"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    cinema: Cinema, body: bytes, content_type: str, name: str
) -> None:
    """Not JSON, a name twice, another type: 400 and the field."""
    headers = {"Content-Type": content_type}
    async with cinema.client.post("/api/screenings", data=body, headers=headers) as answer:
        assert answer.status == 400
        problem = await answer.json(content_type=None)
    assert problem["code"] == "invalid-body"
    assert problem["errors"][0]["name"] == name
