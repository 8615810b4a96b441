"""Into the storage: files first, then track.json, and last the one atomic switch of current.json.

Whatever stops it before the switch leaves the old version current, and a listener never meets half
a version: what current.json has never named is not one. What is there already is trusted only after
it was read and hashed again, and so is what was just stored.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import structlog

from media.errors import LockedError, ObjectNotFoundError, StorageError, TrackFormatError
from media.storage import Hold, WritableStorage
from media.track import Rendition, Track, dump_track
from packager.errors import PublishError, TrackBusyError
from packager.publishing.digests import stored_sha256
from packager.publishing.pointer import Switched, switch

_log = structlog.get_logger()
_T = TypeVar("_T")

REPORT_NAME = "report.html"


class Publication:
    """One version on its way into a storage, under the lock on its track."""

    def __init__(self, track: Track, storage: WritableStorage, hold: Hold) -> None:
        self._track = track
        self._storage = storage
        self._hold = hold
        # What this run brought, to be taken back where it does not get to the switch.
        self._stored: list[str] = []

    async def publish(
        self,
        files: Mapping[str, Path],
        report: bytes,
        clock: Callable[[], datetime],
        on_stored: Callable[[int], None],
    ) -> Switched:
        """Store the renditions' *files* (by rendition name) and make the version current.

        Publishing the same content again changes nothing. Raises PublishError and TrackBusyError;
        what this run stored of an unfinished version is removed again. *on_stored* is told how many
        renditions are in, each of them read back and compared.
        """
        track = self._track
        try:
            self._hold.check()
            for number, rendition in enumerate(track.renditions, start=1):
                await self._bring(rendition, files[rendition.name])
                on_stored(number)
            await self._describe(f"{track.prefix}/{REPORT_NAME}", report)
            await self._describe(f"{track.prefix}/track.json", dump_track(track))
            self._hold.check()
        except LockedError as error:
            # Who holds it now may stand on what we stored.
            raise TrackBusyError(f"{track.movie_id}/{track.language}", error.holder) from error
        except StorageError as error:
            await self._take_back()
            raise PublishError(self._storage.where(error.key), _reason(error)) from error
        except BaseException:
            # Ctrl-C too: what is not current must not be left half there.
            await self._take_back()
            raise
        # The version is whole from here on, so it is never removed: if the switch fails (or we are
        # stopped after it) nothing that current.json may name is missing.
        try:
            return await _to_its_end(
                switch(self._storage, track.movie_id, track.language, track.version, clock)
            )
        except StorageError as error:
            raise PublishError(self._storage.where(error.key), _reason(error)) from error
        except TrackFormatError as error:
            raise PublishError(error.where, str(error)) from error

    async def _bring(self, rendition: Rendition, file: Path) -> None:
        key = f"{self._track.prefix}/{rendition.file_name}"
        found = await stored_sha256(self._storage, key)
        if found == rendition.sha256:
            return
        if found is None:
            self._stored.append(key)
        else:
            _log.warning("a stored file is damaged and stored anew", key=key)
        await _undivided(self._storage.put_file(key, file))
        if await stored_sha256(self._storage, key) != rendition.sha256:
            raise StorageError(key, "the storage holds other bytes than it was given")

    async def _describe(self, key: str, data: bytes) -> None:
        try:
            if await self._storage.read(key) == data:
                return
        except ObjectNotFoundError:
            self._stored.append(key)
        await _undivided(self._storage.replace(key, data))

    async def _take_back(self) -> None:
        """Remove what was stored, the last first, so that track.json never stands alone."""
        await _remove(self._stored, self._storage)


async def _undivided(operation: Coroutine[Any, Any, _T]) -> _T:
    """Await *operation* to its end even when we are cancelled meanwhile, and only then give way.

    A write goes on in its thread after a cancellation; what it did must be known before it is taken
    back.
    """
    task = asyncio.ensure_future(operation)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _to_its_end(operation: Coroutine[Any, Any, _T]) -> _T:
    """Await *operation* as `_undivided` does; where it has come to its end, a stop came too late.

    So whoever pressed Ctrl-C is told what is true: that the version is published.
    """
    task = asyncio.ensure_future(operation)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if task.exception() is not None:
            raise
        this = asyncio.current_task()
        assert this is not None  # noqa: S101  # we are awaited by one
        this.uncancel()
        return task.result()


async def _remove(keys: Sequence[str], storage: WritableStorage) -> None:
    for key in reversed(keys):
        # The one that failed is not there; a storage that is gone keeps what is there for `gc`.
        with contextlib.suppress(StorageError):
            await storage.delete(key)
            _log.info("removed", key=key)


def _reason(error: StorageError) -> str:
    return str(error).removeprefix(f"{error.key}: ")
