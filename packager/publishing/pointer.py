"""current.json, the one object that ever changes: read it, and switch it in one step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from media.errors import ConflictError, ObjectNotFoundError
from media.storage import WritableStorage
from media.track import Current, current_key, dump_current, load_current
from packager.errors import TrackBusyError


class Pointer(NamedTuple):
    """The pointer of a track, and the tag that its object has; both None where there is none."""

    current: Current | None
    tag: str | None


async def read_pointer(storage: WritableStorage, movie_id: str, language: str) -> Pointer:
    """The pointer of a track; raises StorageError, TrackFormatError."""
    key = current_key(movie_id, language)
    try:
        found = await storage.read_tagged(key)
    except ObjectNotFoundError:
        return Pointer(None, None)
    return Pointer(load_current(found.data, key), found.tag)


class Switched(NamedTuple):
    """The version that was current before, None where none was, and the pointer since then."""

    before: str | None
    current: Current


async def switch(
    storage: WritableStorage,
    movie_id: str,
    language: str,
    version: str | None,
    clock: Callable[[], datetime],
) -> Switched:
    """Make *version* current (None: withdraw the track); to what it is already changes nothing.

    Raises TrackBusyError where another run was quicker, StorageError, TrackFormatError.
    """
    pointer = await read_pointer(storage, movie_id, language)
    before = Current(version=None) if pointer.current is None else pointer.current
    after = before.switched(version, clock())
    if after == before and pointer.tag is not None:
        return Switched(before.version, after)
    key = current_key(movie_id, language)
    try:
        await storage.swap(key, dump_current(after), pointer.tag)
    except ConflictError as error:
        # A first try whose answer was lost looks like another run to the second.
        if (await read_pointer(storage, movie_id, language)).current != after:
            raise TrackBusyError(
                f"{movie_id}/{language}", "another run that was quicker"
            ) from error
    return Switched(before.version, after)
