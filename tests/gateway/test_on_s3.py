"""A gateway whose tracks lie in a bucket."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from demo.services.s3_front import s3_front
from gateway.logs import masked_text
from gateway.presigning import TO_KEEP, Presigner
from gateway.settings import DeliverySettings
from media.settings import CacheSettings, MediaSettings
from media.storage import LocalStorage
from media.track import Rendition
from tests.gateway.delivery.lines import SEGMENT, get_range, line_to, watch
from tests.gateway.town import Clients, HandClock, Town, bearer, open_town
from tests.services.s3 import CREDENTIALS, S3Server, s3_server
from tests.sounds import publish_short_track
from tests.web.test_modules import node

pytestmark = pytest.mark.xdist_group("s3")

MOVIE_ID = "the-general"
JS = Path(__file__).parent.parent.parent / "gateway" / "web" / "js"


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
        endpoint: str | None = None,
    ) -> Town:
        """Start Tell; *cache* is the folder of its cache, or "" for none.

        *endpoint* is that of what stands before the server.
        """
        media = MediaSettings(
            root="s3://films/evening",
            s3=self.server.settings(timeout_s=2.0, endpoint=endpoint or self.server.endpoint),
            pointers_fresh_s=0.0,
            cache=CacheSettings(dir=cache, pointers_patience_s=0.2),
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
    rest = {"Range": "bytes=500-", "Accept": TO_KEEP}
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
            # A client that is sent on sends the same headers again (Fetch 4.4).
            async with phone.get(address, headers=headers) as answer:
                assert answer.status == (206 if headers else 200)
                found[name] = await answer.read()
            broken = address.replace("X-Amz-Expires=60", "X-Amz-Expires=61")
            async with phone.get(broken) as answer:
                assert answer.status == 403
    assert hashlib.sha256(found["whole"]).hexdigest() == bucket.rendition.sha256
    assert found["rest"] == found["whole"][500:]
    tag = f'"{bucket.rendition.sha256}"'
    for headers, status in (
        ({"Range": SEGMENT}, 206),
        ({"Range": SEGMENT, "Accept": TO_KEEP}, 206),
        ({"Range": "bytes=0-"}, 206),
        # The tag is Tell's, and the bucket has another: who names it is answered by Tell.
        ({**rest, "If-Range": tag}, 206),
        ({**rest, "If-Range": '"another"'}, 200),
        ({"If-Match": tag}, 200),
        ({"If-None-Match": tag}, 304),
    ):
        async with town.tell.get(download["url"], headers=headers, allow_redirects=False) as answer:
            assert answer.status == status, headers
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
    for path in ("/listen", "/app/sw.js"):
        async with town.tell.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert f"connect-src 'self' {origin}" in policy.split("; ")
    signature = address.partition("X-Amz-Signature=")[2].partition("&")[0]
    assert len(signature) == 64
    assert signature not in caplog.text
    assert signature not in masked_text(f"what a library might say: {address}")


async def test_the_apps_download_goes_on_where_it_was_cut_in_the_bucket(
    bucket: Bucket, tmp_path: Path, amc: TestServer, clock: HandClock, aiohttp_client: Clients
) -> None:
    """By the app's own code, from a bucket that keeps If-Range by its own tag: only what missed."""
    size = bucket.rendition.size_bytes
    async with s3_front(bucket.server.endpoint) as (front, endpoint):
        town = await bucket.town(
            tmp_path,
            amc,
            clock,
            aiohttp_client,
            cache="",
            delivery=DeliverySettings(presigned_s=60),
            endpoint=endpoint,
        )
        sold, listener = await town.ticket()
        (download,) = (await town.grant(listener, sold))["downloads"]
        address = str(town.tell.make_url(download["url"]))
        shelf = LocalStorage(tmp_path / "shelf")
        (key,) = (each for each in await shelf.list("tracks") if each.endswith(".mp4"))
        whole = await shelf.read(key)
        before = tmp_path / "before"
        before.write_bytes(whole[:500])
        assert await _download(address, download, before) == {"outcome": "whole", "news": []}
        assert front.ranges() == ["bytes=500-"]
        # What lay on the phone was not what it should be: found, and fetched anew, whole.
        before.write_bytes(b"x" * 500)
        said = await _download(address, download, before)
        assert said == {"outcome": "whole", "news": ["damaged"]}
        assert front.ranges() == ["bytes=500-", "bytes=500-", ""]
        # The front is such a bucket: with a tag of ours it sends all of it again.
        async with town.tell.get(
            download["url"],
            headers={"Range": "bytes=500-", "Accept": TO_KEEP},
            allow_redirects=False,
        ) as answer:
            there = answer.headers["Location"]
        by_tag = {"Range": "bytes=500-", "If-Range": f'"{bucket.rendition.sha256}"'}
        async with aiohttp.ClientSession() as phone, phone.get(there, headers=by_tag) as answer:
            assert (answer.status, len(await answer.read())) == (200, size)


async def _download(address: str, download: dict[str, Any], before: Path) -> Any:
    """What the app's download says (gateway/web/js/transfer.js), begun with what lies in a file."""
    process = await asyncio.create_subprocess_exec(
        node(),
        str(Path(__file__).parent / "download.mjs"),
        str(JS / "transfer.js"),
        address,
        download["sha256"],
        str(download["size_bytes"]),
        str(before),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(said)


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
