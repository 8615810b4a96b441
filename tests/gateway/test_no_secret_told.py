"""A full evening in a real process, every secret of it gathered, and none of them told anywhere.

Looked at are all that leaves Tell for other eyes than the secret's owner: its log and what it
prints, its metrics, every problem that it answers, the operator's pages, and what it asks of the
partner, with the trace that it carries on.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.operator_token import read_operator_token
from gateway.ops.sessions import COOKIE
from gateway.settings import (
    DatabaseSettings,
    DeliverySettings,
    EnrichmentSettings,
    LimitsSettings,
    LoggingSettings,
    PartnerSettings,
)
from media.settings import CacheSettings, MediaSettings
from media.storage import LocalStorage
from media.track import Track
from tests.gateway.processes import PATIENCE_S, TellProcess
from tests.gateway.test_server import Evening, claim, evening, get_json, hear_everything
from tests.gateway.town import DEVICE, bearer, playback
from tests.services.mariadb import MariaServer
from tests.services.redis import require_redis, running_redis
from tests.services.s3 import CREDENTIALS, SECRET_ACCESS_KEY, s3_server

__all__ = ["evening"]

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
JSON = {"Content-Type": "application/json"}
# A form carries it, on a page that only its session sees.
_ITS_PLACE = ("form token", "operator's pages")
TRACE = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


@dataclass
class Told:
    """What strangers may have seen, by where; and the secrets that were used, by name."""

    seen: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)

    def saw(self, where: str, text: str) -> None:
        """Remember more of it."""
        self.seen[where] = self.seen.get(where, "") + text

    def leaks(self) -> Iterator[str]:
        """Each secret, or part of one that is worth as much, with where it was told."""
        for name, secret in self.secrets.items():
            # A token's last part is its signature; encoded for an address it is the same secret.
            for part in {secret, secret.rpartition("~")[2], quote(secret, safe="")}:
                assert len(part) >= 16, name
                yield from (
                    f"{name} in {where}"
                    for where, text in self.seen.items()
                    if part in text and (name, where) != _ITS_PLACE
                )


@asynccontextmanager
async def overheard(told: Told, partner: str) -> AsyncIterator[str]:
    """The address of one that hears what the partner is asked, and hands it on to *partner*."""

    async def hand_on(request: web.Request) -> web.Response:
        told.saw("requests to the partner", f"{request.raw_path}\n{dict(request.headers)}\n")
        async with session.get(f"{partner}{request.raw_path}") as answer:
            return web.Response(
                status=answer.status,
                body=await answer.read(),
                content_type=answer.content_type,
            )

    app = web.Application()
    app.router.add_get("/{path:.*}", hand_on)
    async with aiohttp.ClientSession() as session, TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def test_no_secret_of_an_evening_is_told(
    evening: Evening, track: Track, media_root: Path
) -> None:
    """Sale, claim, sound, events, refusals of each kind, the operator: nothing of it leaks."""
    told = Told()
    async with _spent(evening, told, track, media_root) as (tell, correlation_id):
        pass
    _gather_keys(told, evening)
    assert len(told.secrets) > 12
    assert list(told.leaks()) == []
    _check_lines(tell, correlation_id)
    assert f"'traceparent': '00-{TRACE_ID}-" in told.seen["requests to the partner"]


@pytest.mark.xdist_group("s3")
async def test_no_password_of_a_service_is_told(
    evening: Evening, track: Track, media_root: Path, mariadb_server: MariaServer
) -> None:
    """The same by two workers on MariaDB, Redis and S3, with what opens these; then without them.

    What fails is told with the words of the libraries, which know the passwords.
    """
    require_redis()
    told = Told()
    # With signs that an address must encode.
    passwords = {name: f"{name}/s+pass@word:of-tonight" for name in ("mariadb", "redis")}
    database = await mariadb_server.fresh_database("secrets")
    assert database.endswith("/secrets?unix_socket=" + str(mariadb_server.socket))
    url = await mariadb_server.let_in("tell", passwords["mariadb"], "secrets")
    with s3_server(evening.folder / "s3") as s3, running_redis(passwords["redis"]) as redis:
        shelf, bucket = LocalStorage(media_root), s3.storage("films", "evening")
        for key in await shelf.list("tracks"):
            await bucket.put_file(key, shelf.path(key))
        sections = {
            "database": DatabaseSettings(url=url),
            "limits": LimitsSettings(redis_url=redis.url),
            "enrichment": EnrichmentSettings(cache_url=redis.url),
            "media": MediaSettings(
                root="s3://films/evening",
                s3=s3.settings(timeout_s=5.0),
                cache=CacheSettings(dir=str(evening.folder / "cache")),
            ),
            "delivery": DeliverySettings(presigned_s=60),
        }
        options = ("--workers", "2")
        async with (
            _spent(evening, told, track, media_root, options, CREDENTIALS, **sections) as (
                tell,
                correlation_id,
            ),
            aiohttp.ClientSession(tell.url) as session,
        ):
            # Both are among those who may tell.
            await tell.logged("worker_ready", running=2)
            await _be_sent_on(session, told, correlation_id)
            redis.kill()
            s3.kill()
            # In a language that nobody has heard yet.
            await _ask_in_vain(session, told, f"ticket={correlation_id}&language=es")
            await mariadb_server.shut_out("tell")
            await _ask_in_vain(session, told, f"ticket={correlation_id}", "database", "storage")
    # Each was without its service, and said so.
    assert "database-unavailable" in told.seen["problems"]
    assert "storage-unavailable" in told.seen["problems"]
    assert "Access denied for user" in told.seen["log"]
    told.secrets |= {f"{name}'s password": password for name, password in passwords.items()}
    told.secrets["S3 secret key"] = SECRET_ACCESS_KEY
    _gather_keys(told, evening)
    assert list(told.leaks()) == []


@asynccontextmanager
async def _spent(
    evening: Evening,
    told: Told,
    track: Track,
    media_root: Path,
    options: tuple[str, ...] = (),
    environ: Mapping[str, str] = MappingProxyType({}),
    **sections: Any,
) -> AsyncIterator[tuple[TellProcess, str]]:
    """An evening with a sale of that correlation id; Tell runs until the block ends."""
    services = await evening.open_amc()
    screening = await evening.show(services, 5, "1")
    partner = evening.settings.partners["local"].base_url
    async with overheard(told, partner) as address:
        partners = {"local": PartnerSettings(base_url=address, key_id="local")}
        logging = LoggingSettings(level="debug")
        config = evening.config(logging=logging, partners=partners, **sections)
        tell = await TellProcess.start(config, *options, environ=environ)
        try:
            async with aiohttp.ClientSession(tell.url) as session:
                body = evening.notice(screening, "p-1")
                names = await _listen(session, evening, tell, told, body)
                grant = await get_json(session, names["path"], told.secrets["listener token"])
                told.secrets["access token"] = grant["hls"].split("/")[2]
                told.secrets["stream token"] = grant["downloads"][0]["url"].split("/")[2]
                await hear_everything(session, grant, track, media_root)
                await _operate(session, evening, told, screening.showtime_id)
                await _be_refused(session, evening, told, evening.notice(screening, "p-2"))
                async with session.get("/metrics") as answer:
                    told.saw("metrics", await answer.text())
            yield tell, names["correlation_id"]
        finally:
            code, rest = await tell.stop()
    assert code == 0
    told.saw("stdout", rest)
    told.saw("log", "".join(tell.log))


async def _be_sent_on(session: aiohttp.ClientSession, told: Told, correlation_id: str) -> None:
    """A download whose address at the bucket is a secret for its minute."""
    path = f"/media/audio/the-general?ticket={correlation_id}"
    grant = await get_json(session, path, told.secrets["listener token"])
    address = grant["downloads"][0]["url"]
    async with session.get(address, allow_redirects=False) as answer:
        assert answer.status == 307
        where = urlsplit(answer.headers["Location"])
    told.secrets["presigned address"] = where.query
    told.secrets["its signature"] = dict(parse_qsl(where.query))["X-Amz-Signature"]


async def _ask_in_vain(session: aiohttp.ClientSession, told: Told, query: str, *gone: str) -> None:
    """What needs a service that is *gone*; each answer is looked at."""
    secrets = told.secrets
    own = bearer(secrets["listener token"])
    ready = ""
    async with asyncio.timeout(PATIENCE_S):
        # It keeps what it said for two seconds; each turn is a request.
        while not ready or any(f'"{name}":{{"ok":false' not in ready for name in gone):
            async with session.get("/readyz") as answer:
                ready = await answer.text()
    told.saw("/readyz", ready)
    for path, headers in (
        ("/tell/tickets", own),
        (f"/media/audio/the-general?{query}", own),
        (f"/stream/{secrets['stream token']}/opus-24k.mp4", {"Range": "bytes=0-99"}),
        (f"/stream/{secrets['stream token']}/opus-24k.m3u8", {}),
        ("/media/audio/another-film", own),
    ):
        async with session.get(path, headers=headers) as answer:
            if answer.status >= 400:
                told.saw("problems", await answer.text())
    claimed = {"claim_code": secrets["claim code"], "device_nonce": DEVICE}
    async with session.post("/tell/claims", json=claimed) as answer:
        # Known already, it is answered as long as there is a database.
        if answer.status >= 400:
            told.saw("problems", await answer.text())
    async with session.get("/metrics") as answer:
        told.saw("metrics", await answer.text())


def _check_lines(tell: TellProcess, correlation_id: str) -> None:
    """Each line of the purchase's requests has their ids, and the look-up those of the sale."""
    records = [json.loads(line) for line in tell.log]
    requests = [record for record in records if record["event"] == "request"]
    assert len(requests) > 40
    assert all(record["request_id"] for record in requests)
    by_request: dict[str, set[str]] = {}
    for record in records:
        if record.get("correlation_id") and record.get("request_id"):
            by_request.setdefault(record["request_id"], set()).add(record["correlation_id"])
    assert by_request
    assert all(len(its) == 1 for its in by_request.values())
    (enriched,) = [
        record
        for record in records
        if record["event"] == "purchase_accepted" and record["correlation_id"] == correlation_id
    ]
    assert enriched["trace_id"] == TRACE_ID
    asked = [record for record in requests if record.get("trace_id") == TRACE_ID]
    assert [record["correlation_id"] for record in asked] == [correlation_id]


async def _listen(
    session: aiohttp.ClientSession, evening: Evening, tell: TellProcess, told: Told, body: bytes
) -> dict[str, str]:
    """A purchase in a trace, a claim, and the event stream; returns what is no secret."""
    headers = evening.sign(body)
    told.secrets["webhook signature"] = headers["webhook-signature"].partition(",")[2]
    traced = headers | {"traceparent": TRACE}
    async with session.post("/tell/purchase", data=body, headers=traced) as answer:
        assert answer.status == 202
        data = await answer.json()
    told.secrets["claim code"] = data["listen_url"].partition("#")[2]
    await tell.logged("purchase_enriched", correlation_id=data["correlation_id"])
    listener = told.secrets["listener token"] = await claim(session, told.secrets["claim code"])
    told.secrets["device nonce"] = DEVICE
    async with session.get("/tell/events", headers=bearer(listener)) as events:
        assert events.status == 200
        await events.content.readline()
    report = playback(data["correlation_id"])
    async with session.post("/tell/playback", json=report, headers=bearer(listener)) as answer:
        assert answer.status == 204
    path = f"/media/audio/the-general?ticket={data['correlation_id']}"
    return {"correlation_id": data["correlation_id"], "path": path}


async def _be_refused(
    session: aiohttp.ClientSession, evening: Evening, told: Told, body: bytes
) -> None:
    """Each secret where it does not belong: every problem is looked at."""
    # A device's nonce opens nothing by itself, and looks like any other name in a path.
    every = {name: each for name, each in told.secrets.items() if name != "device nonce"}
    paths = [
        path
        for secret in (quote(each, safe="~.=") for each in every.values())
        for path in (
            f"/stream/{secret}/main.m3u8",
            f"/stream/{secret}/aac-64k.m3u8",
            f"/stream/{secret}/aac-64k.mp4",
            f"/stream/{secret}/no/such/path",
            f"/media/audio/the-general?ticket={secret}",
            f"/tell/tickets/{secret}",
            f"/posters/local/{secret}",
            f"/nowhere/{secret}?token={secret}",
            f"/problems/{secret}",
            f"/ops/screenings/local/{secret}",
        )
    ]
    # What has the form of a film's id is said back to whoever asks for it.
    signed_ones = [quote(each, safe="~.=") for each in every.values() if "~" in each]
    paths += [f"/media/audio/{secret}" for secret in signed_ones]
    for path in paths:
        for headers in ({}, bearer(every["stream token"]), bearer(every["listener token"])):
            async with session.get(path, headers=headers) as answer:
                if answer.status >= 400:
                    told.saw("problems", await answer.text())
    for name, secret in every.items():
        claimed = {"claim_code": secret, "device_nonce": f"{secret}x"[:60]}
        signed = {**evening.sign(body), "webhook-signature": f"v1,{secret}", "webhook-id": secret}
        signed["x-api-key"] = secret
        for path, options in (
            ("/tell/claims", {"json": claimed}),
            ("/tell/claims", {"json": {secret: secret}}),
            ("/tell/claims", {"data": f"{{{secret}", "headers": JSON}),
            ("/tell/playback", {"json": {"correlation_id": secret}, "headers": bearer(secret)}),
            ("/tell/purchase", {"data": body, "headers": signed}),
            ("/tell/screening-events", {"data": secret.encode(), "headers": signed}),
            ("/ops/login", {"data": {"token": secret}}),
        ):
            if path == "/tell/claims" and name == "claim code":
                continue
            async with session.post(path, **options) as answer:
                if answer.status >= 400:
                    told.saw("problems", await answer.text())


async def _operate(
    session: aiohttp.ClientSession, evening: Evening, told: Told, showtime_id: str
) -> None:
    """The operator's way in, her pages, a correction, and her page as it follows."""
    token = told.secrets["operator's token"] = read_operator_token(evening.secrets / "ops.token")
    login: dict[str, Any] = {"data": {"token": token}, "allow_redirects": False}
    async with session.post("/ops/login", **login) as answer:
        assert answer.status == 303
        cookie = told.secrets["operator's cookie"] = answer.cookies[COOKIE].value
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    screening = f"/ops/screenings/local/{showtime_id}"
    for path in ("/ops", screening, f"{screening}/correction?action=delay&minutes=6"):
        async with session.get(path, headers=headers) as answer:
            assert answer.status == 200
            page = await answer.text()
            told.saw("operator's pages", page)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    told.secrets["form token"] = fields["form_token"]
    confirm: dict[str, Any] = {"data": fields, "headers": headers, "allow_redirects": False}
    async with session.post(f"{screening}/correction", **confirm) as answer:
        assert answer.status == 303, await answer.text()
    async with session.post(f"{screening}/correction", **confirm) as answer:
        assert answer.status == 409
        told.saw("problems", await answer.text())
    async with session.get("/ops/events", headers=headers) as events:
        for _ in range(4):
            told.saw("operator's pages", (await events.content.readline()).decode())


def _gather_keys(told: Told, evening: Evening) -> None:
    """What never left the files."""
    told.secrets["webhook secret"] = base64.b64encode(evening.secret).decode()
    for name in ("signing.keys", "media.keys", "master.key"):
        path = evening.secrets / name
        for number, line in enumerate(path.read_text().splitlines()):
            if line and not line.startswith("#"):
                told.secrets[f"{name} {number}"] = line.split(":")[1].split()[0]
