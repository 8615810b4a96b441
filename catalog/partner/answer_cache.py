"""The partner's answers, kept for a while: in this process's memory, or in a Redis for all.

What is kept helps and is never needed: a Redis that is away means that the partner is asked more
often, and nothing else.
"""

from __future__ import annotations

import warnings
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


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer's text, its ETag ("" for none), and when the partner last said so."""

    body: str
    etag: str
    told_at: datetime


class AnswerCache:
    """Answers by key, for at most *longest*; *url* is `mem://` or `redis://...`.

    Raises CacheUrlError. What lies in a shared Redis may be read and written by others: a reader
    checks an answer that was kept like one that has just come.
    """

    def __init__(self, url: str, longest: timedelta) -> None:
        scheme = url.partition(":")[0]
        self._expire_s = longest.total_seconds()
        self._cache = Cache()
        try:
            if scheme == "mem":
                # Old entries are dropped when they are met: no task of its own.
                self._cache.setup("mem://", size=_MEMORY_ENTRIES, check_interval=0)
            elif scheme in {"redis", "rediss"}:
                # JSON, as unpickling runs what others have written; errors are handled here.
                self._cache.setup(url, pickle_type="json", suppress=False)
            else:
                raise CacheUrlError(scheme)
        except (CacheError, ValueError) as error:
            raise CacheUrlError(scheme) from error

    async def get(self, key: str) -> Kept | None:
        """What is kept under *key*, if it is ours to read."""
        try:
            value: object = await self._cache.get(key)
        except (CacheError, OSError, ValueError) as error:
            _report(error)
            return None
        return _kept(value)

    async def put(self, key: str, kept: Kept) -> None:
        """Keep an answer."""
        value = {"body": kept.body, "etag": kept.etag, "told_at": kept.told_at.isoformat()}
        try:
            await self._cache.set(key, value, expire=self._expire_s)
        except (CacheError, OSError, ValueError) as error:
            _report(error)

    async def close(self) -> None:
        """Close the connections; answers in memory are gone."""
        with warnings.catch_warnings():
            # cashews 7.6 closes the client by a name that redis 5 replaced.
            warnings.simplefilter("ignore", DeprecationWarning)
            await self._cache.close()


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


def _report(error: Exception) -> None:
    # The type alone: a message of the driver may hold the address with its password.
    log.warning("answer_cache_failed", error=type(error.__cause__ or error).__name__)
