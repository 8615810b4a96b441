"""Backups of the database: made online, compressed, with a digest, and removed after their time.

A backup is two objects: `<name>`, a gzipped dump (catalog/store/dump.py), and `<name>.sha256`, as
`sha256sum -c` reads it. The second is written last: without it a backup is not finished.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from catalog import migrations
from catalog.errors import DumpError
from catalog.store.database import Database
from catalog.store.dump import check_empty, dump, load, read_header, skip_events
from catalog.store.dump_upgrade import upgraded
from gateway.errors import BackupDamagedError, BackupNotFoundError
from media.errors import ObjectNotFoundError
from media.storage import WritableStorage

_FOLDER = "database"
_NAME = re.compile(r"tell-(\d{8}T\d{6})(\d{6})Z\.jsonl\.gz")
_DIGEST = ".sha256"
_BLOCK_BYTES = 1 << 20
# Six of ten: the others save a few percent for twice the time.
_LEVEL = 6
# More events than a cinema chain has between two backups.
_SKIPPED_EVENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup: its name, when it was taken, its size and digest (hexadecimal)."""

    name: str
    taken_at: datetime
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored: which backup, and how many rows of each table."""

    backup: Backup
    rows: dict[str, int]


class Backups:
    """The backups in one storage. All methods may raise StorageError."""

    def __init__(self, storage: WritableStorage, clock: Callable[[], datetime]) -> None:
        self._storage = storage
        self._clock = clock

    def where(self, name: str) -> str:
        """How a person finds it."""
        return self._storage.where(f"{_FOLDER}/{name}")

    async def make(self, database: Database) -> Backup:
        """Save the database as it is at one moment, while others read and write.

        Raises DatabaseError, and BackupDamagedError where the storage holds other bytes than it
        was given.
        """
        taken_at = self._clock()
        name = f"tell-{taken_at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z.jsonl.gz"
        with tempfile.TemporaryDirectory(prefix="tell-backup-") as folder:
            file = Path(folder) / name
            async with database.read(limit_s=None) as connection:
                await _write_gzip(file, dump(connection, taken_at))
            digest = await asyncio.to_thread(_digest_of_file, file)
            size_bytes = file.stat().st_size
            await self._storage.put_file(f"{_FOLDER}/{name}", file)
            copy = Path(folder) / "copy"
            if await self._fetch(name, copy) != digest:
                raise BackupDamagedError(self.where(name))
        # As sha256sum writes it.
        line = f"{digest}  {name}\n"
        await self._storage.replace(f"{_FOLDER}/{name}{_DIGEST}", line.encode())
        return Backup(name, taken_at, size_bytes, digest)

    async def all(self) -> list[Backup]:
        """The finished backups, the newest first."""
        keys = set(await self._storage.list(_FOLDER))
        found = []
        for key in sorted(keys, reverse=True):
            name = key.rpartition("/")[2]
            taken_at = _taken_at(name)
            if taken_at is not None and key + _DIGEST in keys:
                sha256 = await self._digest(name)
                found.append(Backup(name, taken_at, await self._storage.size(key), sha256))
        return found

    async def prune(self, keep: timedelta) -> list[str]:
        """Remove what is older than *keep*, but never the newest finished one; returns the names.

        Unfinished ones of that age go too; whatever is not named as a backup is left alone.
        """
        finished = await self.all()
        newest = finished[0].name if finished else None
        oldest = self._clock() - keep
        removed = []
        for key in await self._storage.list(_FOLDER):
            file = key.rpartition("/")[2]
            name = file.removesuffix(_DIGEST)
            taken_at = _taken_at(name)
            if taken_at is None or name == newest or taken_at >= oldest:
                continue
            await self._storage.delete(key)
            if file == name:
                removed.append(name)
        return removed

    async def restore(self, database: Database, name: str | None, *, force: bool) -> Restored:
        """Put the backup (None: the newest) into the database, in one transaction.

        The digest is verified before anything else; a backup of an earlier version of the tables
        is brought to this one. Without *force* the database must be empty. Raises
        BackupNotFoundError, BackupDamagedError, DumpError, DatabaseNotEmptyError, DatabaseError;
        then nothing is changed.
        """
        backup = await self._choose(name)
        with tempfile.TemporaryDirectory(prefix="tell-restore-") as folder:
            file = Path(folder) / "backup"
            if await self._fetch(backup.name, file) != backup.sha256:
                raise BackupDamagedError(self.where(backup.name))
            if await asyncio.to_thread(_revision, file) != migrations.head():
                file = await _upgrade(file, Path(folder))
            with _reading(file) as lines:
                read_header(lines)
                async with database.write(limit_s=None) as connection:
                    if not force:
                        await check_empty(connection)
                    rows = await load(connection, lines)
                    await skip_events(connection, _SKIPPED_EVENTS)
        return Restored(backup, rows)

    async def _choose(self, name: str | None) -> Backup:
        for backup in await self.all():
            if name in {None, backup.name}:
                return backup
        raise BackupNotFoundError(self._storage.where(_FOLDER), name)

    async def _digest(self, name: str) -> str:
        text = await self._storage.read(f"{_FOLDER}/{name}{_DIGEST}")
        return text.decode("ascii", "replace").partition(" ")[0]

    async def _fetch(self, name: str, target: Path) -> str:
        """Copy the stored object to a local file; returns its digest."""
        key = f"{_FOLDER}/{name}"
        try:
            size_bytes = await self._storage.size(key)
        except ObjectNotFoundError as error:
            raise BackupNotFoundError(self._storage.where(_FOLDER), name) from error
        sha256 = hashlib.sha256()
        with _create(target) as out:
            for start in range(0, size_bytes, _BLOCK_BYTES):
                block = await self._storage.read_range(key, start, _BLOCK_BYTES)
                sha256.update(block)
                out.write(block)
        return sha256.hexdigest()


async def _upgrade(file: Path, folder: Path) -> Path:
    """The same backup with the tables of this version."""
    target = folder / "upgraded"
    scratch = folder / "scratch"
    scratch.mkdir()
    with _reading(file) as lines:
        await _write_gzip(target, upgraded(read_header(lines), lines, scratch))
    return target


async def _write_gzip(file: Path, lines: AsyncIterator[bytes]) -> None:
    # mtime 0: the same database gives the same bytes.
    with _create(file) as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as out:
        async for line in lines:
            out.write(line)


@contextmanager
def _reading(file: Path) -> Iterator[Iterator[bytes]]:
    """The lines of a gzipped file; they raise DumpError where it cannot be unpacked."""

    def lines(opened: gzip.GzipFile) -> Iterator[bytes]:
        try:
            yield from opened
        except (OSError, EOFError, zlib.error) as error:
            raise DumpError(f"it cannot be unpacked: {error}") from error

    with gzip.open(file, "rb") as opened:
        yield lines(opened)


def _revision(file: Path) -> str:
    with _reading(file) as lines:
        return read_header(lines).revision


def _create(file: Path) -> BinaryIO:
    return file.open("xb")


def _digest_of_file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _taken_at(name: str) -> datetime | None:
    """When the backup of that name was taken; None for any other name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        return datetime.strptime(f"{match[1]}{match[2]}+0000", "%Y%m%dT%H%M%S%f%z")
    except ValueError:
        return None
