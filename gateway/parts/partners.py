"""The connections to the partners, and what is kept of their answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import aiohttp
from aiohttp import web

from catalog.partner.answer_cache import AnswerCache
from catalog.partner.answers import AnswerOutcome, Answers
from catalog.partner.breaker import BreakerState
from catalog.partner.client import PartnerClient
from gateway.keys import ANSWER_CACHE, ANSWERS, CLOCK, ENRICHMENT, METRICS, SESSION, SETTINGS


async def partners(app: web.Application) -> AsyncIterator[None]:
    """Open the session in which partners are asked; raises CacheUrlError."""
    settings = app[SETTINGS].enrichment
    longest_s = max(settings.fresh_s, settings.stale_s, 1.0)
    gauge = app[METRICS].answers_shared
    app[ANSWER_CACHE] = cache = AnswerCache(
        settings.cache_url, timedelta(seconds=longest_s), shared_changed=gauge.set
    )
    async with aiohttp.ClientSession() as session:
        app[SESSION] = session
        app[ANSWERS] = answers = {
            name: Answers(
                name,
                PartnerClient(session, partner.base_url, settings.timeout_s),
                cache,
                app[CLOCK],
                settings.rules,
                on_outcome=partial(_count, app, name),
                on_turn=partial(_turned, app, name),
            )
            for name, partner in app[SETTINGS].partners.items()
        }
        for name, its in answers.items():
            app[METRICS].watch_breaker(name, its)
        yield
        for its in answers.values():
            await its.close()
    await cache.close()


def _count(app: web.Application, environment: str, outcome: AnswerOutcome) -> None:
    app[METRICS].answers.labels(environment, outcome.value).inc()


def _turned(app: web.Application, environment: str, state: BreakerState) -> None:
    if state is BreakerState.CLOSED and ENRICHMENT in app:
        app[ENRICHMENT].recovered(environment)
