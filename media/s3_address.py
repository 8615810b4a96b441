"""The form of `s3://<bucket>[/<prefix>]`."""

from __future__ import annotations

import re

from media.ids import is_id

# Amazon S3 User Guide, "Bucket naming rules".
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SCHEME = "s3://"


def is_s3(root: str) -> bool:
    """Whether *root* names a bucket and not a folder."""
    return root.startswith(_SCHEME)


def parse_s3(root: str) -> tuple[str, str]:
    """Bucket and prefix, the prefix without slashes around it; raises ValueError with the mend."""
    bucket, _, prefix = root.removeprefix(_SCHEME).partition("/")
    prefix = prefix.rstrip("/")
    if _BUCKET.fullmatch(bucket) is None or (
        prefix and not all(is_id(part) for part in prefix.split("/"))
    ):
        raise ValueError(
            f"{root!r} is no bucket: write s3://<bucket> or s3://<bucket>/<prefix>, "
            "the bucket in lower case"
        )
    return bucket, prefix
