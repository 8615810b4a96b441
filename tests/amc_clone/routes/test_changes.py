"""The operator's API and page: each change is stored with the message about it, and told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from amc_clone.models import Screening, ScreeningStatus
from tests.amc_clone.cinema import PLACE, Cinema
from tests.amc_clone.pages.reading import Element, check_accessible
from tests.amc_clone.partner import problem

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}


async def post(cinema: Cinema, path: str, body: dict[str, Any], status: int = 200) -> Any:
    """Call the API."""
    async with cinema.client.post(path, json=body) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)


async def told(cinema: Cinema, count: int) -> list[dict[str, Any]]:
    """The events that Tell has got, once there are so many."""
    events = [
        json.loads(each.body) for each in await cinema.tell.tries(count) if b'"type"' in each.body
    ]
    return sorted(events, key=lambda event: event["data"].get("revision", 0))


async def now(cinema: Cinema, screening: Screening) -> Screening:
    """The screening as it is stored."""
    return await cinema.services.screenings.by_showtime(screening.showtime_id)


@pytest.mark.both_databases
async def test_each_change_bumps_the_revision_and_is_told(cinema_and_tell: Cinema) -> None:
    """Delay, move, start, cancel: four events, each with all facts of its revision."""
    cinema = cinema_and_tell
    screening = await cinema.put_on(starts_in_min=3)
    path = f"/api/screenings/{screening.showtime_id}"
    await post(cinema, f"{path}/delay", {"minutes": 6})
    await post(cinema, f"{path}/move", {"auditorium_number": "11"})
    begun = await post(cinema, f"{path}/start", {"movie_start_bound_ms": 40})
    await post(cinema, f"{path}/cancel", {})
    events = await told(cinema, 4)
    assert [(event["type"], event["data"]["revision"]) for event in events] == [
        ("screening.updated", 2),
        ("screening.moved", 3),
        ("screening.started", 4),
        ("screening.cancelled", 5),
    ]
    started = events[2]["data"]
    assert started["auditorium_number"] == "11"
    assert started["movie_start"] == begun["movie_start"] == "2027-03-06T00:30:00Z"
    assert (started["status"], started["movie_start_bound_ms"]) == ("started", 40)
    assert (await now(cinema, screening)).status is ScreeningStatus.CANCELLED


@pytest.mark.both_databases
async def test_an_event_waits_for_tell_and_arrives(cinema: Cinema) -> None:
    """Through the same outbox as a sale: signed anew and tried until it is taken."""
    screening = await cinema.put_on()
    cinema.tell.refusals.append(problem(503, "busy", "not now"))
    await cinema.tell.start()
    tried = cinema.services.changes.next_change()
    await post(cinema, f"/api/screenings/{screening.showtime_id}/start", {})
    async with asyncio.timeout(20):
        await tried.wait()
    assert await cinema.services.desk.waiting() == 1
    tried = cinema.services.changes.next_change()
    cinema.later(minutes=1)
    first, second = await cinema.tell.tries(2)
    async with asyncio.timeout(20):
        await tried.wait()
    assert await cinema.services.desk.waiting() == 0
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


@pytest.mark.both_databases
async def test_a_ticket_is_taken_back_once(cinema_and_tell: Cinema) -> None:
    """The page says so, Tell is told, and a second press does nothing."""
    cinema = cinema_and_tell
    sold = await cinema.sell()
    await cinema.tell.tries(1)
    path = f"/api/purchases/{sold.purchase_id}/cancel"
    for _ in range(2):
        answer = await post(cinema, path, {})
        assert answer["cancelled_at"] == "2027-03-06T00:30:00Z"
    (event,) = await told(cinema, 2)
    assert event["type"] == "purchase.cancelled"
    assert event["data"]["purchase_id"] == sold.purchase_id
    async with cinema.client.get(
        f"/purchases/{sold.purchase_id}", headers={"Accept": "text/html"}
    ) as page:
        assert "This ticket was cancelled" in check_accessible(await page.text()).text


@pytest.mark.parametrize(
    ("action", "body", "status", "code"),
    [
        ("delay", {"minutes": 0}, 400, "invalid-body"),
        ("delay", {"minutes": "6"}, 400, "invalid-body"),
        ("move", {"auditorium_number": "99"}, 404, "auditorium-not-found"),
        ("start", {"movie_start_bound_ms": -1}, 400, "invalid-body"),
    ],
)
async def test_what_cannot_be_is_refused(
    cinema: Cinema, action: str, body: dict[str, Any], status: int, code: str
) -> None:
    """With its code, and nothing is changed or told."""
    screening = await cinema.put_on()
    path = f"/api/screenings/{screening.showtime_id}/{action}"
    assert (await post(cinema, path, body, status))["code"] == code
    assert await now(cinema, screening) == screening
    assert await cinema.services.desk.waiting() == 0


@pytest.mark.both_databases
async def test_a_taken_auditorium_is_refused(cinema: Cinema) -> None:
    """Two films in one room help nobody."""
    screening = await cinema.put_on(auditorium_number="12")
    await cinema.put_on(auditorium_number="11")
    path = f"/api/screenings/{screening.showtime_id}/move"
    answer = await post(cinema, path, {"auditorium_number": "11"}, 409)
    assert answer["code"] == "screening-overlap"


async def page(cinema: Cinema, query: str) -> Element:
    """The operator's page, checked."""
    async with cinema.client.get(f"/operator?{query}", headers=FORM) as answer:
        assert answer.status == 200
        return check_accessible(await answer.text())


async def test_the_page_has_a_named_button_for_each_change(cinema: Cinema) -> None:
    """Out of context each names its film and auditorium; what is cancelled has none."""
    screening = await cinema.put_on("one-week", auditorium_number="12")
    root = await page(cinema, f"theater={PLACE}")
    names = [each.text for each in root.all("button")]
    for label in ("Start now", "Delay", "Move", "Cancel"):
        assert f"{label} One Week, 7:13 PM in auditorium 12" in names
    assert len(names) == len(set(names))
    await cinema.services.desk.cancel(screening.showtime_id)
    root = await page(cinema, f"theater={PLACE}")
    assert not [each for each in root.all("button") if "auditorium 12" in each.text]


async def test_a_press_leads_back_to_the_page_which_says_what_was_done(cinema: Cinema) -> None:
    """303, so that a reload does not press twice; and how many messages wait for Tell."""
    screening = await cinema.put_on("one-week", starts_in_min=3)
    action = f"/operator/{screening.showtime_id}"
    for press, form, said in (
        ("delay", "minutes=6", "the film starts at 7:39 PM"),
        ("move", "auditorium_number=11", "One Week, auditorium 11"),
        ("start", "", "started at 7:30 PM"),
        ("cancel", "", "cancelled."),
    ):
        async with cinema.client.post(
            f"{action}/{press}", data=form, headers=FORM, allow_redirects=False
        ) as answer:
            assert answer.status == 303, await answer.text()
            where = answer.headers["Location"]
        root = await page(cinema, where.partition("?")[2])
        (status,) = [each for each in root.all("div") if each.attributes.get("role") == "status"]
        assert said in status.text
    assert "4 messages wait for Tell." in status.text


async def test_a_ticket_is_taken_back_on_the_page(cinema: Cinema) -> None:
    """Its id, which leads to the listen link, stands in no address."""
    sold = await cinema.sell()
    async with cinema.client.post(
        "/operator/tickets/cancel",
        data=f"purchase_id={sold.purchase_id}",
        headers=FORM,
        allow_redirects=False,
    ) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/operator?ticket=cancelled")
    assert "The ticket is cancelled." in (await page(cinema, "ticket=cancelled")).text
    assert (await cinema.services.box_office.purchase(sold.purchase_id)).cancelled_at is not None


@pytest.mark.parametrize("path", ["/operator/{}/start", "/api/screenings/{}/start"])
async def test_another_site_cannot_press(cinema: Cinema, path: str) -> None:
    """A browser says whose page it was."""
    screening = await cinema.put_on()
    headers = FORM | {"Sec-Fetch-Site": "cross-site"}
    async with cinema.client.post(
        path.format(screening.showtime_id), data="", headers=headers
    ) as answer:
        assert answer.status == 403
    assert await now(cinema, screening) == screening
