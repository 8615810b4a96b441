"""What happens in the cache: counted each time, and what is wrong said once while it lasts."""

from __future__ import annotations

import enum
from collections.abc import Callable

import structlog

_log = structlog.get_logger()


class Outcome(enum.Enum):
    """What a metric counts."""

    # A read of the disk; a segment's short way is not among them.
    KEPT = "kept"
    # A read of a file on its way.
    FILLING = "filling"
    # A read that the storage answered, past the cache.
    PASSED = "passed"
    # A file came whole, and with the right digest.
    FILLED = "filled"
    # A file made room for another one.
    EVICTED = "evicted"
    # A file of the cache was not what it had been.
    DAMAGED = "damaged"
    # What the storage holds is not what track.json says.
    WRONG = "wrong"
    # The storage failed while a file was fetched.
    INTERRUPTED = "interrupted"
    # The cache is full of what is in use.
    FULL = "full"
    # The disk is full, or failed.
    DISK = "disk"
    # Pointers of earlier, for want of an answer.
    STALE = "stale"


class Notes:
    """Tells *count* each outcome, and the log the beginning and the end of each trouble."""

    def __init__(self, count: Callable[[str], None] = lambda outcome: None) -> None:
        self._count = count
        self._troubles: set[Outcome] = set()

    def note(self, outcome: Outcome) -> None:
        """Count what is as it should be."""
        self._count(outcome.value)

    def trouble(self, outcome: Outcome, key: str, reason: str) -> None:
        """Count what is not, and say so where it was well before."""
        self._count(outcome.value)
        if outcome not in self._troubles:
            self._troubles.add(outcome)
            _log.warning("media-cache-trouble", kind=outcome.value, key=key, reason=reason)

    def well(self, outcome: Outcome) -> None:
        """Say that a trouble is over, if it was one."""
        if outcome in self._troubles:
            self._troubles.remove(outcome)
            _log.info("media-cache-well", kind=outcome.value)
