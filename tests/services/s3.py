"""A real S3 server for tests (demo/services/s3.py)."""

from __future__ import annotations

from demo.services.s3 import (
    ACCESS_KEY_ID,
    CREDENTIALS,
    SECRET_ACCESS_KEY,
    S3Server,
    s3_server,
    utc_now,
)

__all__ = [
    "ACCESS_KEY_ID",
    "CREDENTIALS",
    "SECRET_ACCESS_KEY",
    "S3Server",
    "s3_server",
    "utc_now",
]
