"""From `media.root` to the storage that it names: a folder, or a bucket at `s3://`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from media.s3_address import is_s3, parse_s3
from media.settings import MediaSettings
from media.storage import LocalStorage, Storage, WritableStorage

if TYPE_CHECKING:
    from media.s3 import S3Storage

_MB = 1_000_000


def open_storage(
    settings: MediaSettings, environ: Mapping[str, str], clock: Callable[[], datetime]
) -> WritableStorage:
    """The storage at *settings*.root; nothing is asked of it yet.

    *environ* holds the credentials of S3, *clock* tells when its locks end.
    """
    if not is_s3(settings.root):
        return LocalStorage(Path(settings.root))
    return _open_bucket(settings, environ, clock)


def open_reader(
    settings: MediaSettings,
    environ: Mapping[str, str],
    clock: Callable[[], datetime],
    count: Callable[[str], None] = lambda outcome: None,
) -> Storage:
    """The same for those who only read: a bucket through the cache of [media.cache], if it has one.

    *count* is told what happens in the cache (media/cache/notes.py).
    """
    if not is_s3(settings.root):
        return LocalStorage(Path(settings.root))
    far = _open_bucket(settings, environ, clock)
    cache = settings.cache
    if not cache.dir:
        return far
    from media.cache.notes import Notes, Outcome
    from media.cache.shelf import Shelf
    from media.cache.storage import CachedStorage

    notes = Notes(count)
    shelf = Shelf(
        Path(cache.dir), cache.max_mb * _MB, clock, lambda name: notes.note(Outcome.EVICTED)
    )
    return CachedStorage(
        far,
        shelf,
        f"{settings.s3.endpoint} {settings.root}",
        notes,
        fresh_s=settings.pointers_fresh_s,
        patience_s=cache.pointers_patience_s,
    )


def _open_bucket(
    settings: MediaSettings, environ: Mapping[str, str], clock: Callable[[], datetime]
) -> S3Storage:
    # Imported here, so that a laptop with a folder does not load an S3 client at each start.
    from media.s3 import S3Storage

    bucket, prefix = parse_s3(settings.root)
    return S3Storage(bucket, prefix, settings.s3, environ, clock)
