"""Claims and tickets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.posters import poster_url
from tests.gateway.town import DEVICE, Town, bearer

CLAIMS = "/tell/claims"


async def post(town: Town, body: dict[str, Any], **headers: str) -> tuple[int, Any]:
    """Status and body of a claim."""
    async with town.tell.post(CLAIMS, json=body, headers=headers) as answer:
        assert answer.headers["Cache-Control"].endswith("no-store")
        return answer.status, await answer.json(content_type=None)


@pytest.mark.both_databases
async def test_a_claim_gives_a_bearer_and_the_ticket(town: Town) -> None:
    """From the link to the ticket, with everything that the app shows."""
    screening = await town.show(starts_in=600)
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    status, body = await post(town, {"claim_code": sold.claim_code, "device_nonce": DEVICE})
    assert status == 200
    assert body["ticket"] == {
        "correlation_id": sold.correlation_id,
        "state": "enriched",
        "movie_id": "the-general",
        "title": "The General",
        "poster_url": poster_url("local", "the-general", "/posters/the-general.svg"),
        "theater_name": screening.theater.name,
        "time_zone": screening.theater.time_zone,
        "auditorium_number": screening.auditorium_number,
        "showtime_id": screening.showtime_id,
        "previews_start": "2027-03-05T19:20:00Z",
        "movie_start": "2027-03-05T19:40:00Z",
        # A millisecond is the bound of AMC-clone's clock, as measured.
        "movie_start_bound_ms": 300_001,
        "movie_start_source": "schedule",
        "credits_end": "2027-03-05T20:58:00Z",
        "phase": "previews",
        "described": True,
        "server_time": "2027-03-05T19:30:00Z",
    }
    path = f"/tell/tickets/{sold.correlation_id}"
    again = json.loads(await town.text(path, **bearer(body["listener_token"])))
    assert again == body["ticket"]


@pytest.mark.both_databases
async def test_a_ticket_before_enrichment_shows_what_is_known(town: Town) -> None:
    """The rest is null, and the list has it last."""
    notice = town.notice(await town.show()) | {"showtime_id": "unheard-of"}
    body = json.dumps(notice).encode()
    async with town.tell.post("/tell/purchase", data=body, headers=town.sign(body)) as answer:
        data = await answer.json()
    code = data["listen_url"].partition("#")[2]
    _, claimed = await post(town, {"claim_code": code, "device_nonce": DEVICE})
    ticket = claimed["ticket"]
    assert (ticket["state"], ticket["movie_id"]) == ("accepted", "the-general")
    for name in ("title", "poster_url", "theater_name", "movie_start", "phase", "described"):
        assert ticket[name] is None


@pytest.mark.both_databases
async def test_a_film_without_a_track_says_so_before_the_film(town: Town) -> None:
    """The ticket tells it, so that she can ask for her money back."""
    sold = await town.sell(await town.show("nosferatu"))
    await town.is_enriched(sold.correlation_id)
    listener = await town.claim(sold)
    ticket = json.loads(await town.text(f"/tell/tickets/{sold.correlation_id}", **bearer(listener)))
    assert ticket["described"] is False


@pytest.mark.both_databases
async def test_the_same_device_again_is_the_same_listener(town: Town) -> None:
    """The link opened twice claims nothing new."""
    sold = await town.sell(await town.show())
    assert await town.claim(sold) == await town.claim(sold)


@pytest.mark.both_databases
async def test_a_bearer_collects_her_tickets(town: Town) -> None:
    """A second link on the same phone adds its ticket to the first listener's."""
    late = await town.sell(await town.show(starts_in=9000))
    early = await town.sell(await town.show(starts_in=60))
    await town.is_enriched(late.correlation_id)
    await town.is_enriched(early.correlation_id)
    listener = await town.claim(late)
    assert await town.claim(early, bearer=listener) == listener
    body = json.loads(await town.text("/tell/tickets", **bearer(listener)))
    assert [ticket["correlation_id"] for ticket in body["tickets"]] == [
        early.correlation_id,
        late.correlation_id,
    ]
    assert body["server_time"] == "2027-03-05T19:30:00Z"


@pytest.mark.both_databases
async def test_one_device_too_many_is_told_to_release_another(town: Town) -> None:
    """409 until one lets go."""
    sold = await town.sell(await town.show())
    limit = town.settings.purchases.devices_per_purchase
    listeners = [await town.claim(sold, f"device-nonce-{n:04}") for n in range(limit)]
    further = {"claim_code": sold.claim_code, "device_nonce": "device-nonce-more"}
    status, problem = await post(town, further)
    assert (status, problem["code"]) == (409, "too-many-devices")
    assert problem["correlation_id"] == sold.correlation_id
    path = f"/tell/tickets/{sold.correlation_id}/claim"
    async with town.tell.delete(path, headers=bearer(listeners[0])) as answer:
        assert answer.status == 204
    gone = await town.problem(path, "DELETE", headers=bearer(listeners[0]))
    assert (gone["status"], gone["code"]) == (404, "ticket-not-found")
    assert (await post(town, further))[0] == 200


@pytest.mark.both_databases
async def test_another_listener_s_ticket_looks_like_none(town: Town) -> None:
    """404 for hers and for one that does not exist, alike."""
    hers, _ = await town.ticket()
    _, mine = await town.ticket()
    one = await town.problem(f"/tell/tickets/{hers.correlation_id}", headers=bearer(mine))
    other = await town.problem(f"/tell/tickets/{'a' * 20}", headers=bearer(mine))
    assert (one["status"], one["code"], one["title"]) == (404, "ticket-not-found", other["title"])
    assert other["code"] == "ticket-not-found"


async def test_a_claim_code_that_nobody_signed_is_refused(town: Town) -> None:
    """Changed, of another purpose, or of another purchase's signature."""
    sold, listener = await town.ticket()
    code = sold.claim_code
    forged = [code[:-1] + ("A" if code[-1] != "A" else "B"), listener, "x", "ключ", "~~", code * 9]
    for claim_code in forged:
        status, problem = await post(town, {"claim_code": claim_code, "device_nonce": DEVICE})
        assert status in {403, 422}
        assert problem["code"] == ("token-refused" if status == 403 else "invalid-body")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"device_nonce": DEVICE}, "claim_code"),
        ({"claim_code": "x"}, "device_nonce"),
        ({"claim_code": "x", "device_nonce": "short"}, "device_nonce"),
        ({"claim_code": "x", "device_nonce": "spaces are not allowed"}, "device_nonce"),
        ({"claim_code": "", "device_nonce": DEVICE}, "claim_code"),
        ({"claim_code": 7, "device_nonce": DEVICE}, "claim_code"),
    ],
)
async def test_a_wrong_field_of_a_claim_is_named(
    town: Town, body: dict[str, Any], field: str
) -> None:
    """422 with the field."""
    status, problem = await post(town, body)
    assert (status, problem["code"]) == (422, "invalid-body")
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_a_wrong_bearer_is_never_taken_for_none(town: Town) -> None:
    """A claim with a broken bearer is 401 and makes no new listener."""
    sold = await town.sell(await town.show())
    body = {"claim_code": sold.claim_code, "device_nonce": DEVICE}
    status, problem = await post(town, body, Authorization="Bearer nonsense")
    assert (status, problem["code"]) == (401, "token-refused")
