"""AMC-clone's clock is off, and the film starts when it starts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from gateway import keys
from tests.gateway.town import Clients, HandClock
from tests.partner_faults.proxy import FaultyPartner
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


async def test_a_clock_that_nobody_could_measure_is_not_believed(
    tmp_path: Path,
    amc: TestServer,
    clock: HandClock,
    partner_clock: OtherClock,
    aiohttp_client: Clients,
    partner: FaultyPartner,
    database_url: str,
) -> None:
    """A partner without /time: the bound covers what an unmeasured clock may be off, 90 s too."""
    partner_clock.off = timedelta(seconds=90)
    partner.refused = {"/time"}
    world = await open_world(tmp_path, amc, clock, aiohttp_client, partner, database_url)
    truly = clock.now + timedelta(minutes=20)
    sold = await world.sell(await world.show(starts_in=1200 + 90))
    await world.is_enriched(sold.correlation_id)
    shown = (await world.tell.app[keys.TICKETS].by_correlation(sold.correlation_id)).screening
    assert shown is not None
    bound_ms = shown.movie_start_bound_ms - SCHEDULE_BOUND_MS
    assert abs(shown.movie_start - truly) <= timedelta(milliseconds=bound_ms)
