"""The town of the gateway's tests, for schemathesis."""

from __future__ import annotations

from tests.gateway.conftest import (
    amc,
    chain,
    clock,
    database_url,
    media_root,
    town,
    track,
    tracks,
)

__all__ = ["amc", "chain", "clock", "database_url", "media_root", "town", "track", "tracks"]
