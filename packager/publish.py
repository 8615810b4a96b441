"""Into the storage: files first, then track.json, and last the one atomic switch of current.json.

Whatever stops it before the switch leaves the old version current, and a listener never meets half
a version: what has no track.json is not one.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path

import structlog

from media.errors import StorageError
from media.storage import Storage
from media.track import Current, Rendition, Track, current_key, dump_current, dump_track
from packager.errors import PublishError

_log = structlog.get_logger()


def content_version(
    *,
    movie_id: str,
    language: str,
    title: str,
    track_offset_s: float,
    duration_samples: int,
    source_sha256: str,
    renditions: Sequence[Rendition],
) -> str:
    """First 16 hex digits of the SHA-256 over everything that a listener could hear or see.

    So the same content has the same version, and a URL never serves other bytes.
    """
    content = {
        "format": 1,
        "movie_id": movie_id,
        "language": language,
        "title": title,
        "track_offset_s": track_offset_s,
        "duration_samples": duration_samples,
        "source": source_sha256,
        "renditions": [[rendition.name, rendition.sha256] for rendition in renditions],
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


async def publish(
    track: Track,
    files: Mapping[str, Path],
    storage: Storage,
    on_stored: Callable[[int], None],
) -> None:
    """Store the renditions' *files* (by rendition name), then make *track* current.

    Publishing the same content again changes nothing. Raises PublishError; what this run stored of
    an unfinished version is removed again. *on_stored* is told how many renditions are in.
    """
    description = f"{track.prefix}/track.json"
    stored: list[str] = []
    try:
        if description not in await storage.list(track.prefix):
            for number, rendition in enumerate(track.renditions, start=1):
                key = f"{track.prefix}/{rendition.file_name}"
                stored.append(key)
                await _undivided(storage.put_file(key, files[rendition.name]))
                on_stored(number)
            stored.append(description)
            await _undivided(storage.replace(description, dump_track(track)))
    except StorageError as error:
        await _remove(stored, storage)
        raise PublishError(error.key, str(error)) from error
    except BaseException:
        # Ctrl-C too: what is not current must not be left half there.
        await _remove(stored, storage)
        raise
    # The version is whole from here on, so it is never removed: if the switch fails (or we are
    # stopped after it) nothing that current.json may name is missing.
    pointer = current_key(track.movie_id, track.language)
    try:
        await _undivided(storage.replace(pointer, dump_current(Current(version=track.version))))
    except StorageError as error:
        raise PublishError(error.key, str(error)) from error


async def _undivided(operation: Coroutine[None, None, None]) -> None:
    """Await *operation* to its end even when we are cancelled meanwhile, and only then give way.

    A write goes on in its thread after a cancellation; what it did must be known before it is taken
    back.
    """
    task = asyncio.ensure_future(operation)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


async def _remove(keys: Sequence[str], storage: Storage) -> None:
    """Take back what was stored, the last first, so that track.json never stands alone."""
    for key in reversed(keys):
        # The one that failed is not there; a storage that is gone keeps what is there, unnamed.
        with contextlib.suppress(StorageError):
            await storage.delete(key)
            _log.info("removed", key=key)
