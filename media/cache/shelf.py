"""The cache's folder: whole files by name, of bounded size together, for a machine's processes.

A file appears under its name when it is whole, by a rename. What is being written is
`.<name>.part`, and the system's lock on it (flock) ends with its writer: a part that nobody locks
is a dead writer's, and is removed. When a file was last used stands in its time of change, so that
it is known after a restart and to every process.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

# What was used so many seconds ago is in use: it is not removed for something new, or two films
# that do not fit beside each other would be fetched again and again.
IN_USE_S = 60.0
_HASH_BYTES = 1 << 20
_LOCK = ".lock"
_PART = ".part"
_DIGEST_CHARS = 64
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}


class Part(NamedTuple):
    """A file that is being written: open, locked, and its room on the disk taken."""

    name: str
    path: Path
    descriptor: int
    size_bytes: int


class NoPart(enum.Enum):
    """Why there is no part to write."""

    KEPT = "the file is there"
    BUSY = "another process is fetching it"
    FULL = "the cache is full of what is in use"
    NO_SPACE = "the disk is full"


class Shelf:
    """Files in *folder*, of *limit_bytes* together; what was used longest ago goes first.

    Every method works with the disk, and may raise OSError. *evicted* is told the names of files
    that were removed for others.
    """

    def __init__(
        self,
        folder: Path,
        limit_bytes: int,
        clock: Callable[[], datetime],
        evicted: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._clock = clock
        self._evicted = evicted

    def path(self, name: str) -> Path:
        """Where a file is, if it is there."""
        return self._folder / name

    def prepare(self) -> None:
        """Make the folder, and remove what dead writers left."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked():
            self._look()

    def used_bytes(self) -> int:
        """Bytes of all files, unfinished ones too."""
        return sum(entry.stat().st_size for entry in _entries(self._folder))

    def reserve(self, name: str, size_bytes: int) -> Part | NoPart:
        """Begin to write a file: make room and take it."""
        with self._locked():
            files, total_bytes = self._look()
            if self.path(name).exists():
                return NoPart.KEPT
            path = self._folder / f".{name}{_PART}"
            if path.exists():
                return NoPart.BUSY
            if not self._make_room(files, total_bytes + size_bytes - self._limit_bytes):
                return NoPart.FULL
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Taken now: a full disk shows before a byte was fetched for it.
                os.posix_fallocate(descriptor, 0, size_bytes)
            except OSError as error:
                path.unlink()
                os.close(descriptor)
                if error.errno in _NO_SPACE:
                    return NoPart.NO_SPACE
                raise
            return Part(name, path, descriptor, size_bytes)

    def keep(self, part: Part) -> None:
        """Show a part under its name, whole and durable; it stays open."""
        os.fsync(part.descriptor)
        self._touch(part.path)
        part.path.rename(self.path(part.name))

    def drop(self, part: Part) -> None:
        """Give a part up; it stays open."""
        part.path.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Remove a file that is not what it should be."""
        self.path(name).unlink(missing_ok=True)

    def use(self, name: str) -> None:
        """Note that a file is in use now; one that is gone is none."""
        with contextlib.suppress(FileNotFoundError):
            self._touch(self.path(name))

    def digest(self, name: str) -> str | None:
        """SHA-256 of a file, None where there is none."""
        try:
            with self.path(name).open("rb") as file:
                return digest_of(file.fileno())
        except FileNotFoundError:
            return None

    def read_document(self, name: str) -> bytes | None:
        """A small file that was written by `write_document`; None where it is not there whole."""
        try:
            text = self.path(name).read_bytes()
        except FileNotFoundError:
            return None
        data = text[_DIGEST_CHARS:]
        if hashlib.sha256(data).hexdigest().encode() != text[:_DIGEST_CHARS]:
            self.remove(name)
            return None
        self.use(name)
        return data

    def write_document(self, name: str, data: bytes) -> None:
        """Write or replace a small file, with its digest before it; not where there is no room."""
        text = hashlib.sha256(data).hexdigest().encode() + data
        # Its own place beside the old one, which stays until the new one is whole.
        part = self.reserve(f"{name}.new", len(text))
        if not isinstance(part, Part):
            return
        try:
            os.pwrite(part.descriptor, text, 0)
            os.fsync(part.descriptor)
            self._touch(part.path)
            part.path.rename(self.path(name))
        except OSError:
            self.drop(part)
            raise
        finally:
            os.close(part.descriptor)

    def _touch(self, path: Path) -> None:
        now = self._clock().timestamp()
        os.utime(path, (now, now))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let no other process look, remove or begin meanwhile."""
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _look(self) -> tuple[list[tuple[float, int, str]], int]:
        """Files as (last use, bytes, name), and the bytes of all; dead parts are removed."""
        files, total_bytes = [], 0
        for entry in _entries(self._folder):
            if entry.name.endswith(_PART) and _is_dead(entry.path):
                Path(entry.path).unlink()
                continue
            status = entry.stat()
            total_bytes += status.st_size
            if not entry.name.endswith(_PART):
                files.append((status.st_mtime, status.st_size, entry.name))
        return files, total_bytes

    def _make_room(self, files: list[tuple[float, int, str]], needed_bytes: int) -> bool:
        """Remove what was used longest ago; nothing, and False, where that would be too little."""
        in_use = self._clock().timestamp() - IN_USE_S
        chosen = []
        for used_at, size_bytes, name in sorted(files):
            if needed_bytes <= 0:
                break
            if used_at > in_use:
                return False
            chosen.append(name)
            needed_bytes -= size_bytes
        if needed_bytes > 0:
            return False
        for name in chosen:
            self.remove(name)
            self._evicted(name)
        return True


def digest_of(descriptor: int) -> str:
    """SHA-256 of an open file."""
    digest, position = hashlib.sha256(), 0
    while block := os.pread(descriptor, _HASH_BYTES, position):
        digest.update(block)
        position += len(block)
    return digest.hexdigest()


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            # One that another process removes meanwhile is none.
            with contextlib.suppress(FileNotFoundError):
                if entry.name != _LOCK and entry.is_file() and entry.stat():
                    yield entry


def _is_dead(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
