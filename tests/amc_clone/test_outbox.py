"""No sale is lost: what Tell must hear reaches it, however long it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import pytest
from aiohttp import web
from sqlalchemy import select

from amc_clone.instants import rfc3339
from amc_clone.models import DeliveryState, Purchase
from amc_clone.schema import outbox
from tests.amc_clone.cinema import PLACE, Cinema, HandClock, open_cinema
from tests.amc_clone.partner import LISTEN_URL, TellServer, problem


def tried(count: int) -> Callable[[Purchase], bool]:
    """Whether a purchase's message was tried so often."""
    return lambda purchase: purchase.delivery.attempts >= count


def is_settled(purchase: Purchase) -> bool:
    """Whether Tell has answered for good."""
    return purchase.delivery.state is not DeliveryState.PENDING


@pytest.mark.both_databases
async def test_a_sale_reaches_tell_at_once(cinema_and_tell: Cinema, tell: TellServer) -> None:
    """The six fields, rightly signed; the answer is kept with the purchase."""
    sold = await cinema_and_tell.sell()
    purchase = await cinema_and_tell.purchase_when(sold.purchase_id, is_settled)
    assert purchase.delivery.state is DeliveryState.DELIVERED
    assert purchase.correlation_id == "correlation-1"
    assert purchase.listen_url == LISTEN_URL
    (received,) = tell.received
    assert received.headers["content-type"] == "application/json"
    assert received.notice == {
        "purchase_id": sold.purchase_id,
        "movie_id": "one-week",
        "place_id": PLACE,
        "auditorium_number": "12",
        "showtime_id": sold.screening.showtime_id,
        "purchased_at": rfc3339(cinema_and_tell.clock.now),
    }


@pytest.mark.both_databases
async def test_a_sale_while_tell_is_down_arrives_when_it_is_back(
    cinema: Cinema, tell: TellServer
) -> None:
    """Tries go on with growing waits, and the one after Tell's return succeeds."""
    sold = await cinema.sell()
    for count in (1, 2, 3):
        purchase = await cinema.purchase_when(sold.purchase_id, tried(count))
        assert purchase.delivery.state is DeliveryState.PENDING
        assert purchase.delivery.last_status is None
        assert purchase.delivery.last_error == "no connection (ClientConnectorError)"
        cinema.later(seconds=5)
    await tell.start()
    cinema.later(seconds=30)
    purchase = await cinema.purchase_when(sold.purchase_id, is_settled)
    assert purchase.listen_url == LISTEN_URL
    assert len(tell.received) == 1


async def test_each_try_is_signed_anew_and_is_the_same_message(
    cinema_and_tell: Cinema, tell: TellServer
) -> None:
    """webhook-id and body stay, timestamp and signature are of the try (Standard Webhooks)."""
    tell.refusals = [problem(503, "intake-full", "later")]
    sold = await cinema_and_tell.sell()
    await cinema_and_tell.purchase_when(sold.purchase_id, tried(1))
    cinema_and_tell.later(seconds=10)
    await cinema_and_tell.purchase_when(sold.purchase_id, is_settled)
    first, second = tell.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    stamps = [int(each.headers["webhook-timestamp"]) for each in (first, second)]
    assert stamps[1] - stamps[0] == 10
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


@pytest.mark.both_databases
async def test_a_restart_goes_on_with_what_waits(
    database_url: str, clock: HandClock, tell: TellServer
) -> None:
    """The message, its id and its count of tries live in the database."""
    before = await open_cinema(database_url, clock, tell, seed_data=False)
    sold = await before.sell()
    await before.purchase_when(sold.purchase_id, tried(1))
    async with before.services.database.read() as connection:
        webhook_id = await connection.scalar(select(outbox.c.webhook_id))
    await before.client.close()
    await tell.start()
    clock.advance(minutes=1)
    after = await open_cinema(database_url, clock, tell, seed_data=False)
    purchase = await after.purchase_when(sold.purchase_id, is_settled)
    await after.client.close()
    assert purchase.listen_url == LISTEN_URL
    assert purchase.delivery.attempts == 2
    assert [each.headers["webhook-id"] for each in tell.received] == [webhook_id]


@pytest.mark.parametrize("status", [400, 409, 413, 422])
async def test_a_final_no_is_kept_with_what_tell_said(
    cinema_and_tell: Cinema, tell: TellServer, status: int
) -> None:
    """The same bytes would be refused for ever, so they are not sent again."""
    tell.refusals = [problem(status, "purchase-conflict", "another film")]
    sold = await cinema_and_tell.sell()
    purchase = await cinema_and_tell.purchase_when(sold.purchase_id, is_settled)
    assert purchase.delivery.state is DeliveryState.FAILED
    assert purchase.delivery.last_status == status
    assert purchase.delivery.last_error == "purchase-conflict: another film"
    other = await cinema_and_tell.put_on(auditorium_number="11")
    later = await cinema_and_tell.services.box_office.sell(other.showtime_id)
    await cinema_and_tell.purchase_when(later.purchase_id, is_settled)
    assert [each.notice["purchase_id"] for each in tell.received] == [
        sold.purchase_id,
        later.purchase_id,
    ]


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (partial(problem, 401, "webhook-refused", "no"), "webhook-refused: no"),
        (partial(problem, 403, "forbidden", "no"), "forbidden: no"),
        (partial(problem, 404, "not-found", "no"), "not-found: no"),
        (partial(problem, 429, "too-many", "no"), "too-many: no"),
        (partial(web.Response, status=500, text="<html>oops"), "Internal Server Error"),
        (partial(web.Response, status=302, headers={"Location": "/elsewhere"}), "Found"),
        (partial(web.Response, status=202, text="not json"), "an answer that cannot be read"),
        (partial(web.Response, status=202, text="[]"), "an answer that cannot be read"),
        (
            partial(web.json_response, {"correlation_id": "", "listen_url": LISTEN_URL}),
            "an answer without a usable correlation_id",
        ),
        (
            partial(
                web.json_response, {"correlation_id": "x", "listen_url": "javascript:alert(1)"}
            ),
            "an answer without a usable listen_url",
        ),
    ],
    ids=["401", "403", "404", "429", "500", "302", "text", "list", "no id", "script"],
)
async def test_what_may_pass_is_tried_again(
    cinema_and_tell: Cinema, tell: TellServer, refusal: Callable[[], web.Response], says: str
) -> None:
    """A key that Tell does not know yet, a Tell that fails: the sale waits and then arrives."""
    tell.refusals = [refusal()]
    sold = await cinema_and_tell.sell()
    waits = await cinema_and_tell.purchase_when(sold.purchase_id, tried(1))
    assert waits.delivery.state is DeliveryState.PENDING
    assert waits.delivery.last_error == says
    cinema_and_tell.later(seconds=60)
    purchase = await cinema_and_tell.purchase_when(sold.purchase_id, is_settled)
    assert purchase.listen_url == LISTEN_URL


@pytest.mark.both_databases
async def test_retry_after_is_kept_to(cinema_and_tell: Cinema, tell: TellServer) -> None:
    """Tell is not asked again before the time that it named, up to the longest wait."""
    tell.refusals = [problem(503, "intake-full", "later", Retry_After="20")]
    sold = await cinema_and_tell.sell()
    await cinema_and_tell.purchase_when(sold.purchase_id, tried(1))
    async with cinema_and_tell.services.database.read() as connection:
        due_at = await connection.scalar(select(outbox.c.next_attempt_at))
    assert due_at is not None
    assert (due_at - cinema_and_tell.clock.now).total_seconds() == 20


@pytest.mark.both_databases
async def test_one_that_arrives_frees_those_that_wait(cinema: Cinema, tell: TellServer) -> None:
    """When Tell is back, a new sale tells so, and the old ones need not wait out their pauses."""
    old = await cinema.sell()
    await cinema.purchase_when(old.purchase_id, tried(1))
    await tell.start()
    other = await cinema.put_on(auditorium_number="11")
    new = await cinema.services.box_office.sell(other.showtime_id)
    # The clock stands still: by itself the old message would never be due.
    arrived = await cinema.purchase_when(old.purchase_id, is_settled)
    assert arrived.delivery.state is DeliveryState.DELIVERED
    assert arrived.delivery.attempts == 2
    told = [each.notice["purchase_id"] for each in tell.received]
    assert sorted(told) == sorted([old.purchase_id, new.purchase_id])


@pytest.mark.both_databases
async def test_many_sales_all_arrive_once(cinema_and_tell: Cinema, tell: TellServer) -> None:
    """Forty at once, more than are sent at the same time."""
    screening = await cinema_and_tell.put_on()
    office = cinema_and_tell.services.box_office
    sold = await asyncio.gather(*(office.sell(screening.showtime_id) for _ in range(40)))
    for each in sold:
        await cinema_and_tell.purchase_when(each.purchase_id, is_settled)
    arrived = [each.notice["purchase_id"] for each in tell.received]
    assert sorted(arrived) == sorted(each.purchase_id for each in sold)


async def test_a_slow_tell_holds_up_no_sale(cinema: Cinema) -> None:
    """While one message hangs, the next sale is made and its message is sent."""
    answers, asked = asyncio.Event(), asyncio.Semaphore(0)

    async def hang(_request: web.Request) -> web.Response:
        asked.release()
        await answers.wait()
        return web.Response(status=503)

    app = web.Application()
    app.router.add_post("/tell/purchase", hang)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cinema.services.tell.point_at(f"http://127.0.0.1:{runner.addresses[0][1]}/")
    screening = await cinema.put_on()
    sold = []
    async with asyncio.timeout(20):
        for _ in range(3):
            sold.append(await cinema.services.box_office.sell(screening.showtime_id))
            await asked.acquire()
    # All three hang at Tell: none of them was answered, and each sale is there.
    for each in sold:
        hanging = await cinema.services.box_office.purchase(each.purchase_id)
        assert (hanging.delivery.attempts, hanging.delivery.last_status) == (0, None)
    answers.set()
    for each in sold:
        refused = await cinema.purchase_when(each.purchase_id, tried(1))
        assert refused.delivery.last_status == 503
    await runner.cleanup()


async def test_secrets_stay_out_of_the_log(
    cinema_and_tell: Cinema, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the listen link, nor the purchase's id, nor a signature is logged."""
    sold = await cinema_and_tell.sell()
    await cinema_and_tell.purchase_when(sold.purchase_id, is_settled)
    async with cinema_and_tell.client.get(f"/purchases/{sold.purchase_id}") as answer:
        assert LISTEN_URL in await answer.text()
    written = "".join(capsys.readouterr())
    assert "outbox.delivered" in written
    assert "/purchases/{purchase_id}" in written
    for secret in (LISTEN_URL, "claim-code", sold.purchase_id, "v1,"):
        assert secret not in written
