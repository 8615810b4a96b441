"""A gateway whose tracks lie in a bucket."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from media.settings import MediaSettings
from media.storage import LocalStorage
from tests.gateway.town import Clients, HandClock, bearer, open_town
from tests.services.s3 import CREDENTIALS, s3_server
from tests.sounds import publish_short_track

MOVIE_ID = "the-general"


@pytest.mark.xdist_group("s3")
async def test_a_track_in_a_bucket_is_granted_listed_and_served(
    tmp_path: Path, amc: TestServer, clock: HandClock, aiohttp_client: Clients
) -> None:
    """What was published to S3 is heard from there; without the server /readyz says so."""
    shelf = LocalStorage(tmp_path / "shelf")
    track = await publish_short_track(tmp_path / "shelf", MOVIE_ID, ladder=("aac-64k",))
    with s3_server(tmp_path / "s3") as server:
        bucket = server.storage("films", "evening")
        for key in await shelf.list("tracks"):
            await bucket.put_file(key, shelf.path(key))
        town = await open_town(
            tmp_path,
            tmp_path / "unused",
            amc,
            clock,
            aiohttp_client,
            environ=CREDENTIALS,
            media=MediaSettings(root="s3://films/evening", s3=server.settings(timeout_s=2.0)),
        )
        sold, listener = await town.ticket()
        grant = await town.grant(listener, sold)
        assert "#EXTM3U" in await town.text(grant["hls"])
        (download,) = grant["downloads"]
        async with town.tell.get(download["url"], headers=bearer(listener)) as answer:
            body = await answer.read()
        assert hashlib.sha256(body).hexdigest() == track.renditions[0].sha256
        async with town.tell.get("/readyz") as answer:
            assert (await answer.json())["checks"]["storage"]["ok"] is True
        server.kill()
        problem = await town.problem(f"/media/audio/{MOVIE_ID}", headers=bearer(listener))
        assert (problem["status"], problem["code"]) == (503, "storage-unavailable")
