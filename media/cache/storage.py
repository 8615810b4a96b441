"""A far storage, read through a bounded cache on this machine's disk.

Renditions come whole, in blocks, and are kept under the digest that track.json gives them: one is
used when its bytes have that digest, which each process finds out once, after a restart too. While
it comes, it is read block by block, each fetched once however many ask. What cannot be kept is
passed through. Small objects are kept for when the storage does not answer.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from media.cache.filling import Filling, FillingEndedError
from media.cache.flights import Flights
from media.cache.notes import Notes, Outcome
from media.cache.pointers import KnownPointers, Pointers, document_name
from media.cache.shelf import NoPart, Part, Shelf
from media.errors import ObjectNotFoundError, RangeError, StorageError, TrackFormatError
from media.ids import is_language
from media.storage import Presigns, Storage, check_key
from media.track import load_track

_TRACKS = 64
# Seconds until a file that could not be begun is tried again, by why.
_BUSY_S = 1.0
_TROUBLE_S = 10.0
_WRONG_S = 60.0
# How often the use of a file is written down, in seconds.
_TOUCH_S = 10.0


class _Content(NamedTuple):
    """What a rendition's file must be."""

    name: str
    size_bytes: int


class CachedStorage:
    """Reads *far* through *shelf*. *place* names the far storage; *monotonic* is in seconds."""

    def __init__(
        self,
        far: Storage,
        shelf: Shelf,
        place: str,
        notes: Notes,
        *,
        fresh_s: float,
        patience_s: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._far = far
        self._shelf = shelf
        self._place = place
        self._notes = notes
        self._monotonic = monotonic
        self._pointers = KnownPointers(
            shelf, place, notes, monotonic, fresh_s=fresh_s, patience_s=patience_s
        )
        self._contents: OrderedDict[str, dict[str, _Content]] = OrderedDict()
        # Files whose digest this process has seen to be right, and when their use was noted.
        self._checked: dict[str, float] = {}
        self._fillings: dict[str, Filling] = {}
        self._completing: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[str, float] = {}
        self._documents = Flights[bytes]()
        self._openings = Flights[Filling | None]()
        self._passing = Flights[bytes]()

    async def start(self) -> None:
        """Make the folder, and remove what dead writers left; a disk that fails is passed by."""
        try:
            await asyncio.to_thread(self._shelf.prepare)
        except OSError as error:
            self._notes.trouble(Outcome.DISK, self._place, error.strerror or str(error))

    async def stop(self) -> None:
        """Give up what is on its way."""
        await self._pointers.cancel()
        for flights in (self._documents, self._openings, self._passing):
            await flights.cancel()
        tasks = list(self._completing.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for name in list(self._fillings):
            filling = self._fillings.pop(name)
            await filling.cancel()
            self._drop(filling)

    def path(self, sha256: str) -> Path:
        """Where the rendition of that digest is, when it is here."""
        return self._shelf.path(_file_name(sha256))

    def may_use(self, path: str) -> bool:
        """Whether a file may be read at its *path*, past `read_range`; notes that it is in use."""
        name = os.path.basename(path)  # noqa: PTH119  (a Path costs more than all the rest)
        return self._use(name)

    async def presigned(self, key: str, lasts: timedelta) -> str:
        """An address at the far storage, good for that long: a secret."""
        if not isinstance(self._far, Presigns):
            raise StorageError(key, "is in a storage without addresses")
        return await self._far.presigned(key, lasts)

    def used_bytes(self) -> int:
        """Bytes of all that is kept here; 0 where the disk does not tell."""
        try:
            return self._shelf.used_bytes()
        except OSError:
            return 0

    async def read(self, key: str) -> bytes:
        """Whole object; what belongs to a version never changes, and is kept."""
        if not _is_of_version(key):
            return await self._far.read(key)
        name = document_name(self._place, check_key(key))
        try:
            data = await asyncio.to_thread(self._shelf.read_document, name)
        except OSError as error:
            self._disk(key, error)
            data = None
        if data is not None:
            return data
        return await self._documents.join(key, lambda: self._fetch_document(key, name))

    async def read_range(self, key: str, start: int, size: int) -> bytes:
        """Up to *size* bytes from *start*, fewer at the end; raises RangeError past the end."""
        content = await self._content(key)
        if content is None:
            return await self._far.read_range(key, start, size)
        if not 0 <= start < content.size_bytes:
            raise RangeError(key, start, content.size_bytes)
        size = min(size, content.size_bytes - start)
        try:
            piece = await self._read_near(key, content, start, size)
        except FillingEndedError:
            # It came whole meanwhile, or was given up: the storage has it in any case.
            piece = None
        except OSError as error:
            self._disk(key, error)
            self._abandon(content.name, _TROUBLE_S)
            piece = None
        return await self._pass(key, start, size) if piece is None else piece

    async def read_below(self, prefix: str, name: str) -> Mapping[str, bytes]:
        """The object *name* of each language's folder below *prefix*, by folder, sorted."""
        return await self._pointers.get(prefix, lambda: self._read_far_below(prefix, name))

    async def size(self, key: str) -> int:
        """Size in bytes."""
        return await self._far.size(key)

    async def list(self, prefix: str) -> list[str]:
        """All keys below a folder."""
        return await self._far.list(prefix)

    async def folders(self, prefix: str) -> Sequence[str]:
        """Names of the folders directly below *prefix*."""
        return await self._far.folders(prefix)

    async def _read_near(self, key: str, content: _Content, start: int, size: int) -> bytes | None:
        """Bytes of a file that is here, or on its way; None where it is neither."""
        name = content.name
        if self._use(name):
            piece = await asyncio.to_thread(_read_piece, self._shelf.path(name), start, size)
            if piece is not None:
                self._notes.note(Outcome.KEPT)
                return piece
            self._checked.pop(name, None)
        filling = self._fillings.get(name) or await self._openings.join(
            name, lambda: self._open(key, content)
        )
        if filling is not None:
            try:
                piece = await filling.read(start, size)
            except StorageError:
                if filling.is_empty:
                    self._abandon(name, _BUSY_S)
                raise
            # After the first block that came: a storage that was away is back.
            self._go_on(key, content, filling)
            self._notes.note(Outcome.FILLING)
            return piece
        if name in self._checked:
            # It was here, and found to be right just now.
            return await asyncio.to_thread(_read_piece, self._shelf.path(name), start, size)
        return None

    async def _open(self, key: str, content: _Content) -> Filling | None:
        """Find the file here, or begin to fetch it; None where it is here or cannot be fetched."""
        name = content.name
        if self._monotonic() < self._not_before.get(name, float("-inf")):
            return None
        digest = await asyncio.to_thread(self._shelf.digest, name)
        if digest is not None:
            if _file_name(digest) == name:
                self._checked[name] = float("-inf")
                return None
            self._notes.trouble(Outcome.DAMAGED, key, "the file in the cache has changed")
            await asyncio.to_thread(self._shelf.remove, name)
        part = await asyncio.to_thread(self._shelf.reserve, name, content.size_bytes)
        if not isinstance(part, Part):
            if part is NoPart.FULL:
                self._notes.trouble(Outcome.FULL, key, part.value)
            elif part is NoPart.NO_SPACE:
                self._notes.trouble(Outcome.DISK, key, part.value)
            wait_s = _BUSY_S if part in {NoPart.BUSY, NoPart.KEPT} else _TROUBLE_S
            self._not_before[name] = self._monotonic() + wait_s
            return None
        self._not_before.pop(name, None)
        filling = self._fillings[name] = Filling(key, part, self._far.read_range)
        return filling

    def _go_on(self, key: str, content: _Content, filling: Filling) -> None:
        """Fetch the rest, unless that is under way."""
        name = content.name
        if name in self._completing or self._fillings.get(name) is not filling:
            return
        if self._monotonic() < self._not_before.get(name, float("-inf")):
            return
        task = asyncio.create_task(self._complete(key, content, filling))
        self._completing[name] = task
        task.add_done_callback(lambda _: self._completing.pop(name))

    async def _complete(self, key: str, content: _Content, filling: Filling) -> None:
        name = content.name
        try:
            await filling.complete()
            digest = await filling.digest()
            if _file_name(digest) != name:
                self._notes.trouble(Outcome.WRONG, key, "is not what track.json says")
                self._abandon(name, _WRONG_S)
                return
            await asyncio.to_thread(self._shelf.keep, filling.part)
        except StorageError as error:
            # What came is kept; the next one who asks has the rest fetched.
            self._not_before[name] = self._monotonic() + _BUSY_S
            self._notes.trouble(Outcome.INTERRUPTED, key, str(error))
            return
        except FillingEndedError:
            # Somebody who reads it found the disk at fault.
            return
        except OSError as error:
            self._disk(key, error)
            self._abandon(name, _TROUBLE_S)
            return
        self._checked[name] = float("-inf")
        self._fillings.pop(name).close()
        self._notes.note(Outcome.FILLED)
        for trouble in (Outcome.INTERRUPTED, Outcome.FULL, Outcome.DISK, Outcome.DAMAGED):
            self._notes.well(trouble)

    async def _pass(self, key: str, start: int, size: int) -> bytes:
        """Bytes from the storage itself; those who ask for the same share one request."""
        self._notes.note(Outcome.PASSED)
        return await self._passing.join(
            (key, start, size), lambda: self._read_far(key, start, size)
        )

    async def _read_far(self, key: str, start: int, size: int) -> bytes:
        return await self._far.read_range(key, start, size)

    async def _fetch_document(self, key: str, name: str) -> bytes:
        data = await self._far.read(key)
        try:
            await asyncio.to_thread(self._shelf.write_document, name, data)
        except OSError as error:
            self._disk(key, error)
        return data

    async def _content(self, key: str) -> _Content | None:
        """What a rendition's file must be; None for what is none, or has no track.json."""
        prefix, _, name = key.rpartition("/")
        if not _is_of_version(key) or not name.endswith(".mp4"):
            return None
        contents = self._contents.get(prefix)
        if contents is None:
            where = f"{prefix}/track.json"
            try:
                track = load_track(await self.read(where), where)
            except (ObjectNotFoundError, TrackFormatError):
                return None
            contents = {
                each.file_name: _Content(_file_name(each.sha256), each.size_bytes)
                for each in track.renditions
            }
            self._contents[prefix] = contents
            if len(self._contents) > _TRACKS:
                self._contents.popitem(last=False)
        return contents.get(name)

    async def _read_far_below(self, prefix: str, name: str) -> Pointers:
        languages = [each for each in await self._far.folders(prefix) if is_language(each)]
        found = await asyncio.gather(
            *(self._read_if_there(f"{prefix}/{language}/{name}") for language in languages)
        )
        pairs = zip(languages, found, strict=True)
        return {language: data for language, data in pairs if data is not None}

    async def _read_if_there(self, key: str) -> bytes | None:
        try:
            return await self._far.read(key)
        except ObjectNotFoundError:
            # The first version is on its way in.
            return None

    def _use(self, name: str) -> bool:
        """Whether a file was found to be right; notes that it is in use."""
        noted_at = self._checked.get(name)
        if noted_at is None:
            return False
        now = self._monotonic()
        if now - noted_at >= _TOUCH_S:
            self._checked[name] = now
            try:
                self._shelf.use(name)
            except OSError as error:
                self._disk(name, error)
        return True

    def _abandon(self, name: str, wait_s: float) -> None:
        """Give up a file that was on its way, for a while."""
        self._not_before[name] = self._monotonic() + wait_s
        filling = self._fillings.pop(name, None)
        if filling is not None:
            filling.close()
            self._drop(filling)

    def _drop(self, filling: Filling) -> None:
        try:
            self._shelf.drop(filling.part)
        except OSError as error:
            self._disk(filling.part.name, error)

    def _disk(self, key: str, error: OSError) -> None:
        self._notes.trouble(Outcome.DISK, key, error.strerror or str(error))


def _file_name(sha256: str) -> str:
    return f"{sha256}.mp4"


def _is_of_version(key: str) -> bool:
    """Whether an object belongs to one version of a track: its own folder, which never changes."""
    parts = key.split("/")
    return len(parts) == 5 and parts[0] == "tracks"


def _read_piece(path: Path, start: int, size: int) -> bytes | None:
    try:
        with path.open("rb", buffering=0) as file:
            return os.pread(file.fileno(), size, start)
    except FileNotFoundError:
        return None
