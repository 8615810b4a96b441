"""How many connections a process holds: as many as its file descriptors leave room for.

Where it is full those that have been idle longest make way for whoever comes. An attacker's
connection says nothing; a listener's speaks every few seconds, and comes again by itself.
"""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from contextlib import suppress

import structlog

log = structlog.get_logger(__name__)

# What a kernel gives one process at most, where nobody has set it (fs.nr_open, proc_sys_fs(5)).
_MOST_DESCRIPTORS = 1_048_576
# For the database, the partners, logs and whatever a library opens.
_KEPT_BACK = 128
# One part of all makes way at once: looking for them costs a look at each.
_PART = 16
_TOLD_EVERY_S = 60.0


def raise_descriptors() -> int:
    """Take as many file descriptors as this process may have (getrlimit(2)); how many it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MOST_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY:
        return _MOST_DESCRIPTORS
    if soft < most:
        # Some systems say that there is no limit, and have one.
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            soft = most
    return soft


def connections_for(descriptors: int, open_files: int) -> int:
    """How many connections so many file descriptors are good for, beside *open_files* of tracks."""
    return max(descriptors // 2, descriptors - open_files - _KEPT_BACK)


class Room:
    """Counts the connections of a process, *limit* at most.

    *make_way* closes up to so many idle ones and returns how many; *on_made* is told that number.
    """

    def __init__(
        self,
        limit: int,
        make_way: Callable[[int], int],
        on_made: Callable[[int], None] = lambda closed: None,
    ) -> None:
        self.limit = limit
        # Those that were taken and do not stand among the connections yet.
        self.coming = 0
        self._make_way = make_way
        self._on_made = on_made
        self._taken = 0
        self._waiting: set[Callable[[], None]] = set()
        self._told_at: float | None = None

    def came(self) -> None:
        """A connection stands."""
        self._taken += 1

    def left(self) -> None:
        """It is gone: who waited for that may look again."""
        self._taken -= 1
        if self._waiting:
            loop = asyncio.get_running_loop()
            for again in self._waiting:
                # Then its descriptor is free.
                loop.call_soon(again)
            self._waiting.clear()

    def has_one(self) -> bool:
        """Whether one more may come; where not, room is being made for the next."""
        if self._taken + self.coming < self.limit:
            return True
        self.make("connections_full")
        return False

    def make(self, why: str) -> None:
        """Close some that are idle, and say so, but once a minute at most."""
        closed = self._make_way(max(1, self.limit // _PART))
        self._on_made(closed)
        now = asyncio.get_running_loop().time()
        if self._told_at is None or now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            log.warning(
                why,
                connections=self._taken,
                limit=self.limit,
                idle_closed=closed,
                mend="more descriptors (LimitNOFILE), another replica, or limits at the proxy",
            )

    def wait(self, again: Callable[[], None]) -> None:
        """Have *again* called once, when somebody has left."""
        self._waiting.add(again)
