"""A gateway whose tracks lie in a bucket."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from gateway.logs import masked_text
from gateway.presigning import Presigner
from gateway.settings import DeliverySettings
from media.settings import CacheSettings, MediaSettings
from media.storage import LocalStorage
from media.track import Rendition
from tests.gateway.delivery.lines import SEGMENT, get_range, line_to, watch
from tests.gateway.town import Clients, HandClock, Town, bearer, open_town
from tests.services.s3 import CREDENTIALS, S3Server, s3_server
from tests.sounds import publish_short_track

pytestmark = pytest.mark.xdist_group("s3")

MOVIE_ID = "the-general"


class Bucket:
    """A server with a published track of one rendition, and a Tell that reads it."""

    def __init__(self, server: S3Server, rendition: Rendition) -> None:
        self.server = server
        self.rendition = rendition

    async def town(
        self,
        folder: Path,
        amc: TestServer,
        clock: HandClock,
        clients: Clients,
        *,
        cache: str,
        delivery: DeliverySettings | None = None,
    ) -> Town:
        """Start Tell; *cache* is the folder of its cache, or "" for none."""
        media = MediaSettings(
            root="s3://films/evening",
            s3=self.server.settings(timeout_s=2.0),
            cache=CacheSettings(dir=cache, pointers_fresh_s=0.0, pointers_patience_s=0.2),
        )
        return await open_town(
            folder,
            folder / "unused",
            amc,
            clock,
            clients,
            environ=CREDENTIALS,
            media=media,
            delivery=delivery or DeliverySettings(),
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    """A server of this test's own, which it may kill."""
    with s3_server(tmp_path / "s3") as running:
        yield running


@pytest.fixture
async def bucket(tmp_path: Path, server: S3Server) -> Bucket:
    """The General, published."""
    shelf = LocalStorage(tmp_path / "shelf")
    track = await publish_short_track(tmp_path / "shelf", MOVIE_ID, ladder=("aac-64k",))
    storage = server.storage("films", "evening")
    for key in await shelf.list("tracks"):
        await storage.put_file(key, shelf.path(key))
    return Bucket(server, track.renditions[0])


async def test_a_track_in_a_bucket_is_granted_listed_and_served(
    bucket: Bucket, tmp_path: Path, amc: TestServer, clock: HandClock, aiohttp_client: Clients
) -> None:
    """What was published to S3 is heard from there; without the server /readyz says so."""
    town = await bucket.town(tmp_path, amc, clock, aiohttp_client, cache="")
    sold, listener = await town.ticket()
    grant = await town.grant(listener, sold)
    assert "#EXTM3U" in await town.text(grant["hls"])
    (download,) = grant["downloads"]
    async with town.tell.get(download["url"], headers=bearer(listener)) as answer:
        body = await answer.read()
    assert hashlib.sha256(body).hexdigest() == bucket.rendition.sha256
    async with town.tell.get("/readyz") as answer:
        assert (await answer.json())["checks"]["storage"]["ok"] is True
    bucket.server.kill()
    problem = await town.problem(f"/media/audio/{MOVIE_ID}", headers=bearer(listener))
    assert (problem["status"], problem["code"]) == (503, "storage-unavailable")


async def test_what_was_heard_comes_the_short_way_and_without_the_bucket(
    bucket: Bucket, tmp_path: Path, amc: TestServer, clock: HandClock, aiohttp_client: Clients
) -> None:
    """From the cache a segment is sent as from a folder; the bucket may be gone, and it is said."""
    town = await bucket.town(tmp_path, amc, clock, aiohttp_client, cache=str(tmp_path / "cache"))
    sold, listener = await town.ticket()
    grant = await town.grant(listener, sold)
    (download,) = grant["downloads"]
    courier, _ = watch(town)
    async with line_to(town) as line:
        # Until the file came whole each segment goes the long way; each turn is one of them.
        _, first = await line.ask(get_range(download["url"]))
        while not courier.answered:
            head, body = await line.ask(get_range(download["url"]))
            assert (head[:13], body) == (b"HTTP/1.1 206 ", first)
        bucket.server.kill()
        assert (await line.ask(get_range(download["url"])))[1] == first
        assert courier.answered > 1
    # What is current is known from before.
    assert (await town.grant(listener, sold))["hls"]
    async with town.tell.get("/readyz") as answer:
        assert (await answer.json())["checks"]["storage"]["ok"] is False
    metrics = await town.text("/metrics")
    assert 'tell_media_cache_total{outcome="filled"} 1.0' in metrics
    assert 'tell_media_cache_total{outcome="stale"}' in metrics
    size = [line for line in metrics.splitlines() if line.startswith("tell_media_cache_bytes ")]
    assert float(size[0].split()[1]) >= bucket.rendition.size_bytes


async def test_downloads_may_come_from_the_bucket_itself(
    bucket: Bucket,
    tmp_path: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A download is sent on, with an address of its own each time; a player's pieces are not."""
    caplog.set_level("DEBUG")
    delivery = DeliverySettings(presigned_s=60)
    town = await bucket.town(tmp_path, amc, clock, aiohttp_client, cache="", delivery=delivery)
    sold, listener = await town.ticket()
    (download,) = (await town.grant(listener, sold))["downloads"]
    rest = {"Range": "bytes=500-", "If-Range": f'"{bucket.rendition.sha256}"'}
    found = {}
    async with aiohttp.ClientSession() as phone:
        for name, headers in {"whole": {}, "rest": rest}.items():
            async with town.tell.get(
                download["url"], headers=headers, allow_redirects=False
            ) as answer:
                assert answer.status == 307
                assert answer.headers["Cache-Control"] == "private, no-store"
                address = answer.headers["Location"]
            assert "X-Amz-Expires=60&" in address
            # The bucket knows no tag of ours, and sends what is asked for.
            asked = {"Range": headers["Range"]} if headers else {}
            async with phone.get(address, headers=asked) as answer:
                assert answer.status == (206 if headers else 200)
                found[name] = await answer.read()
            broken = address.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
            async with phone.get(broken) as answer:
                assert answer.status == 403
    assert hashlib.sha256(found["whole"]).hexdigest() == bucket.rendition.sha256
    assert found["rest"] == found["whole"][500:]
    for headers in ({"Range": SEGMENT}, {"Range": "bytes=0-"}):
        async with town.tell.get(download["url"], headers=headers, allow_redirects=False) as answer:
            assert answer.status == 206
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    for path in ("/listen", "/app/sw.js"):
        async with town.tell.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert f"connect-src 'self' {origin}" in policy.split("; ")
    signature = address.partition("X-Amz-Signature=")[2].partition("&")[0]
    assert len(signature) == 64
    assert signature not in caplog.text
    assert signature not in masked_text(f"what a library might say: {address}")


async def test_an_address_is_good_for_its_time_alone(bucket: Bucket) -> None:
    """One that was made for a second opens nothing after it; Tell was not asked again."""
    storage = bucket.server.storage("films", "evening")
    presigner = await Presigner.open(storage, timedelta(seconds=1))
    assert presigner.origin == bucket.server.endpoint
    (key,) = (each for each in await storage.list("tracks") if each.endswith(".mp4"))
    address = (await presigner.redirect(key)).headers["Location"]
    async with aiohttp.ClientSession() as phone:
        status = 200
        # Each turn is a request; the bucket's own clock ends it.
        while status == 200:
            async with phone.get(address) as answer:
                status = answer.status
    assert status == 403
