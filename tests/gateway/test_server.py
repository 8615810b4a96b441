"""`tell serve` as a process: crashes, restarts, stops, and an evening without a leaked secret."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import m3u8
import pytest
from aiohttp.test_utils import TestServer

from amc_clone.app import SERVICES
from amc_clone.app import create_app as create_amc
from amc_clone.backoff import Backoff
from amc_clone.chain import HOUSES
from amc_clone.models import DeliveryState, Screening
from amc_clone.programming import NewScreening
from catalog.keys.webhooks import load_secret_file, sign_webhook
from gateway.errors import ListenError
from gateway.server import address_of, bind
from gateway.settings import LoggingSettings, ServerSettings
from media.track import Track
from tests.gateway.processes import PATIENCE_S, TellProcess, write_config
from tests.gateway.town import DEVICE, bearer, town_settings


def now() -> datetime:
    """The real clock: Tell's process has no other."""
    return datetime.now(UTC)


class Evening:
    """A real AMC-clone by the real clock, and what a Tell beside it needs."""

    def __init__(self, folder: Path, media_root: Path, chain: Path) -> None:
        self.folder = folder
        self.chain = chain
        # Bound and not listening: AMC-clone is down at this address until it takes it over.
        self._address = socket.socket()
        self._address.bind(("127.0.0.1", 0))
        port = self._address.getsockname()[1]
        self.settings = town_settings(folder, media_root, f"http://127.0.0.1:{port}")
        self.secrets = folder / "secrets"
        (self.secret,) = load_secret_file(self.secrets / "webhook-local.keys")
        self._amc: TestServer | None = None

    def config(self, **sections: Any) -> Path:
        """A config.toml of this evening."""
        # The address that is bound: listen_url must be one that can be opened.
        server = ServerSettings(port=0, public_url="")
        return write_config(
            self.folder / "config.toml",
            self.settings.model_copy(update={"server": server, **sections}),
        )

    async def open_amc(self, *, reachable: bool = True) -> Any:
        """Start AMC-clone where Tell looks for it, or out of its reach; returns its parts."""
        database = self.folder / "amc.db"
        if not database.exists():
            database.write_bytes(self.chain.read_bytes())
        app = create_amc(
            database_url=database,
            tell_url="http://127.0.0.1:9",
            key_id="local",
            secret=self.secret,
            clock=now,
            backoff=Backoff(first_s=0.1, max_s=0.2),
        )
        if reachable:
            self._amc = TestServer(app, socket_factory=lambda *_: self._address)
        else:
            self._amc = TestServer(app)
        await self._amc.start_server()
        return app[SERVICES]

    async def close_amc(self) -> None:
        """Stop AMC-clone, where it runs."""
        if self._amc is not None:
            await self._amc.close()
            self._amc = None

    async def close(self) -> None:
        """Leave nothing open."""
        await self.close_amc()
        self._address.close()

    async def show(self, services: Any, began_s: float, auditorium: str) -> Screening:
        """A screening of The General whose film began *began_s* seconds ago."""
        start = now() - timedelta(seconds=began_s)
        screening: Screening = await services.programming.add(
            NewScreening(
                movie_id="the-general",
                place_id=HOUSES[0].theater.place_id,
                auditorium_number=auditorium,
                previews_start=start - timedelta(minutes=20),
                movie_start=start,
                credits_end=start + timedelta(minutes=78),
                movie_start_bound_ms=300_000,
            )
        )
        return screening

    async def sell(
        self, services: Any, screening: Screening, tell: TellProcess
    ) -> tuple[str, str, dict[str, Any]]:
        """Sell a ticket and claim it: the listener's token, her grant's path, and the grant."""
        services.tell.point_at(tell.url)
        sold = await services.box_office.sell(screening.showtime_id)
        sold = await services.box_office.settled(sold.purchase_id, PATIENCE_S)
        await tell.logged("purchase_enriched", correlation_id=sold.correlation_id)
        path = f"/media/audio/the-general?ticket={sold.correlation_id}"
        async with aiohttp.ClientSession(tell.url) as session:
            listener = await claim(session, sold.listen_url.partition("#")[2])
            return listener, path, await get_json(session, path, listener)

    def notice(self, screening: Screening, purchase_id: str) -> bytes:
        """Body of a purchase."""
        return json.dumps(
            {
                "purchase_id": purchase_id,
                "movie_id": screening.movie.movie_id,
                "place_id": screening.theater.place_id,
                "auditorium_number": screening.auditorium_number,
                "showtime_id": screening.showtime_id,
                "purchased_at": now().isoformat(),
            }
        ).encode()

    def sign(self, body: bytes) -> dict[str, str]:
        """Headers of a rightly signed purchase."""
        stamp = int(now().timestamp())
        webhook_id = f"msg_{hashlib.sha256(body).hexdigest()}"
        return {
            "Content-Type": "application/json",
            "x-api-key": "local",
            "webhook-id": webhook_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign_webhook(self.secret, webhook_id, stamp, body),
        }


@pytest.fixture
async def evening(tmp_path: Path, media_root: Path, chain: Path) -> AsyncIterator[Evening]:
    """An evening whose AMC-clone is closed in the end."""
    evening = Evening(tmp_path, media_root, chain)
    yield evening
    await evening.close()


async def test_a_purchase_survives_kill_9_directly_after_its_202(evening: Evening) -> None:
    """After the restart it is there, answers alike, and gets enriched."""
    # Out of reach, so that nothing is enriched before the kill.
    screening = await evening.show(await evening.open_amc(reachable=False), 60, "1")
    await evening.close_amc()
    config = evening.config()
    answers = {}
    async with aiohttp.ClientSession() as session:
        for number in range(3):
            tell = await TellProcess.start(config)
            body = evening.notice(screening, f"purchase-{number}")
            url, headers = f"{tell.url}/tell/purchase", evening.sign(body)
            async with session.post(url, data=body, headers=headers) as answer:
                assert answer.status == 202
                await tell.kill()
                answers[body] = await answer.json()
        await evening.open_amc()
        tell = await TellProcess.start(config)
        for body, before in answers.items():
            await tell.logged("purchase_enriched", correlation_id=before["correlation_id"])
            url, headers = f"{tell.url}/tell/purchase", evening.sign(body)
            async with session.post(url, data=body, headers=headers) as answer:
                again = await answer.json()
            assert again["correlation_id"] == before["correlation_id"]
            code = before["listen_url"].partition("#")[2]
            assert again["listen_url"].partition("#")[2] == code
            claim = {"claim_code": code, "device_nonce": DEVICE}
            async with session.post(f"{tell.url}/tell/claims", json=claim) as answer:
                assert (await answer.json())["ticket"]["title"] == "The General"
    assert (await tell.stop())[0] == 0


async def test_a_sale_while_tell_is_down_arrives_when_it_is_back(evening: Evening) -> None:
    """AMC-clone's outbox keeps it; the link opens Tell by the address that it listens on."""
    services = await evening.open_amc()
    screening = await evening.show(services, 60, "1")
    purchase = await services.box_office.sell(screening.showtime_id)
    tell = await TellProcess.start(evening.config())
    services.tell.point_at(tell.url)
    services.outbox.wake()
    settled = await services.box_office.settled(purchase.purchase_id, PATIENCE_S)
    assert settled.delivery.state is DeliveryState.DELIVERED
    assert settled.listen_url.startswith(f"{tell.url}/listen#")
    await tell.logged("purchase_enriched", correlation_id=settled.correlation_id)
    assert (await tell.stop())[0] == 0


async def test_a_whole_evening_from_the_sale_to_the_sound(
    evening: Evening, track: Track, media_root: Path
) -> None:
    """Purchase, claim, ticket, grant, playlists, ranges: the bytes are those that were published.

    And no secret that was used stands in a log line or a metric.
    """
    services = await evening.open_amc()
    screening = await evening.show(services, 5, "1")
    tell = await TellProcess.start(evening.config(logging=LoggingSettings(level="debug")))
    services.tell.point_at(tell.url)
    sold = await services.box_office.sell(screening.showtime_id)
    sold = await services.box_office.settled(sold.purchase_id, PATIENCE_S)
    code = sold.listen_url.partition("#")[2]
    await tell.logged("purchase_enriched", correlation_id=sold.correlation_id)
    used = {"claim code": code, "device nonce": DEVICE}
    async with aiohttp.ClientSession(tell.url) as session:
        listener = await claim(session, code)
        used["listener token"] = listener
        tickets = await get_json(session, "/tell/tickets", listener)
        assert [one["correlation_id"] for one in tickets["tickets"]] == [sold.correlation_id]
        grant = await get_json(
            session, f"/media/audio/the-general?ticket={sold.correlation_id}", listener
        )
        used["access token"] = grant["hls"].split("/")[2]
        used["stream token"] = grant["downloads"][0]["url"].split("/")[2]
        await hear_everything(session, grant, track, media_root)
        port = int(tell.url.rpartition(":")[2])
        used |= await knock_on_doors(session, port, evening, screening, grant)
        async with session.get("/metrics") as answer:
            metrics = await answer.text()
    used["signing key"] = (evening.secrets / "signing.keys").read_text().split(":")[-1].strip()
    used["webhook secret"] = base64.b64encode(evening.secret).decode()
    code, rest = await tell.stop()
    assert (code, rest) == (0, "")
    log = "".join(tell.log)
    assert log.count('"event": "request"') > 20
    for name, secret in used.items():
        # The signature alone, the last part of a token, would be worth as much.
        for part in {secret, secret.rpartition("~")[2]}:
            assert part not in log, name
            assert part not in metrics, name
    assert "Traceback" not in log
    assert "ResourceWarning" not in log
    assert all(line.startswith("{") for line in tell.log)


async def claim(session: aiohttp.ClientSession, code: str) -> str:
    """Take up the purchase."""
    body = {"claim_code": code, "device_nonce": DEVICE}
    async with session.post("/tell/claims", json=body) as answer:
        assert answer.status == 200
        return str((await answer.json())["listener_token"])


async def get_json(session: aiohttp.ClientSession, path: str, listener: str) -> Any:
    """A good answer to the listener."""
    async with session.get(path, headers=bearer(listener)) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def hear_everything(
    session: aiohttp.ClientSession, grant: Any, track: Track, media_root: Path
) -> None:
    """Play as a player does: each variant's playlist, its init section, each segment."""
    for address in (grant["hls"], grant["hls_opus"]):
        async with session.get(address) as answer:
            multivariant = m3u8.loads(await answer.text())
        assert multivariant.is_variant
        for variant in multivariant.playlists:
            async with session.get(variant.uri) as answer:
                assert answer.status == 200
                playlist = m3u8.loads(await answer.text())
            assert playlist.is_endlist
            # The film began five seconds ago and the track begins 2.5 s into it.
            assert 2.5 <= playlist.start.time_offset < 2.5 + PATIENCE_S
            name = variant.uri.rpartition("/")[2].removesuffix(".m3u8")
            published = (media_root / track.prefix / f"{name}.mp4").read_bytes()
            folder = variant.uri.rpartition("/")[0]
            ranges = [playlist.segments[0].init_section.byterange]
            ranges += [segment.byterange for segment in playlist.segments]
            for byterange in ranges:
                size, offset = (int(part) for part in byterange.split("@"))
                headers = {"Range": f"bytes={offset}-{offset + size - 1}"}
                url = f"{folder}/{playlist.segments[0].uri}"
                async with session.get(url, headers=headers) as answer:
                    assert answer.status == 206
                    assert await answer.read() == published[offset : offset + size]
    for download in grant["downloads"]:
        async with session.get(download["url"]) as answer:
            body = await answer.read()
        assert body == (media_root / track.prefix / f"{download['rendition']}.mp4").read_bytes()


async def knock_on_doors(
    session: aiohttp.ClientSession, port: int, evening: Evening, screening: Screening, grant: Any
) -> dict[str, str]:
    """Send secrets where they do not belong; returns those that were used."""
    token = grant["downloads"][0]["url"].split("/")[2]
    body = evening.notice(screening, "another-purchase")
    headers = evening.sign(body)
    async with session.post("/tell/purchase", data=body, headers=headers) as answer:
        assert answer.status == 202
        code = (await answer.json())["listen_url"].partition("#")[2]
    spoilt = headers | {"webhook-id": "msg_2"}
    async with session.post("/tell/purchase", data=body, headers=spoilt) as answer:
        assert answer.status == 401
    for path in (
        f"/stream/{token}/main.m3u8",
        f"/stream/{token}x/aac-64k.mp4",
        f"/stream/{token}/no/such/path",
        f"/nowhere/{token}?token={token}",
        f"/listen?code={code}",
        f"/media/audio/{code}",
        f"/tell/tickets/{code}",
    ):
        async with session.get(path, headers=bearer(token)) as answer:
            assert answer.status in {200, 401, 403, 404}
    # What is no HTTP is logged by the library itself.
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /stream/{token}/main.m3u8 HTTP/9.x\r\nBad {code}\r\n\r\n".encode())
    writer.write_eof()
    await reader.read()
    writer.close()
    return {"another code": code, "signature": headers["webhook-signature"].partition(",")[2]}


async def test_sigterm_ends_it_at_once_while_a_client_keeps_its_connection(
    evening: Evening,
) -> None:
    """Exit code 0, and no wait for a connection that is only kept open."""
    tell = await TellProcess.start(evening.config(), "--host", "127.0.0.1", "--port", "0")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{tell.url}/healthz") as answer:
            assert answer.status == 200
        code, rest = await tell.stop()
    assert (code, rest) == (0, "")
    await tell.logged("stopping")
    assert "ResourceWarning" not in "".join(tell.log)


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    """With what to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"port {port}.*--port"):
            bind(ServerSettings(port=port))
    with pytest.raises(ListenError, match="no-such-host"):
        bind(ServerSettings(host="no-such-host.invalid"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")],  # noqa: S104  (the test is about it)
)
def test_the_announced_address_can_be_opened(host: str, expected: str) -> None:
    """Never 0.0.0.0, which is no address to go to."""
    with bind(ServerSettings(host=host, port=0)) as listener:
        assert address_of(listener).startswith(expected)
