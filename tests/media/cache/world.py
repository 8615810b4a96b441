"""A published track of noise whose renditions have several blocks, and a cache that reads it."""

from __future__ import annotations

import asyncio
import collections
import hashlib
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from media.cache.notes import Notes
from media.cache.shelf import Shelf
from media.cache.storage import CachedStorage
from media.storage import Storage, WritableStorage
from media.track import Current, Rendition, Track, current_key, dump_current, dump_track
from tests.media.tracks import make_track

# 3.6 MB a rendition: four blocks, the last one short.
FRAGMENTS = 900
PATIENCE_S = 30
NOW = datetime(2027, 3, 5, 19, 30, tzinfo=UTC)


class Clock:
    """Wall clock and seconds, moved by hand together."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """Now."""
        return self.now

    def monotonic(self) -> float:
        """Seconds."""
        return (self.now - NOW).total_seconds()

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.now += timedelta(seconds=seconds)


class Noise:
    """A track, and the bytes of its renditions by name."""

    def __init__(self, seed: int = 1) -> None:
        chance = random.Random(seed)  # noqa: S311  (the same noise each time)
        self.bytes: dict[str, bytes] = {}
        renditions: list[Rendition] = []
        for each in make_track(FRAGMENTS).renditions:
            data = chance.randbytes(each.size_bytes)
            self.bytes[each.name] = data
            sha256 = hashlib.sha256(data).hexdigest()
            renditions.append(each.model_copy(update={"sha256": sha256}))
        version = f"{seed:016x}"
        self.track: Track = make_track(FRAGMENTS).model_copy(
            update={"renditions": tuple(renditions), "version": version}
        )

    def key(self, name: str = "aac-64k") -> str:
        """Key of a rendition."""
        return f"{self.track.prefix}/{name}.mp4"

    def sha256(self, name: str = "aac-64k") -> str:
        """Its digest."""
        rendition = self.track.rendition(name)
        assert rendition is not None
        return rendition.sha256

    async def publish(self, storage: WritableStorage) -> None:
        """Put it in, and make it current."""
        for name, data in self.bytes.items():
            await storage.replace(self.key(name), data)
        await storage.replace(f"{self.track.prefix}/track.json", dump_track(self.track))
        pointer = dump_current(Current(version=self.track.version, since=NOW))
        await storage.replace(current_key(self.track.movie_id, "en"), pointer)


class Cache:
    """A cache in *folder*, what it counted, and when it counted what."""

    def __init__(
        self, far: Storage, folder: Path, clock: Clock, *, limit_bytes: int = 100_000_000
    ) -> None:
        self.counted: collections.Counter[str] = collections.Counter()
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        notes = Notes(self._count_from_any_thread)
        self.shelf = Shelf(folder, limit_bytes, clock)
        self.storage = CachedStorage(
            far,
            self.shelf,
            "far",
            notes,
            fresh_s=1.0,
            patience_s=0.2,
            monotonic=clock.monotonic,
        )

    async def until(self, outcome: str, times: int = 1) -> None:
        """Wait until something was counted so often."""
        await self._until(lambda: self.counted[outcome] >= times)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    def _count_from_any_thread(self, outcome: str) -> None:
        self._loop.call_soon_threadsafe(self._count, outcome)

    def _count(self, outcome: str) -> None:
        self.counted[outcome] += 1
        self._changed.set()
