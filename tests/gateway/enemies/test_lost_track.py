"""A published track that is deleted under a listener, and published again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.gateway.enemies.clients import RENDITION
from tests.gateway.enemies.conftest import copied
from tests.gateway.enemies.house import House
from tests.gateway.workers.clients import Wire

pytestmark = pytest.mark.xdist_group("enemies")

RANGE = "Range: bytes=100-8099"


async def test_a_deleted_track_is_told_and_heals(prepared: Path, tmp_path: Path) -> None:
    """The same listener on the same connection; nothing is restarted and nothing asked anew."""
    media = tmp_path / "media"
    shutil.copytree(prepared / "media", media)
    house = House.start(copied(prepared, tmp_path / "house"), media)
    piece = house.published(RENDITION)[100:8100]
    wire = await Wire(house.port).open()
    try:
        for _ in range(2):
            _, body = await wire.get(house.files[RENDITION], RANGE)
            assert body == piece
        shutil.copytree(media / "tracks", tmp_path / "published")
        shutil.rmtree(media / "tracks")
        # What is open may be read for a second yet.
        while body == piece:
            head, body = await wire.get(house.files[RENDITION], RANGE)
        assert head.startswith(b"HTTP/1.1 503 "), head
        assert b"\r\nRetry-After: " in head
        assert json.loads(body)["code"] == "storage-unavailable"
        head, body = await wire.get(house.grant, f"Authorization: Bearer {house.listener}")
        assert head.startswith(b"HTTP/1.1 404 "), head
        assert json.loads(body)["code"] == "not-described"
        _, metrics = await wire.get("/metrics")
        assert b"\ntell_tracks_missing 1.0\n" in metrics
        assert b"\ntell_storage_errors_total{" in metrics
        shutil.copytree(tmp_path / "published", media / "tracks")
        _, body = await wire.get(house.files[RENDITION], RANGE)
        assert body == piece
        head, _ = await wire.get(house.grant, f"Authorization: Bearer {house.listener}")
        assert head.startswith(b"HTTP/1.1 200 ")
    finally:
        wire.close()
        house.end()
