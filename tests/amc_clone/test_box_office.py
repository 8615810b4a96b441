"""Selling tickets."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select, text, update

from amc_clone.errors import (
    DatabaseError,
    PurchaseNotFoundError,
    ScreeningCancelledError,
    ScreeningEndedError,
    ScreeningNotFoundError,
)
from amc_clone.models import DeliveryState, ScreeningStatus
from amc_clone.schema import outbox, purchases, screenings
from tests.amc_clone.cinema import Cinema
from tests.amc_clone.partner import TellServer

pytestmark = pytest.mark.both_databases


async def counts(cinema: Cinema) -> tuple[int | None, int | None]:
    """How many purchases and messages there are."""
    async with cinema.services.database.read() as connection:
        return (
            await connection.scalar(select(func.count()).select_from(purchases)),
            await connection.scalar(select(func.count()).select_from(outbox)),
        )


async def test_a_sale_and_its_message_are_one(cinema: Cinema) -> None:
    """Both are there as soon as the sale is."""
    sold = await cinema.sell()
    assert await counts(cinema) == (1, 1)
    assert sold.delivery.state is DeliveryState.PENDING
    assert sold.listen_url is None


async def test_without_its_message_there_is_no_sale(cinema: Cinema) -> None:
    """When the message cannot be kept, the sale is taken back."""
    screening = await cinema.put_on()
    async with cinema.services.database.write() as connection:
        fail = {
            "sqlite": "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
            "mysql": "FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the disk is full'",
        }[connection.dialect.name]
        await connection.execute(text(f"CREATE TRIGGER no_room BEFORE INSERT ON outbox {fail}"))
    with pytest.raises(DatabaseError, match="the disk is full"):
        await cinema.services.box_office.sell(screening.showtime_id)
    assert await counts(cinema) == (0, 0)


async def test_a_latecomer_can_buy_until_the_credits_are_over(cinema: Cinema) -> None:
    """A minute before credits_end is sold, credits_end is not."""
    screening = await cinema.put_on(starts_in_min=-24)
    await cinema.services.box_office.sell(screening.showtime_id)
    cinema.clock.now = screening.credits_end
    with pytest.raises(ScreeningEndedError):
        await cinema.services.box_office.sell(screening.showtime_id)


async def test_a_cancelled_screening_is_not_sold(cinema: Cinema) -> None:
    """Nothing is kept of the attempt."""
    screening = await cinema.put_on()
    async with cinema.services.database.write() as connection:
        await connection.execute(
            update(screenings)
            .where(screenings.c.showtime_id == screening.showtime_id)
            .values(status=ScreeningStatus.CANCELLED)
        )
    with pytest.raises(ScreeningCancelledError):
        await cinema.services.box_office.sell(screening.showtime_id)
    assert await counts(cinema) == (0, 0)


async def test_what_is_unknown_is_not_found(cinema: Cinema) -> None:
    """An unknown screening, an unknown purchase, waited for or not."""
    with pytest.raises(ScreeningNotFoundError):
        await cinema.services.box_office.sell("st-nothing")
    with pytest.raises(PurchaseNotFoundError):
        await cinema.services.box_office.purchase("nothing")
    with pytest.raises(PurchaseNotFoundError):
        await cinema.services.box_office.settled("nothing", 5)


async def test_waiting_ends_with_the_answer(cinema: Cinema, tell: TellServer) -> None:
    """Who waits gets the purchase as soon as Tell has answered, not before."""
    sold = await cinema.sell()
    waits = asyncio.create_task(cinema.services.box_office.settled(sold.purchase_id, 20))
    await cinema.purchase_when(sold.purchase_id, lambda each: each.delivery.attempts == 1)
    assert not waits.done()
    await tell.start()
    cinema.later(seconds=5)
    assert (await waits).listen_url is not None


async def test_waiting_ends_with_the_time(cinema: Cinema) -> None:
    """Without an answer the purchase comes as it stands."""
    sold = await cinema.sell()
    waited = await cinema.services.box_office.settled(sold.purchase_id, 0.05)
    assert waited.delivery.state is DeliveryState.PENDING


async def test_waiting_ends_with_the_service(cinema: Cinema) -> None:
    """A stop does not wait for those who wait."""
    sold = await cinema.sell()
    waits = asyncio.create_task(cinema.services.box_office.settled(sold.purchase_id, 600))
    await cinema.purchase_when(sold.purchase_id, lambda each: each.delivery.attempts == 1)
    cinema.services.changes.close()
    async with asyncio.timeout(10):
        assert (await waits).delivery.state is DeliveryState.PENDING
