"""A published track checked again on any later day: what is damaged is named, to the segment.

The source is gone by then, so the best rendition stands in for it: the others must lie where it
lies, and be as loud.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from media.bandwidth import average_bps, peak_bps
from media.errors import ObjectNotFoundError, StorageError
from media.grid import SAMPLE_RATE_HZ
from media.hls import TARGET_DURATION_S
from media.storage import Storage
from media.track import Rendition, Track
from packager.digest import file_sha256, piece_checksums
from packager.encoding.ladder import Rung
from packager.errors import VerifyError, WorkFolderError
from packager.ffmpeg import Tools
from packager.progress import Progress
from packager.publishing.locking import this_run
from packager.publishing.version import content_version
from packager.verification.levels import loudness_lufs
from packager.verification.playlists import verify_playlists
from packager.verification.reference import Reference, ReferenceBuilder
from packager.verification.rendition import (
    MOST_LOUDNESS_ERROR_LU,
    DecodedSound,
    check_lags,
    check_levels,
    decode_whole,
    read_structure,
)
from packager.work import work_folder

_PIECE_BYTES = 4 << 20
_REPLACE = "package its source again or roll back, and look at the storage's disks"
_REPORT = "package its source again; if that does not help, this is a fault of ours"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a published track.

    `where` is the storage key, with the bytes where they are known.
    """

    code: str
    where: str
    what: str
    mend: str


async def verify_published(
    storage: Storage, track: Track, tools: Tools, progress: Progress, parent: Path
) -> list[Problem]:
    """Read, decode and compare every file of *track*; returns what is wrong, best nothing.

    One file at a time is in a work folder below *parent*. Raises WorkFolderError where that is
    full.
    """
    check = _Check(storage, track, tools, progress)
    if content_version(track) != track.version:
        key = f"{track.prefix}/track.json"
        check.note("track-changed", key, "says other things than were published", _REPLACE)
    try:
        # Its own for each run: several may check one track at once.
        async with work_folder(
            parent, track.prefix, f"verify {os.getpid()}", this_run(), lambda _: ()
        ) as folder:
            for rendition in _best_first(track):
                await check.rendition(rendition, folder / rendition.file_name)
    except OSError as error:
        raise WorkFolderError(str(parent), error.strerror or str(error)) from error
    try:
        await asyncio.to_thread(verify_playlists, track)
    except VerifyError as error:
        check.note("playlist-wrong", f"{track.prefix}/track.json", error.found, _REPORT)
    return check.problems


def _best_first(track: Track) -> list[Rendition]:
    """AAC before Opus, which is some tenths of a sample off by its filters; high rates first."""
    return sorted(track.renditions, key=lambda each: (each.codec != "aac", -each.bit_rate_bps))


class _Check:
    def __init__(self, storage: Storage, track: Track, tools: Tools, progress: Progress) -> None:
        self.problems: list[Problem] = []
        self._storage = storage
        self._track = track
        self._tools = tools
        self._progress = progress
        self._reference: Reference | None = None

    def note(self, code: str, where: str, what: str, mend: str) -> None:
        """Keep a problem."""
        self.problems.append(Problem(code, where, what, mend))

    async def rendition(self, rendition: Rendition, path: Path) -> None:
        """Check one file, by way of *path*, which is removed again."""
        task = f"verify {rendition.name}"
        self._progress.begin(task, self._track.duration_samples)
        try:
            if await self._fetch(rendition, path):
                intact = await asyncio.to_thread(self._check_bytes, rendition, path)
                await self._check_sound(rendition, path, intact=intact)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)
        self._progress.end(task)

    def _key(self, rendition: Rendition) -> str:
        return f"{self._track.prefix}/{rendition.file_name}"

    async def _fetch(self, rendition: Rendition, path: Path) -> bool:
        """Copy the file out of the storage; False where it cannot be read."""
        key = self._key(rendition)
        try:
            size_bytes = await self._storage.size(key)
            with path.open("wb") as file:
                while file.tell() < size_bytes:
                    piece = await self._storage.read_range(key, file.tell(), _PIECE_BYTES)
                    await asyncio.to_thread(file.write, piece)
        except ObjectNotFoundError:
            self.note("file-missing", key, "is not there", _REPLACE)
            return False
        except StorageError as error:
            self.note("file-unreadable", key, str(error), "check the storage")
            return False
        return True

    def _check_bytes(self, rendition: Rendition, path: Path) -> bool:
        """Whether all bytes are those that were published; names those that are not."""
        key = self._key(rendition)
        size_bytes = path.stat().st_size
        if size_bytes == rendition.size_bytes and file_sha256(path) == rendition.sha256:
            return True
        if size_bytes != rendition.size_bytes:
            what = f"has {size_bytes} bytes instead of {rendition.size_bytes}"
            self.note("file-changed", key, what, _REPLACE)
        damaged = list(_damaged_ranges(rendition, path))
        for first, last, what in damaged:
            self.note("file-changed", f"{key} bytes {first}-{last}", what, _REPLACE)
        if not damaged and size_bytes == rendition.size_bytes:
            self.note("file-changed", key, "has another digest", _REPLACE)
        return False

    async def _check_sound(self, rendition: Rendition, path: Path, *, intact: bool) -> None:
        """Structure, decoding, place and level; *intact*: its bytes are those published."""
        key, length = self._key(rendition), self._track.duration_samples
        rung = Rung(rendition.codec, rendition.bit_rate_bps)
        stage = "file-structure"
        try:
            index = await asyncio.to_thread(read_structure, path, rung, length)
            found = {
                "codecs": index.entry.codecs,
                "init": index.init,
                "fragments": index.fragments,
                "segments": index.segments,
                "peak_bps": peak_bps(index.segments, TARGET_DURATION_S),
                "average_bps": average_bps(index.segments),
            }
            for name, value in found.items():
                if value != getattr(rendition, name):
                    what = f"its {name} differ from what track.json says"
                    self.note("index-differs", key, what, _REPORT)
            stage = "file-undecodable"
            loudness = await self._check_decoded(rendition, path, intact=intact)
            if loudness is not None and rendition.loudness_lufs is not None:
                difference_lu = loudness - rendition.loudness_lufs
                if abs(difference_lu) > MOST_LOUDNESS_ERROR_LU:
                    what = f"is {difference_lu:+.2f} LU louder than track.json says"
                    self.note("file-loudness", key, what, _REPORT)
        except VerifyError as error:
            # A file whose bytes have changed was named already, with the bytes.
            if intact or stage == "file-undecodable":
                self.note(stage, key, error.found, _REPORT if intact else _REPLACE)

    async def _check_decoded(
        self, rendition: Rendition, path: Path, *, intact: bool
    ) -> float | None:
        """Decode it; its loudness where that could be measured. Raises VerifyError."""
        key, length = self._key(rendition), self._track.duration_samples
        task = f"verify {rendition.name}"
        reference = self._reference
        if reference is None:
            builder = ReferenceBuilder(length)
            await decode_whole(path, rendition.name, length, self._tools, builder.feed)
            built = builder.finish(length)
            if intact:
                self._reference = built
            return loudness_lufs(built.energies)
        decoded = DecodedSound(reference, lambda samples: self._progress.advance(task, samples))
        await decode_whole(path, rendition.name, length, self._tools, decoded.feed)
        try:
            check_lags(rendition.name, decoded.lags(), length)
        except VerifyError as error:
            self.note("file-misaligned", key, error.found, _REPLACE)
        try:
            rung = Rung(rendition.codec, rendition.bit_rate_bps)
            check_levels(rung, decoded.energies(), reference.energies)
        except VerifyError as error:
            self.note("file-level", key, error.found, _REPLACE)
        return loudness_lufs(decoded.energies())


def _damaged_ranges(rendition: Rendition, path: Path) -> Iterator[tuple[int, int, str]]:
    """First and last byte of what has changed, and what that is.

    Segments have their own checksums; what lies before them (the movie header and the sidx) is what
    is left when they are all right.
    """
    if rendition.segment_crc32 is None:
        return
    found = piece_checksums(path, rendition.segments)
    pairs = zip(rendition.segments, found, rendition.segment_crc32, strict=True)
    damaged = [
        (number, segment) for number, (segment, now, then) in enumerate(pairs) if now != then
    ]
    at = 0
    starts = []
    for segment in rendition.segments:
        starts.append(at)
        at += segment.samples
    for number, segment in damaged:
        first_s = starts[number] / SAMPLE_RATE_HZ
        last_s = (starts[number] + segment.samples) / SAMPLE_RATE_HZ
        yield (
            segment.offset,
            segment.offset + segment.size - 1,
            f"segment {number} ({first_s:.2f} to {last_s:.2f} s) is not as it was published",
        )
    if not damaged and path.stat().st_size == rendition.size_bytes:
        yield 0, rendition.segments[0].offset - 1, "its movie header or sidx has changed"
