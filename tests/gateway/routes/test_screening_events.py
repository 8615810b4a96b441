"""POST /tell/screening-events: what the cinema says after the sale reaches the listener."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from amc_clone.app import SERVICES
from amc_clone.facts import details_json
from amc_clone.models import Screening
from tests.gateway.town import Town, bearer, checked_problem


async def push(town: Town, kind: str, data: dict[str, Any], *, status: int = 202) -> Any:
    """Post an event as AMC-clone does; returns the answer."""
    body = json.dumps({"type": kind, "data": data}).encode()
    headers = town.sign(body, webhook_id=f"msg_{hash(body)}")
    async with town.tell.post("/tell/screening-events", data=body, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json(content_type=None)


async def sold_and_claimed(town: Town, screening: Screening) -> tuple[Any, str]:
    """A ticket for the screening, enriched and claimed."""
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    return sold, await town.claim(sold)


async def ticket(town: Town, sold: Any, listener: str) -> Any:
    """The ticket as it stands now."""
    path = f"/tell/tickets/{sold.correlation_id}"
    async with town.tell.get(path, headers=bearer(listener)) as answer:
        return await answer.json()


@pytest.mark.both_databases
async def test_a_delay_is_in_ticket_grant_and_playlist_after_the_202(town: Town) -> None:
    """Nobody waits: what was answered for is what everybody sees."""
    screening = await town.show(starts_in=-60)
    sold, listener = await sold_and_claimed(town, screening)
    later = await town.amc.app[SERVICES].desk.delay(screening.showtime_id, timedelta(minutes=6))
    assert (await push(town, "screening.updated", details_json(later)))["outcome"] == "applied"
    wanted = screening.movie_start + timedelta(minutes=6)
    shown = await ticket(town, sold, listener)
    assert datetime.fromisoformat(shown["movie_start"]) == wanted
    grant = await town.grant(listener, sold)
    assert datetime.fromisoformat(grant["movie_start"]) == wanted
    assert grant["offset_s"] == -300
    media = await town.text(grant["downloads"][0]["url"].replace(".mp4", ".m3u8"))
    zero_at = wanted + timedelta(seconds=grant["track_offset_s"])
    assert f"#EXT-X-PROGRAM-DATE-TIME:{zero_at:%Y-%m-%dT%H:%M:%S}" in media


@pytest.mark.both_databases
async def test_started_narrows_the_bound_to_what_the_projector_knows(town: Town) -> None:
    """The plan was good to five minutes, the stamp to milliseconds; both travel to the listener."""
    screening = await town.show(starts_in=-60)
    sold, listener = await sold_and_claimed(town, screening)
    begun = await town.amc.app[SERVICES].desk.start(screening.showtime_id)
    await push(town, "screening.started", details_json(begun))
    shown = await ticket(town, sold, listener)
    assert datetime.fromisoformat(shown["movie_start"]) == town.clock.now
    assert shown["movie_start_source"] == "partner_event"
    assert shown["movie_start_bound_ms"] <= 15
    assert (await town.grant(listener, sold))["movie_start_bound_ms"] <= 15


@pytest.mark.both_databases
async def test_an_older_revision_never_overwrites(town: Town) -> None:
    """Out of order, and each twice: the newest word stands."""
    screening = await town.show()
    sold, listener = await sold_and_claimed(town, screening)
    desk = town.amc.app[SERVICES].desk
    second = details_json(await desk.delay(screening.showtime_id, timedelta(minutes=5)))
    third = details_json(await desk.delay(screening.showtime_id, timedelta(minutes=5)))
    outcomes = [
        (await push(town, "screening.updated", data))["outcome"]
        for data in (third, second, third, second)
    ]
    assert outcomes == ["applied", "outdated", "known", "outdated"]
    shown = await ticket(town, sold, listener)
    assert datetime.fromisoformat(shown["movie_start"]) == screening.movie_start + timedelta(
        minutes=10
    )


@pytest.mark.both_databases
async def test_an_equal_revision_with_other_content_raises_an_alarm(town: Town) -> None:
    """It changes nothing, and the metric and the log say that a person must look."""
    screening = await town.show()
    sold, listener = await sold_and_claimed(town, screening)
    other = details_json(screening) | {"auditorium_number": "11"}
    assert (await push(town, "screening.moved", other))["outcome"] == "conflict"
    assert (await ticket(town, sold, listener))["auditorium_number"] != "11"
    assert 'outcome="conflict"' in await town.text("/metrics")


@pytest.mark.both_databases
async def test_a_showing_that_nobody_bought_is_kept_for_whoever_will(town: Town) -> None:
    """The event comes before the first purchase: its revision is not undone by an old answer."""
    screening = await town.show(starts_in=600)
    later = await town.amc.app[SERVICES].desk.delay(screening.showtime_id, timedelta(minutes=7))
    assert (await push(town, "screening.updated", details_json(later)))["outcome"] == "new"
    outcome = await push(town, "screening.updated", details_json(screening))
    assert outcome["outcome"] == "outdated"
    sold, listener = await sold_and_claimed(town, screening)
    shown = await ticket(town, sold, listener)
    assert datetime.fromisoformat(shown["movie_start"]) == later.movie_start


@pytest.mark.both_databases
async def test_moved_to_another_auditorium(town: Town) -> None:
    """The ticket shows where it is now, and the sound is the same."""
    screening = await town.show(starts_in=-60)
    sold, listener = await sold_and_claimed(town, screening)
    there = await town.amc.app[SERVICES].desk.move(screening.showtime_id, "9")
    await push(town, "screening.moved", details_json(there))
    assert (await ticket(town, sold, listener))["auditorium_number"] == "9"
    assert (await town.grant(listener, sold))["correlation_id"] == sold.correlation_id


@pytest.mark.both_databases
async def test_a_cancelled_screening_opens_nothing(town: Town) -> None:
    """410 with its code, for the grant and for the playlists of a token from before."""
    screening = await town.show(starts_in=-60)
    sold, listener = await sold_and_claimed(town, screening)
    before = await town.grant(listener, sold)
    gone = await town.amc.app[SERVICES].desk.cancel(screening.showtime_id)
    await push(town, "screening.cancelled", details_json(gone))
    assert (await ticket(town, sold, listener))["phase"] == "cancelled"
    path = f"/media/audio/the-general?ticket={sold.correlation_id}"
    problem = await town.problem(path, headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (410, "screening-cancelled")
    assert (await town.problem(before["hls"]))["code"] == "screening-cancelled"


@pytest.mark.both_databases
async def test_a_purchase_is_cancelled_in_either_order(town: Town) -> None:
    """After its purchase, and before it: the ticket opens nothing, and says the same each time."""
    screening = await town.show(starts_in=-60)
    notice = town.notice(screening)
    body = json.dumps(notice).encode()
    cancelled = {"purchase_id": notice["purchase_id"]}
    first = await push(town, "purchase.cancelled", cancelled)
    again = await push(town, "purchase.cancelled", cancelled)
    assert (first["outcome"], again["outcome"]) == ("new", "known")
    headers = town.sign(body, webhook_id="msg_early")
    async with town.tell.post("/tell/purchase", data=body, headers=headers) as answer:
        assert answer.status == 202
        early = await answer.json()
    sold, listener = await sold_and_claimed(town, screening)
    purchase_id = json.loads(sold.body)["purchase_id"]
    late = await push(town, "purchase.cancelled", {"purchase_id": purchase_id})
    assert late["outcome"] == "applied"
    assert (await ticket(town, sold, listener))["state"] == "cancelled"
    code = early["listen_url"].partition("#")[2]
    claim = {"claim_code": code, "device_nonce": "another-device-02"}
    async with town.tell.post("/tell/claims", json=claim) as answer:
        assert (await answer.json())["ticket"]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("screening.vanished", {}, "type"),
        ("screening.updated", {"movie_start": "2027-03-05T19:30:00"}, "data.movie_start"),
        ("screening.updated", {"showtime_id": None}, "data.showtime_id"),
        ("screening.started", {}, "body"),
        ("purchase.cancelled", {}, "data.purchase_id"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_field(
    town: Town, kind: str, change: dict[str, Any], field: str
) -> None:
    """422 names what is wrong; nothing is stored."""
    data = details_json(await town.show()) | change
    body = json.dumps({"type": kind, "data": data}).encode()
    headers = town.sign(body)
    async with town.tell.post("/tell/screening-events", data=body, headers=headers) as answer:
        problem = await checked_problem(answer.status, answer.headers["Content-Type"], answer)
    assert problem["status"] == 422
    assert [fault["field"] for fault in problem["errors"]] == [field]


@pytest.mark.both_databases
async def test_a_showtime_of_another_film_is_a_conflict(town: Town) -> None:
    """Which of the two is right is not Tell's to guess: 409, and nothing changes."""
    screening = await town.show()
    await sold_and_claimed(town, screening)
    other = details_json(screening) | {"movie_id": "charade", "revision": 9}
    problem = await push(town, "screening.updated", other, status=409)
    assert problem["code"] == "screening-conflict"


@pytest.mark.both_databases
async def test_a_webhook_id_is_one_event_s_own(town: Town) -> None:
    """The same bytes again are a replay, answered alike; other bytes under the id are refused."""
    screening = await town.show(starts_in=-60)
    later = await town.amc.app[SERVICES].desk.delay(screening.showtime_id, timedelta(minutes=6))
    body = json.dumps({"type": "screening.updated", "data": details_json(later)}).encode()
    for _ in range(2):
        async with town.tell.post(
            "/tell/screening-events", data=body, headers=town.sign(body, "msg_one")
        ) as answer:
            assert answer.status == 202, await answer.text()
    other = json.dumps({"type": "purchase.cancelled", "data": {"purchase_id": "p-1"}}).encode()
    async with town.tell.post(
        "/tell/screening-events", data=other, headers=town.sign(other, "msg_one")
    ) as answer:
        problem = await checked_problem(409, answer.content_type, answer)
    assert problem["code"] == "webhook-id-reused"


async def test_a_stranger_s_event_is_refused(town: Town) -> None:
    """Signed like purchases: another body under the same signature gets 401."""
    data = details_json(await town.show())
    body = json.dumps({"type": "screening.updated", "data": data}).encode()
    headers = town.sign(body + b" ")
    async with town.tell.post("/tell/screening-events", data=body, headers=headers) as answer:
        assert answer.status == 401
