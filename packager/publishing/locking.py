"""One run at a time on a track, on this machine and on every other that sees the storage."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from media.errors import LockedError, StorageError
from media.ids import check_id, check_language
from media.storage import Hold, WritableStorage
from packager.errors import PublishError, TrackBusyError


def track_folder(movie_id: str, language: str) -> str:
    """Folder of a track in the storage; raises InvalidIdError."""
    return f"tracks/{check_id('movie_id', movie_id)}/{check_language(language)}"


def this_run() -> str:
    """What other runs are told of us."""
    return f"process {os.getpid()} on {socket.gethostname()}"


@asynccontextmanager
async def locked(storage: WritableStorage, movie_id: str, language: str) -> AsyncIterator[Hold]:
    """Keep other runs away from a track; raises TrackBusyError, PublishError, InvalidIdError."""
    folder = track_folder(movie_id, language)
    async with AsyncExitStack() as stack:
        try:
            hold = await stack.enter_async_context(storage.lock(folder, this_run()))
        except LockedError as error:
            raise TrackBusyError(f"{movie_id}/{language}", error.holder) from error
        except StorageError as error:
            reason = str(error).removeprefix(f"{error.key}: ")
            raise PublishError(storage.where(error.key), reason) from error
        yield hold
