"""How often somebody may come: limits counted in memory, or in a Redis that all replicas share.

Where Redis is gone each replica counts for itself, and says so: a limit that is too generous for a
while is better than purchases that are refused.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from gateway.health import ProbeError
from gateway.settings import LimitsSettings
from media.settings import SettingsError

log = structlog.get_logger(__name__)

_WINDOW_S = 60
# So long a request may wait for Redis, and so long it is then left alone.
_REDIS_TIMEOUT_S = 0.25
_REDIS_PAUSE_S = 5.0
_REDIS_CONNECTIONS = 50

_Store = MemoryStorage | RedisStorage


@dataclass(frozen=True, slots=True)
class Policy:
    """At most `quota` requests of one client in any `window_s` seconds."""

    name: str
    quota: int
    window_s: int = _WINDOW_S

    @property
    def item(self) -> RateLimitItemPerSecond:
        """The same for the limits library; the name keeps its counts apart from other policies'."""
        return RateLimitItemPerSecond(self.quota, self.window_s, namespace=f"tell-{self.name}")


@dataclass(frozen=True, slots=True)
class Policies:
    """Every limit that there is."""

    partner_ip: Policy
    purchases_key: Policy
    screening_events_key: Policy
    claim_guesses_ip: Policy
    playback_listener: Policy
    ops_logins_ip: Policy

    @classmethod
    def of(cls, settings: LimitsSettings) -> Policies:
        """The policies of [limits]."""
        return cls(
            partner_ip=Policy("partner-ip", settings.partner_per_minute_by_ip),
            purchases_key=Policy("purchases-key", settings.purchases_per_minute_by_key),
            screening_events_key=Policy(
                "screening-events-key", settings.screening_events_per_minute_by_key
            ),
            claim_guesses_ip=Policy("claim-guesses-ip", settings.claim_guesses_per_minute_by_ip),
            playback_listener=Policy("playback-listener", settings.playback_per_minute_by_listener),
            ops_logins_ip=Policy("ops-logins-ip", settings.ops_logins_per_minute_by_ip),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a client stands in a policy: what remains, and in how many seconds there is more."""

    policy: Policy
    allowed: bool
    remaining: int
    reset_s: int


class Limits:
    """Counts by policy and client. *shared_changed* is told whether the counts are shared now."""

    def __init__(
        self,
        redis_url: str = "",
        *,
        shared_changed: Callable[[bool], None] = lambda shared: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._local = MemoryStorage()
        self._pool = _pool(redis_url) if redis_url else None
        self._shared: RedisStorage | None = None
        if self._pool is not None:
            self._shared = RedisStorage(
                redis_url,
                implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type]  # passed through to redis
            )
        self._shared_changed = shared_changed
        self._monotonic = monotonic
        self._local_until = -math.inf
        self._is_shared = self._shared is not None
        shared_changed(self._is_shared)

    async def take(self, policy: Policy, client: str) -> Standing:
        """Count one request of *client*; a request beyond the quota is not counted."""
        return await self._ask(policy, client, counted=True)

    async def look(self, policy: Policy, client: str) -> Standing:
        """Where *client* stands, without counting."""
        return await self._ask(policy, client, counted=False)

    async def probe(self) -> None:
        """Raise ProbeError where Redis is configured and does not count just now."""
        if self._shared is None:
            return
        try:
            await self._shared.get("tell-probe")
        except RedisError as error:
            raise ProbeError("Redis does not answer: each replica limits by itself") from error

    async def close(self) -> None:
        """Close the connections to Redis."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _ask(self, policy: Policy, client: str, *, counted: bool) -> Standing:
        if self._shared is not None and self._monotonic() >= self._local_until:
            try:
                standing = await _standing(self._shared, policy, client, counted=counted)
            except RedisError as error:
                # The driver's words may hold the address, and with it a password.
                log.warning("limits_local", error=type(error).__name__, retry_s=_REDIS_PAUSE_S)
                self._local_until = self._monotonic() + _REDIS_PAUSE_S
                self._now_shared(shared=False)
            else:
                self._now_shared(shared=True)
                return standing
        return await _standing(self._local, policy, client, counted=counted)

    def _now_shared(self, *, shared: bool) -> None:
        if shared != self._is_shared:
            self._is_shared = shared
            self._shared_changed(shared)


async def _standing(store: _Store, policy: Policy, client: str, *, counted: bool) -> Standing:
    item = policy.item
    key, window_s = item.key_for(client), item.get_expiry()
    allowed = True
    if counted:
        allowed = await store.acquire_sliding_window_entry(key, policy.quota, window_s)
    before, before_s, here, here_s = await store.get_sliding_window(key, window_s)
    # A sliding window: of the window before this one only the part that still lies within counts.
    used = before * before_s / window_s + here
    if not counted:
        allowed = used + 1 <= policy.quota
    # One more is free when so much of the window before has slid out; without any, when this one
    # is the window before.
    more_s = before_s % (window_s / before) if before else here_s - window_s
    return Standing(
        policy,
        allowed,
        remaining=max(0, math.floor(policy.quota - used)),
        reset_s=min(max(math.ceil(more_s), 1), window_s),
    )


def _pool(redis_url: str) -> ConnectionPool:
    try:
        return ConnectionPool.from_url(
            redis_url,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            max_connections=_REDIS_CONNECTIONS,
            # A try of ours is one try: the request waits, and the local count stands by.
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        # `from None`: the cause may show a password.
        raise SettingsError(
            "limits.redis_url is no address of a Redis; write redis://host:6379/0"
        ) from None
