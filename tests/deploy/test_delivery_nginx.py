"""deploy/nginx/delivery.conf: a real nginx that sends the sound, and asks Tell who may hear it."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from multidict import CIMultiDictProxy

from catalog.models import ScreeningStatus
from demo.services.nginx import Nginx, running_nginx
from gateway.settings import DeliverySettings
from media.track import Track
from tests.deploy.nginx import needs_nginx
from tests.gateway.conftest import amc, chain, clock, media_root, track, tracks
from tests.gateway.town import Clients, HandClock, Sold, Town, open_town

__all__ = ["amc", "chain", "clock", "media_root", "needs_nginx", "track", "tracks"]

SEGMENT = "bytes=1000-40999"
ROUTE = "/stream/{token}/decision"
FILE_ROUTE = "/stream/{token}/{rendition}.mp4"


@dataclass
class Front:
    """An nginx before a town's Tell, a listener's grant, and a file of hers."""

    nginx: Nginx
    town: Town
    session: aiohttp.ClientSession
    sold: Sold
    showtime_id: str
    listener: str
    grant: dict[str, Any]

    @property
    def url(self) -> str:
        """Path of the file."""
        (url,) = (each["url"] for each in self.grant["downloads"] if each["rendition"] == "aac-64k")
        return str(url)

    async def get(self, url: str, **headers: str) -> tuple[int, CIMultiDictProxy[str], bytes]:
        """Ask nginx."""
        async with self.session.get(url, headers=headers) as answer:
            return answer.status, answer.headers, await answer.read()

    async def counted(self, route: str, status: int) -> float:
        """How many GETs of a route this Tell answered so."""
        text = await self.town.text("/metrics")
        start = f'tell_http_requests_total{{method="GET",route="{route}",status="{status}"}} '
        found = [line for line in text.splitlines() if line.startswith(start)]
        return float(found[0].removeprefix(start)) if found else 0.0


@pytest.fixture
def decision_s() -> int:
    """Seconds for which a decision is kept."""
    return 60


@pytest.fixture
async def front(
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    decision_s: int,
    needs_nginx: str,
) -> AsyncIterator[Front]:
    """All of it, running."""
    delivery = DeliverySettings(mode="nginx", decision_s=decision_s)
    town = await open_town(tmp_path, media_root, amc, clock, aiohttp_client, delivery=delivery)
    screening = await town.show()
    sold = await town.sell(screening)
    await town.is_enriched(sold.correlation_id)
    listener = await town.claim(sold)
    grant = await town.grant(listener, sold)
    values = {"tell": f"127.0.0.1:{town.tell.port}", "media": str(media_root)}
    async with (
        running_nginx("delivery.conf", tmp_path / "nginx", values) as nginx,
        aiohttp.ClientSession(nginx.url) as session,
    ):
        yield Front(nginx, town, session, sold, screening.showtime_id, listener, grant)


async def test_nginx_sends_the_bytes_and_tell_decides_once(
    front: Front, track: Track, media_root: Path
) -> None:
    """A token's segments cost Tell one decision, for all renditions; the bytes are the file's."""
    await front.get(front.url, Range=SEGMENT)
    for rendition in track.renditions:
        data = (media_root / track.prefix / rendition.file_name).read_bytes()
        url = front.url.replace("aac-64k", rendition.name)
        status, headers, body = await front.get(url, Range=SEGMENT)
        assert (status, body) == (206, data[1000:41000])
        assert headers["Content-Range"] == f"bytes 1000-40999/{len(data)}"
        assert headers["Content-Type"] == "audio/mp4"
        assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert (await front.get(url))[2] == data
        # Several ranges: the whole, once.
        status, _, body = await front.get(url, Range="bytes=0-9,20-29,5-15")
        assert (status, body) == (200, data)
    assert await front.counted(FILE_ROUTE, 206) == await front.counted(FILE_ROUTE, 200) == 0
    assert await front.counted(ROUTE, 204) == 1


async def test_the_rest_of_the_gateway_is_behind_it(front: Front) -> None:
    """Playlists come from Tell through nginx; a Media Playlist's relative names lead back here."""
    status, _, playlist = await front.get(front.grant["hls"])
    assert status == 200
    assert b"#EXTM3U" in playlist
    media = front.url.replace(".mp4", ".m3u8")
    status, _, text = await front.get(media)
    assert status == 200
    assert b"aac-64k.mp4" in text


async def test_a_download_goes_on_by_its_digest(
    front: Front, track: Track, media_root: Path
) -> None:
    """If-Range names Tell's own tag, which Tell answers: the rest, or all of another version."""
    rendition = track.rendition("aac-64k")
    assert rendition is not None
    data = (media_root / track.prefix / "aac-64k.mp4").read_bytes()
    wanted = {"Range": "bytes=500-", "If-Range": f'"{rendition.sha256}"'}
    status, headers, body = await front.get(front.url, **wanted)
    assert (status, body) == (206, data[500:])
    assert headers["ETag"] == f'"{rendition.sha256}"'
    status, _, body = await front.get(front.url, **{**wanted, "If-Range": '"another"'})
    assert (status, body) == (200, data)


@pytest.mark.parametrize("decision_s", [1])
async def test_a_cancelled_screening_is_heard_of_when_the_decision_ends(front: Front) -> None:
    """It goes on for as long as the decision is good, and then tells what Tell tells."""
    assert (await front.get(front.url, Range=SEGMENT))[0] == 206
    await front.town.change_screening(front.showtime_id, status=ScreeningStatus.CANCELLED)
    # Each turn is a request; the kept decision ends by nginx's own clock.
    async with front.session.get(front.url) as last:
        status = last.status
    while status == 200:
        status, headers, body = await front.get(front.url)
    assert status == 410
    assert headers["Content-Type"] == "application/problem+json"
    assert b"screening-cancelled" in body


async def test_a_token_that_is_not_tells_opens_nothing(front: Front) -> None:
    """One bit changed, another purpose, no token, other files of the folder: refused as by Tell."""
    token = front.url.split("/")[2]
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    access = front.grant["hls"].split("/")[2]
    for wrong in (changed, access, "x" * 40):
        status, headers, body = await front.get(f"/stream/{wrong}/aac-64k.mp4", Range=SEGMENT)
        assert status == 403, body
        assert headers["Content-Type"] == "application/problem+json"
    for name in ("track.json", "../aac-64k.mp4", "aac-64k.mp4/", "aac-64k.mp5", "decision"):
        status, _, _ = await front.get(f"/stream/{token}/{name}")
        assert status == 404, name
    status, _, body = await front.get(f"/stream/{token}/aac-999k.mp4")
    assert status == 404
    assert b"not-found" in body


async def test_no_token_is_in_its_logs(front: Front) -> None:
    """Served, refused, and with Tell gone: paths are masked, and errors quote nothing."""
    token = front.url.split("/")[2]
    secret = token.rpartition("~")[2]
    await front.get(front.url, Range=SEGMENT)
    await front.get(f"/stream/{token}x/aac-64k.mp4")
    await front.get(f"/stream/{token}/aac-999k.mp4")
    await front.town.tell.close()
    status, _, _ = await front.get(f"/stream/{token}y/aac-64k.mp4")
    assert status in {500, 502}
    # It writes its log in pieces: this has it write what it holds, and the requests are the wait.
    os.kill(front.nginx.pid, signal.SIGUSR1)
    while (text := front.nginx.access_log.read_text()).count("/stream/[masked]/aac-") < 4:
        await front.get("/healthz")
    assert '"GET /stream/[masked]/aac-64k.mp4" 206 ' in text
    for path in (front.nginx.access_log, front.nginx.access_log.with_name("nginx-error.log")):
        assert secret not in (path.read_text() if path.exists() else ""), path
