"""Changes of screenings: what the partner pushes, what is polled, and what its clock is worth."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

from aiohttp import web

from catalog.partner.client import PartnerClient
from catalog.partner.clock import UNMEASURED
from catalog.partner.clock_watch import ClockWatch
from catalog.screenings.polling import Polling
from catalog.screenings.screening_events import ScreeningEvents
from catalog.store.leases import Lease
from gateway.keys import (
    ANSWERS,
    BACKGROUND,
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
    )
    await watch.start()
    for name in settings.partners:
        offset, bound = partial(_offset_s, app, name), partial(_bound_s, app, name)
        metrics.watch(metrics.partner_clock_offset.labels(name), offset)
        metrics.watch(metrics.partner_clock_bound.labels(name), bound)
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
    app[BACKGROUND].watch("clock watch", watch)
    app[BACKGROUND].watch("polling", polling)
    yield
    await polling.stop()
    await watch.stop()


def _offset_s(app: web.Application, environment: str) -> float:
    known = app[CLOCK_WATCH].known(environment)
    return (UNMEASURED if known is None else known).offset_us * _MICROSECOND_S


def _bound_s(app: web.Application, environment: str) -> float:
    """The bound as it stands now: it grows while nothing is measured."""
    known = app[CLOCK_WATCH].known(environment)
    bound_us = UNMEASURED.bound_us if known is None else known.bound_at(app[CLOCK]())
    return bound_us * _MICROSECOND_S
