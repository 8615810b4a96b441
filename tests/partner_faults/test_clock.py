"""AMC-clone's clock is off, and the film starts when it starts."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from amc_clone.app import SERVICES
from amc_clone.facts import details_json
from gateway import keys
from tests.gateway.town import Clients, HandClock
from tests.partner_faults.proxy import Fault, FaultyPartner
from tests.partner_faults.world import OtherClock, open_world

SCHEDULE_BOUND_MS = 300_000


@pytest.mark.parametrize("off_s", [90, -90])
async def test_a_clock_90_s_off_is_corrected_for(
    tmp_path: Path,
    amc: TestServer,
    clock: HandClock,
    partner_clock: OtherClock,
    partner: FaultyPartner,
    aiohttp_client: Clients,
    database_url: str,
    off_s: float,
) -> None:
    """movie_start is right by Tell's clock to the stated bound, which says what the clock adds."""
    partner_clock.off = timedelta(seconds=off_s)
    world = await open_world(tmp_path, amc, clock, aiohttp_client, partner, database_url)
    truly = clock.now + timedelta(minutes=20)
    # What the cinema means by this start it writes down by its own clock.
    screening = await world.show(starts_in=1200 + off_s)
    assert screening.movie_start == truly + partner_clock.off
    sold = await world.sell(screening)
    await world.is_enriched(sold.correlation_id)
    shown = (await world.tell.app[keys.TICKETS].by_correlation(sold.correlation_id)).screening
    assert shown is not None
    clock_bound_ms = shown.movie_start_bound_ms - SCHEDULE_BOUND_MS
    assert 0 < clock_bound_ms < 1000
    assert abs(shown.movie_start - truly) <= timedelta(milliseconds=clock_bound_ms)
    assert shown.credits_end - shown.movie_start == screening.credits_end - screening.movie_start


@pytest.mark.parametrize("time", ["missing", "garbage"])
async def test_a_clock_that_nobody_could_measure_is_not_believed(
    tmp_path: Path,
    amc: TestServer,
    clock: HandClock,
    partner_clock: OtherClock,
    aiohttp_client: Clients,
    partner: FaultyPartner,
    database_url: str,
    time: str,
) -> None:
    """Without a /time of any use the bound covers what an unmeasured clock may be off, 90 s too."""
    partner_clock.off = timedelta(seconds=90)
    partner.refused = {"/time"} if time == "missing" else set()
    partner.fault = Fault.GARBAGE if time == "garbage" else Fault.NONE
    world = await open_world(tmp_path, amc, clock, aiohttp_client, partner, database_url)
    assert world.tell.app[keys.CLOCK_WATCH].known("local") is None
    # The details are right at once, and the clock is no better known.
    partner.refused, partner.fault = {"/time"}, Fault.NONE
    truly = clock.now + timedelta(minutes=20)
    sold = await world.sell(await world.show(starts_in=1200 + 90))
    await world.is_enriched(sold.correlation_id)
    shown = (await world.tell.app[keys.TICKETS].by_correlation(sold.correlation_id)).screening
    assert shown is not None
    bound_ms = shown.movie_start_bound_ms - SCHEDULE_BOUND_MS
    assert abs(shown.movie_start - truly) <= timedelta(milliseconds=bound_ms)


@pytest.mark.parametrize("off_s", [90, -90])
async def test_a_start_that_is_pushed_by_a_clock_90_s_off_is_right(
    tmp_path: Path,
    amc: TestServer,
    clock: HandClock,
    partner_clock: OtherClock,
    partner: FaultyPartner,
    aiohttp_client: Clients,
    database_url: str,
    off_s: float,
) -> None:
    """AMC-clone stamps and signs it by that clock; listeners are told the moment of the press."""
    partner_clock.off = timedelta(seconds=off_s)
    world = await open_world(tmp_path, amc, clock, aiohttp_client, partner, database_url)
    screening = await world.show(starts_in=off_s - 60)
    sold = await world.sell(screening)
    await world.is_enriched(sold.correlation_id)
    clock.advance(minutes=5)
    begun = await amc.app[SERVICES].desk.start(screening.showtime_id)
    assert begun.movie_start == partner_clock()
    event = {"type": "screening.started", "data": details_json(begun)}
    body = json.dumps(event).encode()
    # A signature's instant is by the partner's clock too.
    headers = world.sign(body, age_s=-int(off_s))
    async with world.tell.post("/tell/screening-events", data=body, headers=headers) as answer:
        assert (await answer.json())["outcome"] == "applied"
    shown = (await world.tell.app[keys.TICKETS].by_correlation(sold.correlation_id)).screening
    assert shown is not None
    # 100 ppm of five minutes, and what the press itself is good to.
    assert shown.movie_start_bound_ms <= 100
    assert abs(shown.movie_start - clock.now) <= timedelta(milliseconds=shown.movie_start_bound_ms)
