"""Whatever the partner does, every purchase that was answered 202 becomes a ticket in the end."""

from __future__ import annotations

import random

import pytest

from tests.gateway.town import Sold, bearer
from tests.partner_faults.proxy import Fault
from tests.partner_faults.world import World

EVERY_STATE = {"closed", "open", "half_open"}


async def heal(world: World) -> None:
    """The partner is well again, and Tell gets the time that it needs to find out."""
    world.partner.fault = Fault.NONE
    await world.pass_time(minutes=2, step_s=20)


async def assert_all_enriched(world: World, sold: list[Sold]) -> None:
    """Each purchase is a ticket, once."""
    states = [await world.state_of(each) for each in sold]
    assert states == [("enriched", None)] * len(sold)
    assert await world.purchases() == len(sold)
    assert f"tell_purchases_enriched_total {float(len(sold))}" in await world.text("/metrics")


# Gone for an hour is the next one.
@pytest.mark.both_databases
@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.FAILING, Fault.GARBAGE])
async def test_all_are_enriched_after_an_hour_of(hasty: World, fault: Fault) -> None:
    """Purchases go on being taken meanwhile, and nothing that cannot be true is stored."""
    screenings = [await hasty.show() for _ in range(3)]
    hasty.partner.fault = fault
    sold = []
    for screening in screenings:
        sold += [await hasty.sell(screening), await hasty.sell(screening)]
        # Long steps: each costs a trial, and a slow one takes its whole time-out.
        await hasty.pass_time(minutes=20, step_s=300)
    assert {(await hasty.state_of(each))[0] for each in sold} == {"accepted"}
    await heal(hasty)
    await assert_all_enriched(hasty, sold)
    if fault is not Fault.GARBAGE:
        assert hasty.states_seen == EVERY_STATE
    assert await hasty.breaker() == "closed"


async def test_an_hour_without_a_partner(world: World) -> None:
    """The breaker lets about one look-up a minute through; a ticket comes soon after the hour."""
    screenings = [await world.show(starts_in=5400) for _ in range(12)]
    world.partner.fault = Fault.GONE
    dice = random.Random(1895)  # noqa: S311  (a reproducible order, no secret)
    sold = []
    for _ in range(30):
        sold.append(await world.sell(dice.choice(screenings)))
        await world.pass_time(minutes=2, step_s=60)
    # Five to open it, and then its trials: twelve showtimes do not make twelve times as many.
    # aiohttp itself sends a GET a second time where a connection breaks off.
    assert world.partner.asked <= 2 * (5 + 70)
    assert world.states_seen == EVERY_STATE
    await heal(world)
    await assert_all_enriched(world, sold)


async def test_a_partner_that_does_something_else_each_minute(hasty: World) -> None:
    """Slow, failing, garbage, gone and well by turns, for half an hour."""
    dice = random.Random(7)  # noqa: S311  (a reproducible order, no secret)
    screenings = [await hasty.show(starts_in=3600) for _ in range(5)]
    sold = []
    for _ in range(30):
        hasty.partner.fault = dice.choice(list(Fault))
        sold.append(await hasty.sell(dice.choice(screenings)))
        await hasty.pass_time(minutes=1, step_s=60)
    await heal(hasty)
    await assert_all_enriched(hasty, sold)


async def test_readyz_tells_of_the_breaker(world: World) -> None:
    """While it is open the gateway is degraded and still serves; closed, it says so."""
    screening = await world.show()
    async with world.tell.get("/readyz") as answer:
        assert (await answer.json())["checks"]["breaker.local"] == {
            "ok": True,
            "needed": False,
            "detail": "closed",
        }
    for _ in range(5):
        world.partner.fault = Fault.FAILING
        await world.sell(screening)
        await world.settle()
        world.clock.advance(seconds=60)
    assert await world.breaker() == "half_open"
    world.clock.advance(seconds=-59)
    assert await world.breaker() == "open"


async def test_a_known_showtime_needs_no_partner(world: World) -> None:
    """Who buys while the partner is gone has her ticket at once, if another has bought before."""
    screening = await world.show(starts_in=3600)
    first = await world.sell(screening)
    await world.is_enriched(first.correlation_id)
    world.partner.fault = Fault.GONE
    world.clock.advance(minutes=5)
    late = await world.sell(screening)
    await world.is_enriched(late.correlation_id)
    assert 'tell_partner_answers_total{environment="local",outcome="stale"} 1.0' in (
        await world.text("/metrics")
    )


async def test_a_listener_hears_calmly_of_what_takes_long(world: World) -> None:
    """While it is looked up her ticket says accepted, and when to ask again: later and later."""
    screening = await world.show(starts_in=3600)
    world.partner.fault = Fault.GONE
    sold = await world.sell(screening)
    listener = await world.claim(sold)
    asked = []
    for minutes in (0, 1, 30):
        await world.pass_time(minutes=minutes, step_s=60)
        path = f"/media/audio/the-general?ticket={sold.correlation_id}"
        async with world.tell.get(path, headers=bearer(listener)) as answer:
            assert answer.status == 409
            assert (await answer.json(content_type=None))["code"] == "not-enriched"
            asked.append(int(answer.headers["Retry-After"]))
    assert asked == [2, 6, 30]
