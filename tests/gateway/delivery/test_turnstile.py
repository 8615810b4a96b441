"""Refusals on their short way, beside the long one: the same answers, counted and logged alike."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from gateway import keys
from gateway.settings import DeliverySettings, ServerSettings
from media.tokens import Keyring, Tokens
from tests.gateway.delivery.lines import (
    LONG_WAY,
    WatchedUsher,
    comparable,
    get,
    get_range,
    line_to,
    watch,
)
from tests.gateway.town import PUBLIC_URL, Clients, HandClock, Town, open_town

PLAYER = "https://player.example"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE = f"Traceparent: 00-{TRACE_ID}-00f067aa0ba902b7-01"
# The request with these lines more.
Ask = Callable[..., str]


@dataclass
class Gate:
    """A Tell that decides for an nginx, one ticket's grant, and who answers."""

    town: Town
    usher: WatchedUsher
    grant: Any
    listener: str
    ticket: str

    @property
    def file(self) -> str:
        """Address of a rendition."""
        return str(self.grant["downloads"][0]["url"])

    def wrong(self) -> Mapping[str, tuple[Ask, int, str]]:
        """Requests with credentials that open nothing: each with its status, and code for the log.

        All of them are known before a purchase is.
        """
        assert self.town.tell.app is not None
        tokens = self.town.tell.app[keys.TOKENS]
        now = self.town.clock.now
        good, access = (self.file.split("/")[2], self.grant["hls"].split("/")[2])
        claims = tokens.read_stream_token(good, now)
        changed = good[:-1] + ("A" if good[-1] != "A" else "B")
        stranger = Tokens(Keyring([("k1", bytes(32))])).stream_token(claims)
        over = tokens.stream_token(replace(claims, expires_at=now - timedelta(seconds=1)))
        moved = tokens.stream_token(replace(claims, screening=claims.screening + 1))

        def segment(token: str) -> Ask:
            return lambda *more: get_range(f"/stream/{token}/aac-64k.mp4", *more)

        def below(token: str, name: str) -> Ask:
            return lambda *more: get(f"/stream/{token}/{name}", *more)

        def granted(authorization: str) -> Ask:
            url = f"/media/audio/the-general?ticket={self.ticket}"
            return lambda *more: get(url, f"Authorization: {authorization}", *more)

        return {
            "a segment, changed": (segment(changed), 403, "token-invalid"),
            "a segment, cut": (segment(good[:-1]), 403, "token-invalid"),
            "a segment, hardly one": (segment("k1~"), 403, "token-invalid"),
            "a segment, another purpose": (segment(access), 403, "token-invalid"),
            "a segment, another key": (segment(stranger), 403, "token-invalid"),
            "a segment, over": (segment(over), 403, "token-expired"),
            "a Media Playlist, changed": (below(changed, "aac-64k.m3u8"), 403, "token-invalid"),
            "a Media Playlist, over": (below(over, "aac-64k.m3u8"), 403, "token-expired"),
            "a Media Playlist, moved": (below(moved, "aac-64k.m3u8"), 403, "stream-refused"),
            "main, another purpose": (below(good, "main.m3u8"), 403, "token-invalid"),
            "opus, another purpose": (below(good, "opus.m3u8"), 403, "token-invalid"),
            "a decision, changed": (below(changed, "decision"), 403, "token-invalid"),
            "a decision, moved": (below(moved, "decision"), 403, "stream-refused"),
            "a bearer, changed": (
                granted(f"Bearer {self.listener[:-2]}~~"),
                401,
                "listener-refused",
            ),
            "a bearer, none": (granted("Basic eDp5"), 401, "listener-refused"),
        }


@pytest.fixture(params=[(), (PLAYER,)], ids=["one origin", "shared"])
async def gate(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> Gate:
    """A ticket for a film that runs."""
    town = await open_town(
        *(tmp_path, media_root, amc, clock, aiohttp_client, database_url),
        server=ServerSettings(port=0, public_url=PUBLIC_URL, cors_origins=list(request.param)),
        delivery=DeliverySettings(mode="nginx"),
    )
    sold, listener = await town.ticket(starts_in=-6)
    grant = await town.grant(listener, sold)
    return Gate(town, watch(town)[1], grant, listener, sold.correlation_id)


async def test_a_refusal_is_answered_as_on_the_long_way(gate: Gate) -> None:
    """Head for head but for its order, and the same problem but for its id; then sound again."""
    async with line_to(gate.town) as line:
        for number, (name, (ask, status, _)) in enumerate(gate.wrong().items(), start=1):
            short_head, short_body = await line.ask(ask())
            assert gate.usher.refused == number, name
            long_head, long_body = await line.ask(ask(LONG_WAY))
            assert gate.usher.refused == number, name
            assert short_head.startswith(f"HTTP/1.1 {status} ".encode())
            assert comparable(short_head) == comparable(long_head), name
            short, long = json.loads(short_body), json.loads(long_body)
            assert f"X-Request-Id: {short['correlation_id']}\r\n".encode() in short_head
            assert short.pop("correlation_id") != long.pop("correlation_id")
            assert short == long
            assert list(json.loads(short_body)) == list(json.loads(long_body))
        assert (await line.ask(get_range(gate.file)))[0].startswith(b"HTTP/1.1 206")
        playlist = get(gate.file.replace(".mp4", ".m3u8"))
        assert (await line.ask(playlist))[0].startswith(b"HTTP/1.1 200")
    assert gate.usher.answered == 1


async def test_a_refusal_is_counted_as_on_the_long_way(gate: Gate) -> None:
    """By route, by code, and by what the credential was for."""
    wrong = gate.wrong()
    told: list[set[str]] = []
    async with line_to(gate.town) as line:
        for more in ((), (LONG_WAY,)):
            before = await _counted(gate.town)
            for ask, _, _ in wrong.values():
                await line.ask(ask(*more))
            after = await _counted(gate.town)
            told.append({f"{key} {after[key] - before.get(key, 0)}" for key in after})
    assert told[0] == told[1]
    assert 'tell_tokens_refused_total{purpose="stream",reason="token-expired"} 2.0' in told[0]
    assert 'tell_tokens_refused_total{purpose="listener",reason="token-invalid"} 1.0' in told[0]
    route = 'route="/stream/{token}/{rendition}.mp4"'
    assert f'tell_problems_total{{code="token-invalid",{route}}} 5.0' in told[0]
    assert f'tell_http_requests_total{{method="GET",{route},status="403"}} 6.0' in told[0]
    assert f"tell_first_byte_seconds_count{{{route}}} 6.0" in told[0]
    assert gate.usher.refused == len(wrong)


async def _counted(town: Town) -> dict[str, float]:
    """What is counted of requests for sound: but for their times, which differ."""
    lines = [
        line for line in (await town.text("/metrics")).splitlines() if not line.startswith("#")
    ]
    counted = (
        line.rpartition(" ")
        for line in lines
        if "/stream/" in line or "/media/" in line or "refused" in line
    )
    return {
        name: float(value)
        for name, _, value in counted
        if "_bucket{" not in name and "_sum{" not in name and "_created" not in name
    }


@pytest.mark.parametrize("stream", ["json"], indirect=True)
async def test_a_refusal_is_logged_as_on_the_long_way(stream: io.StringIO, gate: Gate) -> None:
    """One line each, with code and reason and trace, and without the credential."""
    assert gate.town.tell.app is not None
    lines = gate.town.tell.app[keys.REQUEST_LINES]
    secrets = (gate.listener[:-2], gate.file.split("/")[2][:-1], gate.grant["hls"].split("/")[2])
    async with line_to(gate.town) as line:
        for name, (ask, status, code) in gate.wrong().items():
            lines.flush()
            begins = len(stream.getvalue())
            await line.ask(ask(TRACE))
            await line.ask(ask(TRACE, LONG_WAY))
            lines.flush()
            told = [json.loads(each) for each in stream.getvalue()[begins:].splitlines()]
            # The test server's own access log, which Tell does not have, is not meant.
            written = [each for each in told if each["event"] == "request"]
            assert len(written) == 2, name
            assert not [secret for secret in secrets if secret in json.dumps(written)]
            ids = {each.pop("request_id") for each in written}
            assert len(ids) == 2
            for each in written:
                each.pop("timestamp")
                assert each.pop("duration_ms") >= 0
            said, on_the_long_way = written
            assert said == on_the_long_way, name
            assert (said["status"], said["code"], said["trace_id"]) == (status, code, TRACE_ID)
            assert said["reason"]
            assert said["correlation_id"] is None


async def test_what_may_be_good_is_looked_at_by_the_long_way(gate: Gate) -> None:
    """A rightly signed token of another screening, and whatever is no plain request."""
    assert gate.town.tell.app is not None
    tokens = gate.town.tell.app[keys.TOKENS]
    good = gate.file.split("/")[2]
    claims = tokens.read_stream_token(good, gate.town.clock.now)
    moved = tokens.stream_token(replace(claims, screening=claims.screening + 1))
    wrong = good[:-1] + ("A" if good[-1] != "A" else "B")
    async with line_to(gate.town) as line:
        for text in (
            get_range(f"/stream/{moved}/aac-64k.mp4"),
            get(f"/stream/{wrong}/aac-64k.mp4"),
            get_range(f"/stream/{wrong}/aac-64k.mp4", range_="bytes=9-"),
            get(f"/stream/{wrong}/silences.json"),
        ):
            head, _ = await line.ask(text)
            assert head.startswith(b"HTTP/1.1 403"), text
    assert gate.usher.refused == 0
