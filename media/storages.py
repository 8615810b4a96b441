"""From `media.root` to the storage that it names: a folder, or a bucket at `s3://`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from media.s3_address import is_s3, parse_s3
from media.settings import MediaSettings
from media.storage import LocalStorage, WritableStorage


def open_storage(
    settings: MediaSettings, environ: Mapping[str, str], clock: Callable[[], datetime]
) -> WritableStorage:
    """The storage at *settings*.root; nothing is asked of it yet.

    *environ* holds the credentials of S3, *clock* tells when its locks end.
    """
    if not is_s3(settings.root):
        return LocalStorage(Path(settings.root))
    # Imported here, so that a laptop with a folder does not load an S3 client at each start.
    from media.s3 import S3Storage

    bucket, prefix = parse_s3(settings.root)
    return S3Storage(bucket, prefix, settings.s3, environ, clock)
