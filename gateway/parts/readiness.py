"""What /readyz asks: the database, the storage, the workers, and each partner with its clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from aiohttp import web

from catalog.partner.answer_cache import AnswerCache
from catalog.partner.answers import Answers
from catalog.partner.breaker import BreakerState
from catalog.partner.clock import PartnerClock
from gateway.health import (
    Background,
    Probe,
    ProbeError,
    Readiness,
    probe_folder,
    probe_partner,
)
from gateway.keys import (
    ANSWER_CACHE,
    ANSWERS,
    BACKGROUND,
    CLOCK,
    CLOCK_WATCH,
    DATABASE,
    LIMITS,
    READINESS,
    SESSION,
    SETTINGS,
    STORAGE,
    TEAM,
    VITAL,
    WEBHOOK_KEYS,
)
from media.s3_address import is_s3

# As the alert TellClockUnsure has it (deploy/prometheus/alerts.yml).
_CLOCK_BOUND_US = 1_000_000


async def readiness(app: web.Application) -> AsyncIterator[None]:
    """Gather the probes."""
    settings = app[SETTINGS]
    # Each part puts its workers there when it has started them.
    app[VITAL], app[BACKGROUND] = Background(), Background()
    app[BACKGROUND].watch("webhook keys", app[WEBHOOK_KEYS])
    probes = {
        "database": Probe(app[DATABASE].ping, needed=True),
        "storage": Probe(partial(_probe_storage, app), needed=True),
        # Without them purchases are refused, or listeners hear of no change: another replica is
        # better. What the others do, a replica that is well does for all.
        "serving": Probe(app[VITAL].probe, needed=True),
        "background": Probe(app[BACKGROUND].probe, needed=False),
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
        # What it says of a start is good to the bound that listeners are told.
        probes[f"clock.{name}"] = Probe(partial(_probe_clock, app, name), needed=False)
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


async def _probe_clock(app: web.Application, environment: str) -> str:
    """How the partner's clock stands; raises ProbeError where that is known too badly."""
    watch = app[CLOCK_WATCH]
    if watch.known(environment) is None:
        # Another replica may have measured it since this one began.
        await watch.look()
    known: PartnerClock | None = watch.known(environment)
    if known is None:
        raise ProbeError("never measured")
    bound_us = known.bound_at(app[CLOCK]())
    said = f"{known.offset_us / 1e6:+.3f} s ± {bound_us / 1e6:.3f} s"
    if bound_us > _CLOCK_BOUND_US:
        raise ProbeError(said)
    return said


async def _probe_breaker(answers: Answers) -> str:
    """How the circuit breaker stands; raises ProbeError unless it is closed."""
    if answers.state is not BreakerState.CLOSED:
        raise ProbeError(answers.state.value)
    return answers.state.value
