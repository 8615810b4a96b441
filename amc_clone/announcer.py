"""Waking those who wait for a change."""

from __future__ import annotations

import asyncio


class Announcer:
    """Each change wakes all who wait for the next one. `closed` when there will be no more."""

    def __init__(self) -> None:
        self._next = asyncio.Event()
        self.closed = False

    def next_change(self) -> asyncio.Event:
        """An event that the next change sets."""
        return self._next

    def announce(self) -> None:
        """Tell all who wait that something changed."""
        change, self._next = self._next, asyncio.Event()
        change.set()

    def close(self) -> None:
        """Wake all who wait, for the last time: the service stops."""
        self.closed = True
        self.announce()
