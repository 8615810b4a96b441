"""Changes of screenings: what the partner pushes, what is polled, and what its clock is worth."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from aiohttp import web

from catalog.partner.client import PartnerClient
from catalog.partner.clock import PartnerClock
from catalog.partner.clock_watch import ClockWatch
from catalog.screenings.polling import Polling
from catalog.screenings.screening_events import ScreeningEvents
from catalog.store.leases import Lease
from gateway.keys import (
    ANSWERS,
    CLOCK,
    CLOCK_WATCH,
    DATABASE,
    EVENT_FEED,
    METRICS,
    POLLING,
    SCREENING_EVENTS,
    SESSION,
    SETTINGS,
)

_MICROSECOND_S = 1e-6
_LEASE_TTL = timedelta(seconds=30)


async def changes(app: web.Application) -> AsyncIterator[None]:
    """Run the watch of the partners' clocks and the polling, and take events."""
    settings, metrics = app[SETTINGS], app[METRICS]
    database, clock, feed, answers = app[DATABASE], app[CLOCK], app[EVENT_FEED], app[ANSWERS]
    holder = secrets.token_hex(8)
    # Longer than from one measurement to the next, or it would wander.
    clock_lease = timedelta(seconds=3 * settings.polling.clock_every_s)

    def measured(environment: str, known: PartnerClock, now: datetime) -> None:
        offset_s, bound_s = known.offset_us * _MICROSECOND_S, known.bound_at(now) * _MICROSECOND_S
        metrics.partner_clock_offset.labels(environment).set(offset_s)
        metrics.partner_clock_bound.labels(environment).set(bound_s)

    app[CLOCK_WATCH] = watch = ClockWatch(
        database,
        {
            name: PartnerClient(app[SESSION], partner.base_url, settings.enrichment.timeout_s)
            for name, partner in settings.partners.items()
        },
        clock,
        Lease(database, clock, "clock-watch", holder, clock_lease),
        every_s=settings.polling.clock_every_s,
        on_change=feed.kick,
        on_measured=measured,
    )
    await watch.start()
    app[SCREENING_EVENTS] = ScreeningEvents(
        database, clock, on_change=feed.kick, measure=watch.measure
    )
    app[POLLING] = polling = Polling(
        database,
        answers,
        clock,
        Lease(database, clock, "polling", holder, _LEASE_TTL),
        intervals=settings.polling.intervals,
        concurrency=settings.polling.concurrency,
        on_change=feed.kick,
        on_poll=lambda environment, outcome: metrics.polls.labels(environment, outcome).inc(),
    )
    await polling.start()
    yield
    await polling.stop()
    await watch.stop()
