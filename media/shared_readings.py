"""Those who ask for the same at the same time share a reading, begun after all of them asked.

So each is told what was true when it asked or later, and a crowd costs what two of it do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedReadings(Generic[T]):
    """Readings by *read*, for each key one after the other; keeps nothing of what was read."""

    def __init__(self, read: Callable[[str], Awaitable[T]]) -> None:
        self._read = read
        # Of each key the reading that runs, and the one that will follow it.
        self._running: dict[str, asyncio.Task[T]] = {}
        self._next: dict[str, asyncio.Task[T]] = {}

    async def get(self, key: str) -> T:
        """What *read* gives for the key; raises what it raises."""
        reading = self._next.get(key)
        if reading is None:
            reading = asyncio.create_task(self._run(key, self._running.get(key)))
            reading.add_done_callback(told)
            self._next[key] = reading
        # A client that goes away does not end it for the others.
        return await asyncio.shield(reading)

    async def _run(self, key: str, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        # Who comes from here on may ask after the reading began.
        reading = self._running[key] = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            if self._running.get(key) is reading:
                del self._running[key]


def told(reading: asyncio.Task[T]) -> None:
    """Take an error, which those who wait are told: nobody may be waiting."""
    if not reading.cancelled():
        reading.exception()
