"""The folder of unfinished work, one for each track, so that a second run goes on in it.

It is locked while a run is in it. A run that was killed leaves it behind, and so does one that
failed with renditions finished; `tell-package gc` removes what nobody works in.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from media.errors import LockedError, StorageError
from media.locks import FileLock
from packager.errors import TrackBusyError, WorkFolderError

_log = structlog.get_logger()

_PREFIX = "tell-package-"
_LOCK_NAME = ".lock"


def work_parent(configured: str) -> Path:
    """The folder that work folders are made in: the configured one, else the system's."""
    return Path(configured or tempfile.gettempdir())


@asynccontextmanager
async def work_folder(
    parent: Path, track: str, where: str, owner: str, finished: Callable[[Path], Sequence[str]]
) -> AsyncIterator[Path]:
    """Open the work folder of *track* in the storage *where*, and lock it.

    It is empty again after a success, and after a failure unless *finished* names renditions in it
    that need not be made again. Raises WorkFolderError, TrackBusyError.
    """
    key = hashlib.sha256(f"{where}\n{track}".encode()).hexdigest()[:16]
    path = parent / f"{_PREFIX}{key}"
    try:
        await asyncio.to_thread(_make, path)
        async with FileLock(str(path), path / _LOCK_NAME, parent, owner):
            try:
                yield path
            except BaseException:
                await asyncio.shield(asyncio.to_thread(_clear_unless_finished, path, finished))
                raise
            await asyncio.to_thread(_clear, path)
    except LockedError as error:
        raise TrackBusyError(track, error.holder) from error
    except StorageError as error:
        # Of the lock; what else is raised inside has its own class.
        if error.key != str(path):
            raise
        raise WorkFolderError(error.key, str(error).removeprefix(f"{error.key}: ")) from error


async def abandoned(parent: Path) -> list[Path]:
    """Work folders of ours in which nobody works."""
    return await asyncio.to_thread(
        lambda: [path for path in sorted(parent.glob(f"{_PREFIX}*")) if _is_ours(path)]
    )


async def remove_abandoned(path: Path, owner: str) -> bool:
    """Remove a work folder; False where a run is in it. Raises WorkFolderError."""
    try:
        async with FileLock(str(path), path / _LOCK_NAME, path.parent, owner):
            await asyncio.to_thread(_clear, path)
    except LockedError:
        return False
    except StorageError as error:
        raise WorkFolderError(error.key, str(error)) from error
    return True


def _make(path: Path) -> None:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        # In a folder that all may write, somebody else could have put it there.
        if not _is_ours(path):
            raise WorkFolderError(str(path), "it belongs to somebody else") from None
    except OSError as error:
        raise WorkFolderError(str(path.parent), error.strerror or str(error)) from error


def _is_ours(path: Path) -> bool:
    try:
        status = path.lstat()
    except OSError:
        return False
    return path.is_dir() and not path.is_symlink() and status.st_uid == os.geteuid()


def _clear_unless_finished(path: Path, finished: Callable[[Path], Sequence[str]]) -> None:
    names = finished(path)
    _clear(path, keep=names)
    if not names:
        return
    _log.warning(
        "finished renditions are kept: the same command goes on from them",
        renditions=list(names),
        folder=str(path),
    )


def _clear(path: Path, keep: Sequence[str] = ()) -> None:
    """Remove all but the files of the renditions *keep*, and the lock: it goes when it is released.

    The prepared sound goes in any case: it is large, and made anew in little time.
    """
    for entry in path.iterdir():
        if entry.name == _LOCK_NAME or entry.name.partition(".")[0] in keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                entry.unlink()
