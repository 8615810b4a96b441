"""Which showing a ticket is for, where AMC-clone's answer does not say: the hard nights.

The auditorium is in New York. In 2027 its clocks go from 02:00 to 03:00 on 14 March and from 02:00
back to 01:00 on 7 November; a cinema's day there ends at 04:00.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from amc_clone.app import SERVICES
from amc_clone.models import Screening
from amc_clone.programming import NewScreening
from amc_clone.screenings import ListingQuery
from amc_clone.seeding import seed
from gateway import keys
from tests.gateway.town import HOUSE, bearer
from tests.partner_faults.world import World

EST, EDT = timedelta(hours=-5), timedelta(hours=-4)
# Kept free of the programme.
AUDITORIUM = HOUSE.auditorium_numbers[-1]


def local(text: str, offset: timedelta) -> datetime:
    """The instant at which a clock of that offset shows *text*."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - offset).astimezone(UTC)


def without_echo(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer that names no showing, and a list that names none either."""
    nameless = {name: value for name, value in answer.items() if name != "showtime_id"}
    if "showings" in answer:
        nameless["showings"] = [without_echo(showing) for showing in answer["showings"]]
    return nameless


def echo_of_another(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer about a showing that nobody asked for, and a list under names of their own."""
    renamed = [
        showing | {"showtime_id": f"other-{number}"}
        for number, showing in enumerate(answer.get("showings", []))
    ]
    return answer | {"showtime_id": "other"} | ({"showings": renamed} if renamed else {})


async def put_on(world: World, previews_start: datetime, credits_end: datetime) -> Screening:
    """Show The General in the free auditorium."""
    return await world.amc.app[SERVICES].programming.add(
        NewScreening(
            movie_id="the-general",
            place_id=HOUSE.theater.place_id,
            auditorium_number=AUDITORIUM,
            previews_start=previews_start,
            movie_start=previews_start + timedelta(minutes=20),
            credits_end=credits_end,
            movie_start_bound_ms=300_000,
        )
    )


NIGHTS = {
    "across midnight": (
        (local("2027-02-05 23:10", EST), local("2027-02-06 01:05", EST)),
        (local("2027-02-06 20:00", EST), local("2027-02-06 22:00", EST)),
    ),
    "into summer time": (
        # 90 minutes by any stopwatch; the cinema's clock shows 01:00 to 03:30.
        (local("2027-03-14 01:00", EST), local("2027-03-14 03:30", EDT)),
        (local("2027-03-14 20:00", EDT), local("2027-03-14 22:00", EDT)),
    ),
    "out of summer time": (
        # It ends at 01:30, and the next begins at 01:20, fifty minutes later.
        (local("2027-11-06 23:50", EDT), local("2027-11-07 01:30", EDT)),
        (local("2027-11-07 01:20", EST), local("2027-11-07 03:20", EST)),
    ),
    "across the end of the cinema's day": (
        (local("2027-02-06 02:30", EST), local("2027-02-06 04:10", EST)),
        (local("2027-02-06 10:00", EST), local("2027-02-06 12:00", EST)),
    ),
}


@pytest.mark.parametrize("edit", [without_echo, echo_of_another])
@pytest.mark.parametrize("night", NIGHTS)
async def test_the_only_showing_that_is_possible_is_taken_and_nothing_is_guessed(
    world: World, night: str, edit: Any
) -> None:
    """Until the first one's last credit a ticket may be for either; after that for the second."""
    (begins, ends), later = NIGHTS[night]
    world.clock.now = begins - timedelta(hours=1)
    early, late = await put_on(world, begins, ends), await put_on(world, *later)
    world.partner.edit = edit
    code = "showtime-missing" if edit is without_echo else "showtime-mismatch"
    bought = {}
    for minutes in (-30, -0.001, 0, 1):
        world.clock.now = ends + timedelta(minutes=minutes)
        bought[minutes] = await world.sell(late)
        await world.settle()
    assert [await world.state_of(bought[minutes]) for minutes in (-30, -0.001)] == [
        ("parked", code)
    ] * 2
    for minutes in (0, 1):
        assert await world.state_of(bought[minutes]) == ("enriched", None)
        listener = await world.claim(bought[minutes], device=f"device-nonce-{minutes + 5000}")
        ticket = await world.text(
            f"/tell/tickets/{bought[minutes].correlation_id}", **bearer(listener)
        )
        assert f'"movie_start":"{late.movie_start:%Y-%m-%dT%H:%M:%SZ}"' in ticket
    assert early.movie_start != late.movie_start


@pytest.mark.parametrize("night", NIGHTS)
async def test_one_showing_alone_needs_no_echo(world: World, night: str) -> None:
    """The last instant before its end still sells a ticket for it, whatever the clocks do."""
    (begins, ends), _ = NIGHTS[night]
    world.clock.now = begins - timedelta(hours=1)
    only = await put_on(world, begins, ends)
    world.partner.edit = without_echo
    world.clock.now = ends - timedelta(seconds=1)
    sold = await world.sell(only)
    await world.is_enriched(sold.correlation_id)
    ticket = await world.text("/tell/tickets", **bearer(await world.claim(sold)))
    assert f'"movie_start":"{only.movie_start:%Y-%m-%dT%H:%M:%SZ}"' in ticket


async def test_a_parked_purchase_is_a_calm_state(world: World) -> None:
    """The listener hears that the cinema is checking, and need not ask again for 5 minutes."""
    (begins, ends), later = NIGHTS["across midnight"]
    world.clock.now = begins
    early = await put_on(world, begins, ends)
    await put_on(world, *later)
    world.partner.edit = without_echo
    sold = await world.sell(early)
    await world.settle()
    listener = await world.claim(sold)
    assert '"state":"parked"' in await world.text("/tell/tickets", **bearer(listener))
    path = f"/media/audio/the-general?ticket={sold.correlation_id}"
    async with world.tell.get(path, headers=bearer(listener)) as answer:
        problem = await answer.json(content_type=None)
        assert (answer.status, problem["code"]) == (409, "ticket-parked")
        assert answer.headers["Retry-After"] == "300"
    # The partner mends its answers; another ticket of the showing sets this one free.
    world.partner.edit = None
    await world.sell(early)
    await world.is_enriched(sold.correlation_id)


@pytest.mark.parametrize("changes_on", ["2027-03-14", "2027-11-07"])
async def test_every_showing_of_the_seeded_week_is_told_apart(
    world: World, changes_on: str
) -> None:
    """With the echo each ticket has its own showing, in the nights when the clocks change too."""
    day = datetime.fromisoformat(changes_on).replace(tzinfo=UTC)
    world.clock.now = day - timedelta(days=1)
    services = world.amc.app[SERVICES]
    await seed(services.database, world.clock.now)
    night = ListingQuery(
        place_id=HOUSE.theater.place_id,
        starts_from=day - timedelta(hours=8),
        starts_before=day + timedelta(hours=30),
    )
    listed, _ = await services.screenings.listing(night, limit=60)
    shown = {(each.movie.movie_id, each.auditorium_number) for each in listed}
    assert len(shown) < len(listed), "several showings share movie, place and auditorium"
    sold = [await world.sell(each) for each in listed]
    await world.settle()
    for purchase, screening in zip(sold, listed, strict=True):
        await world.is_enriched(purchase.correlation_id)
        ticket = await world.tell.app[keys.TICKETS].by_correlation(purchase.correlation_id)
        assert ticket.screening is not None
        assert ticket.screening.showtime_id == screening.showtime_id
        assert ticket.screening.movie_start == screening.movie_start
