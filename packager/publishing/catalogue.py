"""What is published: every track of a storage, its versions, and what is said of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from media.errors import ObjectNotFoundError, StorageError, TrackFormatError
from media.ids import is_id, is_language
from media.storage import WritableStorage
from media.track import Current, Track, load_track, track_prefix
from packager.errors import NotPublishedError, PublishError
from packager.publishing.locking import track_folder
from packager.publishing.pointer import read_pointer

_VERSION = re.compile(r"[0-9a-f]{16}")
_NAME_FORM = "name it as MOVIE_ID with --language, as `tell-package list` shows it"


@dataclass(frozen=True, slots=True)
class Entry:
    """A track as the storage has it: `current` and `track` are None where they cannot be read.

    `problem` says why.
    """

    movie_id: str
    language: str
    current: Current | None
    track: Track | None
    problem: str | None = None


async def entries(storage: WritableStorage, movie_id: str | None = None) -> list[Entry]:
    """All tracks, or those of one movie, sorted; raises PublishError."""
    try:
        movies = await storage.folders("tracks") if movie_id is None else [movie_id]
        return [
            await _entry(storage, movie, language)
            for movie in movies
            if is_id(movie)
            for language in await storage.folders(f"tracks/{movie}")
            if is_language(language)
        ]
    except StorageError as error:
        raise PublishError(storage.where(error.key), str(error)) from error


async def find(storage: WritableStorage, movie_id: str, language: str) -> Entry:
    """One track; raises NotPublishedError, PublishError, InvalidIdError."""
    track_folder(movie_id, language)
    try:
        entry = await _entry(storage, movie_id, language)
    except StorageError as error:
        raise PublishError(storage.where(error.key), str(error)) from error
    if entry.current is None and entry.problem is None:
        raise NotPublishedError(
            f"{movie_id}/{language}", "has never been published in this storage", _NAME_FORM
        )
    return entry


async def versions(storage: WritableStorage, movie_id: str, language: str) -> Sequence[str]:
    """Versions of which anything is stored; raises StorageError."""
    found = await storage.folders(track_folder(movie_id, language))
    return [name for name in found if _VERSION.fullmatch(name)]


async def read_version(
    storage: WritableStorage, movie_id: str, language: str, version: str
) -> Track:
    """One version; raises NotPublishedError, TrackFormatError, StorageError, InvalidIdError."""
    key = f"{track_prefix(movie_id, language, version)}/track.json"
    try:
        return load_track(await storage.read(key), key)
    except ObjectNotFoundError as error:
        raise NotPublishedError(
            f"{movie_id}/{language}",
            f"has no version {version}",
            "see its versions with `tell-package show`",
        ) from error


async def _entry(storage: WritableStorage, movie_id: str, language: str) -> Entry:
    try:
        current = (await read_pointer(storage, movie_id, language)).current
    except TrackFormatError as error:
        return Entry(movie_id, language, None, None, str(error))
    if current is None or current.version is None:
        return Entry(movie_id, language, current, None)
    try:
        track = await read_version(storage, movie_id, language, current.version)
    except (TrackFormatError, NotPublishedError) as error:
        return Entry(movie_id, language, current, None, str(error))
    return Entry(movie_id, language, current, track)
