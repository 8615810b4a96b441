"""The partner's answers, kept for a while: in this process's memory, or in a Redis for all.

What is kept helps and is never needed. While a Redis is away each process has what it was told
itself; the partner is asked a little more often, and nothing else.
"""

from __future__ import annotations

import asyncio
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cashews import Cache
from cashews.exceptions import CacheError

from catalog.errors import CacheUrlError
from catalog.instants import parse_instant

log = structlog.get_logger()

# About a kilobyte each; the ones that were not used for longest go first.
_MEMORY_ENTRIES = 10_000
# So long a look-up may wait for Redis, and so long it is then left alone.
_TIMEOUT_S = 0.5
_PAUSE_S = 5.0


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer's text, its ETag ("" for none), and when the partner last said so."""

    body: str
    etag: str
    told_at: datetime


class AnswerCache:
    """Answers by key, for at most *longest*; *url* is `mem://` or `redis://...`.

    Raises CacheUrlError. What lies in a shared Redis may be read and written by others: a reader
    checks an answer that was kept like one that has just come. *shared_changed* is told whether
    answers are shared now.
    """

    def __init__(
        self,
        url: str,
        longest: timedelta,
        *,
        shared_changed: Callable[[bool], None] = lambda shared: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        scheme = url.partition(":")[0]
        self._expire_s = longest.total_seconds()
        self._local = Cache()
        self._shared: Cache | None = None
        try:
            # Old entries are dropped when they are met: no task of its own.
            self._local.setup("mem://", size=_MEMORY_ENTRIES, check_interval=0)
            if scheme in {"redis", "rediss"}:
                self._shared = Cache()
                # JSON, as unpickling runs what others have written; errors are handled here.
                self._shared.setup(url, pickle_type="json", suppress=False)
            elif scheme != "mem":
                raise CacheUrlError(scheme)
        except (CacheError, ValueError) as error:
            raise CacheUrlError(scheme) from error
        self._shared_changed = shared_changed
        self._monotonic = monotonic
        self._local_until = -math.inf
        self._is_shared = self._shared is not None
        shared_changed(self._is_shared)

    async def get(self, key: str) -> Kept | None:
        """What is kept under *key*, if it is ours to read."""
        if self._shared is not None and self._monotonic() >= self._local_until:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    value: object = await self._shared.get(key)
            except (CacheError, OSError, ValueError) as error:
                self._failed(error)
            else:
                self._now_shared(shared=True)
                return _kept(value)
        return _kept(await self._local.get(key))

    async def put(self, key: str, kept: Kept) -> None:
        """Keep an answer."""
        value = {"body": kept.body, "etag": kept.etag, "told_at": kept.told_at.isoformat()}
        # Here in any case: it is what is left when Redis goes.
        await self._local.set(key, value, expire=self._expire_s)
        if self._shared is not None and self._monotonic() >= self._local_until:
            try:
                async with asyncio.timeout(_TIMEOUT_S):
                    await self._shared.set(key, value, expire=self._expire_s)
            except (CacheError, OSError, ValueError) as error:
                self._failed(error)
            else:
                self._now_shared(shared=True)

    async def is_shared(self) -> bool:
        """Whether Redis answers now; True where none is wanted."""
        if self._shared is None:
            return True
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._shared.ping()
        except (CacheError, OSError, ValueError) as error:
            self._failed(error)
            return False
        return True

    def _failed(self, error: Exception) -> None:
        # The type alone: a message of the driver may hold the address with its password.
        name = type(error.__cause__ or error).__name__
        log.warning("answer_cache_failed", error=name, retry_s=_PAUSE_S)
        self._local_until = self._monotonic() + _PAUSE_S
        self._now_shared(shared=False)

    def _now_shared(self, *, shared: bool) -> None:
        if shared != self._is_shared:
            self._is_shared = shared
            self._shared_changed(shared)

    async def close(self) -> None:
        """Close the connections; answers in memory are gone."""
        with warnings.catch_warnings():
            # cashews 7.6 closes the client by a name that redis 5 replaced.
            warnings.simplefilter("ignore", DeprecationWarning)
            await self._local.close()
            if self._shared is not None:
                await self._shared.close()


def _kept(value: object) -> Kept | None:
    if not isinstance(value, dict):
        return None
    body, etag, told_at = value.get("body"), value.get("etag"), value.get("told_at")
    if not (isinstance(body, str) and isinstance(etag, str) and isinstance(told_at, str)):
        return None
    try:
        return Kept(body, etag, parse_instant(told_at))
    except ValueError:
        return None
