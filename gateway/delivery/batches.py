"""Many who ask at the same time are answered by one reading, which begins after all of them asked.

So each is told what was true when it asked or later, as if it had read by itself, and a crowd costs
the database little more than one of its members.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

from media.shared_readings import told

K = TypeVar("K")
V = TypeVar("V")


class Batches(Generic[K, V]):
    """Gathers keys for *read*, at most *limit* for each reading; one reading follows the other."""

    def __init__(
        self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]], limit: int
    ) -> None:
        self._read = read
        self._limit = limit
        # Those that are not on their way yet, and the one reading for them.
        self._keys: set[K] = set()
        self._reading: asyncio.Task[Mapping[K, V]] | None = None
        # The last that was made.
        self._last: asyncio.Task[Mapping[K, V]] | None = None

    async def get(self, key: K) -> V | None:
        """What *read* finds for the key, None where that is nothing; raises what *read* raises."""
        if self._reading is None or len(self._keys) >= self._limit:
            self._keys = set()
            self._reading = asyncio.create_task(self._run(self._keys, self._last))
            self._reading.add_done_callback(told)
            self._last = self._reading
        self._keys.add(key)
        # A client that goes away does not end it for the others.
        return (await asyncio.shield(self._reading)).get(key)

    async def _run(self, keys: set[K], before: asyncio.Task[Mapping[K, V]] | None) -> Mapping[K, V]:
        if before is not None:
            await asyncio.wait([before])
        if self._keys is keys:
            # Who comes from here on may ask after the reading began.
            self._reading = None
        return await self._read(keys)
