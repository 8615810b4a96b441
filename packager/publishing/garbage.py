"""What nobody needs any more: old versions, and what killed runs left behind.

Nothing is taken from under a listener: a version stays for a configured time after it ceased to be
current. And nothing is taken from under a run: each track is locked while it is swept, and a track
or work folder that is held is passed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from media.errors import LockedError, StorageError, TrackFormatError
from media.ids import is_id, is_language
from media.storage import Hold, WritableStorage
from media.track import Current, current_key, dump_current, track_prefix
from packager.errors import PublishError, TrackBusyError
from packager.publishing.catalogue import versions
from packager.publishing.locking import locked, this_run, track_folder
from packager.publishing.pointer import Pointer, read_pointer
from packager.settings import GarbageSection
from packager.work import abandoned, remove_abandoned


@dataclass(frozen=True, slots=True)
class Removed:
    """One thing that was removed (or would be): `kind` is a word of docs/packaging.md."""

    kind: str
    where: str
    size_bytes: int


@dataclass(slots=True)
class Sweep:
    """What a sweep did, and what it passed over because a run holds it or it cannot be read."""

    removed: list[Removed] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """How much room the removed things took."""
        return sum(each.size_bytes for each in self.removed)


def kept_versions(current: Current, now: datetime, settings: GarbageSection) -> frozenset[str]:
    """Versions that must stay: the current one, and the earlier ones by number, age and listeners.

    An earlier version goes when it is not among the newest `keep_versions` or is older than
    `keep_days`; but never within `listening_days` after it was current.
    """
    kept = set() if current.version is None else {current.version}
    for number, each in enumerate(current.earlier):
        age = now - each.until
        wanted = number < settings.keep_versions and age <= timedelta(days=settings.keep_days)
        if wanted or age <= timedelta(days=settings.listening_days):
            kept.add(each.version)
    return frozenset(kept)


async def sweep(
    storage: WritableStorage,
    work_parent: Path,
    settings: GarbageSection,
    clock: Callable[[], datetime],
    *,
    dry_run: bool,
) -> Sweep:
    """Remove what nobody needs from the storage and the work folder; raises PublishError.

    With *dry_run* it only says what it would remove.
    """
    done = Sweep()
    try:
        for movie_id in await storage.folders("tracks"):
            if not is_id(movie_id):
                continue
            for language in await storage.folders(f"tracks/{movie_id}"):
                if is_language(language):
                    await _sweep_track(
                        storage, movie_id, language, settings, clock, done, dry_run=dry_run
                    )
    except StorageError as error:
        raise PublishError(storage.where(error.key), str(error)) from error
    for folder in await abandoned(work_parent):
        size_bytes = await asyncio.to_thread(_size_bytes, folder)
        if dry_run or await remove_abandoned(folder, this_run()):
            done.removed.append(Removed("work folder", str(folder), size_bytes))
        else:
            done.passed_over.append(f"{folder}: a run is in it")
    return done


def _size_bytes(folder: Path) -> int:
    """Size of what is in *folder*, from which a run may take files meanwhile."""
    size_bytes = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            size_bytes += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return size_bytes


async def _sweep_track(
    storage: WritableStorage,
    movie_id: str,
    language: str,
    settings: GarbageSection,
    clock: Callable[[], datetime],
    done: Sweep,
    *,
    dry_run: bool,
) -> None:
    try:
        async with locked(storage, movie_id, language) as hold:
            await _TrackSweep(storage, movie_id, language, hold, done, dry_run).run(
                settings, clock()
            )
    except TrackBusyError as error:
        done.passed_over.append(f"{error.where}: {error.what}")
    except LockedError as error:
        done.passed_over.append(f"{movie_id}/{language}: it was taken over by {error.holder}")
    except TrackFormatError as error:
        # Without its pointer nobody can tell which versions listeners are on.
        done.passed_over.append(str(error))


@dataclass(frozen=True, slots=True)
class _TrackSweep:
    """The sweep of one track, under its lock."""

    storage: WritableStorage
    movie_id: str
    language: str
    hold: Hold
    done: Sweep
    dry_run: bool

    async def run(self, settings: GarbageSection, now: datetime) -> None:
        pointer = await read_pointer(self.storage, self.movie_id, self.language)
        current = Current(version=None) if pointer.current is None else pointer.current
        kept = kept_versions(current, now, settings)
        # The pointer first: what it names is there at every moment.
        await self._forget(pointer, kept)
        was_current = {each.version for each in current.earlier}
        for version in await versions(self.storage, self.movie_id, self.language):
            if version not in kept:
                kind = "old version" if version in was_current else "version never made current"
                await self._remove_version(version, kind)
        folder = track_folder(self.movie_id, self.language)
        for part in await self.storage.unfinished(folder):
            self.done.removed.append(Removed("unfinished upload", part.name, part.size_bytes))
        if not self.dry_run:
            await self.storage.remove_unfinished(folder)

    async def _forget(self, pointer: Pointer, kept: frozenset[str]) -> None:
        if pointer.current is None or self.dry_run:
            return
        earlier = tuple(each for each in pointer.current.earlier if each.version in kept)
        after = pointer.current.model_copy(update={"earlier": earlier})
        key = current_key(self.movie_id, self.language)
        self.hold.check()
        if after.version is None and not earlier:
            # Withdrawn, and nobody is left on it.
            await self.storage.delete(key)
        elif after != pointer.current:
            await self.storage.swap(key, dump_current(after), pointer.tag)

    async def _remove_version(self, version: str, kind: str) -> None:
        prefix = track_prefix(self.movie_id, self.language, version)
        keys = await self.storage.list(prefix)
        if not keys:
            # A folder of staged parts alone: they are told and removed as such.
            return
        size_bytes = 0
        # track.json first: what has none is no version.
        for key in sorted(keys, key=lambda key: not key.endswith("/track.json")):
            self.hold.check()
            size_bytes += await self.storage.size(key)
            if not self.dry_run:
                await self.storage.delete(key)
        self.done.removed.append(Removed(kind, self.storage.where(prefix), size_bytes))
