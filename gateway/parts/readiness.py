"""What /readyz asks: the database, the storage, and each partner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from aiohttp import web

from catalog.partner.answer_cache import AnswerCache
from catalog.partner.answers import Answers
from catalog.partner.breaker import BreakerState
from gateway.health import Probe, ProbeError, Readiness, probe_folder, probe_partner
from gateway.keys import (
    ANSWER_CACHE,
    ANSWERS,
    CLOCK,
    DATABASE,
    LIMITS,
    READINESS,
    SESSION,
    SETTINGS,
    STORAGE,
    TEAM,
    WEBHOOK_KEYS,
)
from media.s3_address import is_s3


async def readiness(app: web.Application) -> AsyncIterator[None]:
    """Gather the probes."""
    settings = app[SETTINGS]
    probes = {
        "database": Probe(app[DATABASE].ping, needed=True),
        "storage": Probe(partial(_probe_storage, app), needed=True),
    }
    probes["webhook-keys"] = Probe(partial(_probe_keys, app), needed=False)
    if TEAM in app:
        # Those that run take the others' connections.
        probes["workers"] = Probe(app[TEAM].probe, needed=False)
    if settings.limits.redis_url:
        # Each replica limits by itself meanwhile.
        probes["limits"] = Probe(app[LIMITS].probe, needed=False)
    if settings.enrichment.cache_url.startswith("redis"):
        probes["answers"] = Probe(partial(_probe_answers, app[ANSWER_CACHE]), needed=False)
    for name, partner in settings.partners.items():
        # Purchases are taken and tracks play while the partner is down.
        ask = partial(probe_partner, app[SESSION], partner.base_url)
        probes[f"partner.{name}"] = Probe(ask, needed=False)
        probes[f"breaker.{name}"] = Probe(partial(_probe_breaker, app[ANSWERS][name]), needed=False)
    app[READINESS] = Readiness(probes, app[TEAM].slot if TEAM in app else None)
    yield


async def _probe_storage(app: web.Application) -> None:
    """Raise ProbeError or StorageError unless the storage answers."""
    root = app[SETTINGS].media.root
    if is_s3(root):
        await app[STORAGE].folders("tracks")
    else:
        await probe_folder(Path(root))


async def _probe_keys(app: web.Application) -> None:
    """Raise ProbeError where no key of an environment is good: nothing of it could be verified."""
    if missing := app[WEBHOOK_KEYS].without_keys(app[CLOCK]()):
        raise ProbeError(f"no good webhook key for {', '.join(missing)}")


async def _probe_answers(cache: AnswerCache) -> None:
    """Raise ProbeError where Redis does not keep the partners' answers just now."""
    if not await cache.is_shared():
        raise ProbeError("Redis does not answer: each replica keeps the partners' answers itself")


async def _probe_breaker(answers: Answers) -> str:
    """How the circuit breaker stands; raises ProbeError unless it is closed."""
    if answers.state is not BreakerState.CLOSED:
        raise ProbeError(answers.state.value)
    return answers.state.value
