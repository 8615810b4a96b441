"""The webhook keys of a running gateway, read again and again: so a revocation reaches it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import structlog

from catalog.errors import DatabaseError
from catalog.keys.webhook_keys import KeyStore, OpenKey
from catalog.keys.webhooks import WebhookKeySet
from catalog.workers import ended, is_alive, spawn

log = structlog.get_logger()

# The longest that a revoked key still opens a running gateway.
_REFRESH_S = 2.0


class LiveKeys:
    """The key sets of *environments* (by environment, the key id that names it).

    While the database cannot be read the keys of the last reading stay: nothing that they sign can
    be stored meanwhile either.
    """

    def __init__(
        self, store: KeyStore, environments: Mapping[str, str], *, refresh_s: float = _REFRESH_S
    ) -> None:
        self._store = store
        self._environments = environments
        self._refresh_s = refresh_s
        self._keys: list[OpenKey] = []
        self._closed: frozenset[tuple[str, str]] = frozenset()
        self._sets: dict[str, WebhookKeySet] = {}
        self._sets_end: datetime | None = None
        self._stale = True
        self._stopping = asyncio.Event()
        self._readings = asyncio.Condition()
        self._worker: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """Whether the worker is at work: False before start, after stop, and after a bug."""
        return is_alive(self._worker)

    async def start(self) -> None:
        """Read the keys, and begin to read them again and again; raises DatabaseError."""
        await self.refresh()
        self._worker = spawn(self._run(), "webhook keys")

    async def stop(self) -> None:
        """End."""
        self._stopping.set()
        await ended(self._worker)

    async def refresh(self) -> None:
        """Read the keys now; raises DatabaseError."""
        keys, closed = await self._store.opened()
        unopened = frozenset((key.environment, key.name) for key in closed)
        for environment, name in sorted(unopened - self._closed):
            log.error("webhook_key_not_opened", environment=environment, key=name)
        self._closed = unopened
        if keys != self._keys:
            log.info("webhook_keys", keys=[f"{k.key.environment}/{k.key.name}" for k in keys])
        self._keys, self._stale = keys, True

    async def read_again(self) -> None:
        """Wait for the next try to read the keys, whatever becomes of it."""
        async with self._readings:
            await self._readings.wait()

    def key_sets(self, now: datetime) -> Mapping[str, WebhookKeySet]:
        """The sets of *now* by their key ids; one without a secret verifies nothing."""
        if self._stale or (self._sets_end is not None and now >= self._sets_end):
            self._build(now)
        return self._sets

    def without_keys(self, now: datetime) -> list[str]:
        """The environments whose messages nothing verifies."""
        sets = self.key_sets(now)
        return [name for name, key_id in self._environments.items() if not sets[key_id].secrets]

    def _build(self, now: datetime) -> None:
        secrets = defaultdict(list)
        for each in self._keys:
            if each.key.verifies(now):
                secrets[each.key.environment].append(each.secret)
        self._sets = {
            key_id: WebhookKeySet(environment, key_id, tuple(secrets[environment]))
            for environment, key_id in self._environments.items()
        }
        ends = [each.key.retires_at for each in self._keys if each.key.retires_at is not None]
        self._sets_end = min((end for end in ends if end > now), default=None)
        self._stale = False

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout(self._refresh_s):
                    await self._stopping.wait()
            except TimeoutError:
                try:
                    await self.refresh()
                except DatabaseError as error:
                    log.warning("webhook_keys_not_read", error=str(error))
                async with self._readings:
                    self._readings.notify_all()
