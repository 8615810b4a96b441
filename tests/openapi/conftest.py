"""The town of the gateway's tests, for schemathesis; one kind of database is enough for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.conftest import amc, chain, clock, media_root, town, track, tracks

__all__ = ["amc", "chain", "clock", "media_root", "town", "track", "tracks"]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Where the town's Tell keeps its purchases, which begins without tables."""
    return f"sqlite:///{tmp_path}/tell.db"
