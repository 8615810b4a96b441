"""A full evening in a real process, every secret of it gathered, and none of them told anywhere.

Looked at are all that leaves Tell for other eyes than the secret's owner: its log and what it
prints, its metrics, every problem that it answers, the operator's pages, and what it asks of the
partner, with the trace that it carries on.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.operator_token import read_operator_token
from gateway.ops.sessions import COOKIE
from gateway.settings import LoggingSettings, PartnerSettings
from media.track import Track
from tests.gateway.processes import TellProcess
from tests.gateway.test_server import Evening, claim, evening, get_json, hear_everything
from tests.gateway.town import DEVICE, bearer, playback

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
    services = await evening.open_amc()
    screening = await evening.show(services, 5, "1")
    partner = evening.settings.partners["local"].base_url
    async with overheard(told, partner) as address:
        partners = {"local": PartnerSettings(base_url=address, key_id="local")}
        config = evening.config(logging=LoggingSettings(level="debug"), partners=partners)
        tell = await TellProcess.start(config)
        async with aiohttp.ClientSession(tell.url) as session:
            names = await _listen(session, evening, tell, told, evening.notice(screening, "p-1"))
            grant = await get_json(session, names["path"], told.secrets["listener token"])
            told.secrets["access token"] = grant["hls"].split("/")[2]
            told.secrets["stream token"] = grant["downloads"][0]["url"].split("/")[2]
            await hear_everything(session, grant, track, media_root)
            await _operate(session, evening, told, screening.showtime_id)
            await _be_refused(session, evening, told, evening.notice(screening, "p-2"))
            async with session.get("/metrics") as answer:
                told.saw("metrics", await answer.text())
        code, rest = await tell.stop()
    assert code == 0
    told.saw("stdout", rest)
    told.saw("log", "".join(tell.log))
    _gather_keys(told, evening)
    assert len(told.secrets) > 12
    assert list(told.leaks()) == []
    _check_lines(tell, names["correlation_id"])
    assert f"'traceparent': '00-{TRACE_ID}-" in told.seen["requests to the partner"]


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
