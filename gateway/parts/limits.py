"""The limits: counted here, or in the Redis of all replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from gateway.keys import LIMITS, METRICS, POLICIES, PROXIES, SETTINGS
from gateway.limits import Limits, Policies


async def limits(app: web.Application) -> AsyncIterator[None]:
    """Make the counts; raises SettingsError where the address of Redis is none."""
    settings = app[SETTINGS]
    gauge = app[METRICS].limits_shared
    app[PROXIES] = settings.server.proxies
    app[POLICIES] = Policies.of(settings.limits)
    app[LIMITS] = running = Limits(
        settings.limits.redis_url, shared_changed=lambda shared: gauge.set(shared)
    )
    yield
    await running.close()
