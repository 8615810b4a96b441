from __future__ import annotations

import asyncio

import pytest

from catalog.errors import DeviceLimitError, TicketNotFoundError
from catalog.listeners.claims import Claims
from catalog.purchases.intake import Intake
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from tests.catalog.samples import accept, notice, purchase_row


@pytest.fixture
async def bought(intake: Intake) -> str:
    """Correlation id of a purchase."""
    return await accept(intake, "prod", notice(), "msg-1")


async def test_the_first_claim_makes_a_listener(
    database: Database, claims: Claims, tickets: Tickets, bought: str
) -> None:
    """A device that is nobody yet becomes a listener, and the purchase's user."""
    listener = await claims.claim(bought, "device-1", None)
    assert len(listener) == 26
    assert (await purchase_row(database, bought)).user_id == listener
    assert (await tickets.get(listener, bought)).correlation_id == bought


async def test_the_same_device_comes_again(database: Database, claims: Claims, bought: str) -> None:
    """The same nonce gives the same listener, with and without saying who it is."""
    listener = await claims.claim(bought, "device-1", None)
    assert await claims.claim(bought, "device-1", None) == listener
    assert await claims.claim(bought, "device-1", listener) == listener
    for number in range(2, 6):
        await claims.claim(bought, f"device-{number}", None)
    assert await claims.claim(bought, "device-1", None) == listener


async def test_the_same_device_twice_at_once(claims: Claims, bought: str) -> None:
    """Two claims of one device that race give one listener."""
    found = await asyncio.gather(*(claims.claim(bought, "device-1", None) for _ in range(5)))
    assert len(set(found)) == 1


async def test_another_device_is_another_listener(
    database: Database, claims: Claims, tickets: Tickets, bought: str
) -> None:
    """A second device holds the ticket too, and the user stays the first one."""
    first = await claims.claim(bought, "device-1", None)
    second = await claims.claim(bought, "device-2", None)
    assert first != second
    assert (await purchase_row(database, bought)).user_id == first
    assert (await tickets.get(second, bought)).correlation_id == bought


async def test_a_listener_gathers_tickets(
    intake: Intake, claims: Claims, tickets: Tickets, bought: str
) -> None:
    """A device that is a listener already adds the next ticket to that listener."""
    listener = await claims.claim(bought, "device-1", None)
    other = await accept(intake, "prod", notice(purchase_id="p-2"), "msg-2")
    assert await claims.claim(other, "device-1", listener) == listener
    assert {t.correlation_id for t in await tickets.of_listener(listener)} == {bought, other}


async def test_a_device_that_is_another_listener_by_now_takes_its_ticket_along(
    intake: Intake, claims: Claims, tickets: Tickets, bought: str
) -> None:
    """A claim with a bearer moves the device's place to that listener, and takes no second one."""
    before = await claims.claim(bought, "device-1", None)
    other = await accept(intake, "prod", notice(purchase_id="p-2"), "msg-2")
    now = await claims.claim(other, "device-1", None)
    assert await claims.claim(bought, "device-1", now) == now
    assert await tickets.of_listener(before) == []
    for number in range(2, 6):
        await claims.claim(bought, f"device-{number}", None)
    with pytest.raises(DeviceLimitError):
        await claims.claim(bought, "device-6", None)


async def test_a_forgotten_listener_becomes_a_new_one(claims: Claims, bought: str) -> None:
    """A listener id that is not stored any more is not brought back."""
    listener = await claims.claim(bought, "device-1", "a" * 26)
    assert listener != "a" * 26


async def test_five_devices_and_no_sixth(claims: Claims, bought: str) -> None:
    """The sixth device is refused until one of the five lets go, also when many race."""
    results = await asyncio.gather(
        *(claims.claim(bought, f"device-{number}", None) for number in range(8)),
        return_exceptions=True,
    )
    held = [result for result in results if isinstance(result, str)]
    refused = [result for result in results if isinstance(result, DeviceLimitError)]
    assert (len(held), len(refused)) == (5, 3)
    assert refused[0].limit == 5
    await claims.release(held[0], bought)
    await claims.claim(bought, "device-9", None)


async def test_release_takes_the_ticket_away(
    database: Database, claims: Claims, tickets: Tickets, bought: str
) -> None:
    """After a release the ticket is not the listener's; whoever bought it can claim it again."""
    listener = await claims.claim(bought, "device-1", None)
    await claims.release(listener, bought)
    assert await tickets.of_listener(listener) == []
    with pytest.raises(TicketNotFoundError):
        await tickets.get(listener, bought)
    with pytest.raises(TicketNotFoundError):
        await claims.release(listener, bought)
    assert await claims.claim(bought, "device-1", listener) == listener


async def test_what_is_not_there_cannot_be_claimed_or_released(claims: Claims, bought: str) -> None:
    """An unknown purchase, and a ticket of somebody else, are told alike."""
    with pytest.raises(TicketNotFoundError):
        await claims.claim("a" * 20, "device-1", None)
    await claims.claim(bought, "device-1", None)
    stranger = await claims.claim(bought, "device-2", None)
    await claims.release(stranger, bought)
    with pytest.raises(TicketNotFoundError):
        await claims.release(stranger, bought)
