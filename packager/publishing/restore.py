"""Going back: an earlier version made current again, or no version at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from media.errors import LockedError, StorageError, TrackFormatError
from media.storage import WritableStorage
from media.track import Track
from packager.errors import DamagedVersionError, NotPublishedError, PublishError, TrackBusyError
from packager.publishing.catalogue import find, read_version
from packager.publishing.digests import stored_sha256
from packager.publishing.locking import locked
from packager.publishing.pointer import Switched, switch
from packager.publishing.version import content_version


async def roll_back(
    storage: WritableStorage,
    movie_id: str,
    language: str,
    version: str | None,
    clock: Callable[[], datetime],
    on_file: Callable[[str], None],
) -> tuple[Track, Switched]:
    """Make *version* current again, the newest earlier one where it is None.

    All of its files are read and compared first; *on_file* is told each. Raises NotPublishedError,
    DamagedVersionError, TrackBusyError, PublishError.
    """
    where = f"{movie_id}/{language}"
    async with locked(storage, movie_id, language) as hold:
        entry = await find(storage, movie_id, language)
        earlier = () if entry.current is None else entry.current.earlier
        if version is None:
            if not earlier:
                raise NotPublishedError(
                    where, "has no earlier version", "package the one that you want"
                )
            version = earlier[0].version
        try:
            track = await read_version(storage, movie_id, language, version)
            if content_version(track) != version:
                key = f"{track.prefix}/track.json"
                raise DamagedVersionError(
                    storage.where(key), "it says other things than were published"
                )
            for rendition in track.renditions:
                on_file(rendition.file_name)
                key = f"{track.prefix}/{rendition.file_name}"
                found = await stored_sha256(storage, key)
                if found is None:
                    raise DamagedVersionError(storage.where(key), "the file is missing")
                if found != rendition.sha256:
                    raise DamagedVersionError(storage.where(key), "its digest is another one")
            hold.check()
            return track, await switch(storage, movie_id, language, version, clock)
        except TrackFormatError as error:
            raise DamagedVersionError(where, str(error)) from error
        except LockedError as error:
            raise TrackBusyError(where, error.holder) from error
        except StorageError as error:
            raise PublishError(storage.where(error.key), str(error)) from error


async def withdraw(
    storage: WritableStorage, movie_id: str, language: str, clock: Callable[[], datetime]
) -> Switched:
    """Offer the track to nobody from now on; who listens hears it to the end.

    Raises NotPublishedError, TrackBusyError, PublishError.
    """
    async with locked(storage, movie_id, language) as hold:
        await find(storage, movie_id, language)
        try:
            hold.check()
            return await switch(storage, movie_id, language, None, clock)
        except TrackFormatError as error:
            raise PublishError(error.where, str(error)) from error
        except LockedError as error:
            raise TrackBusyError(f"{movie_id}/{language}", error.holder) from error
        except StorageError as error:
            raise PublishError(storage.where(error.key), str(error)) from error
