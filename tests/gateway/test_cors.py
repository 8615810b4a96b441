"""Players on pages of other origins: those that are named may read the sound, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from gateway.origins import check_origin
from gateway.settings import ServerSettings
from tests.gateway.delivery.lines import comparable, get, get_range, line_to, watch
from tests.gateway.town import PUBLIC_URL, Clients, HandClock, Town, bearer, open_town

PLAYER = "https://player.example"
STRANGER = "https://elsewhere.example"
SHARING = {"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Timing-Allow-Origin"}


@pytest.fixture
async def open_house(
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> Town:
    """A Tell that lets one other origin read."""
    server = ServerSettings(port=0, public_url=PUBLIC_URL, cors_origins=[PLAYER])
    return await open_town(
        tmp_path, media_root, amc, clock, aiohttp_client, database_url, server=server
    )


async def test_a_named_origin_reads_all_that_a_player_needs(open_house: Town) -> None:
    """Grant, playlists, files with their ranges, the clock; and problems with their codes."""
    sold, listener = await open_house.ticket()
    grant = await open_house.grant(listener, sold)
    file = grant["downloads"][0]["url"]
    paths = {
        f"/media/audio/the-general?ticket={sold.correlation_id}": 200,
        grant["hls"]: 200,
        grant["dash"]: 200,
        grant["now"]: 200,
        file.replace(".mp4", ".m3u8"): 200,
        file: 206,
        "/time?nonce=1": 200,
        "/media/audio/nosferatu": 404,
        "/stream/k1~nobody~signed~this/main.m3u8": 403,
    }
    for path, status in paths.items():
        headers = bearer(listener) | {"Origin": PLAYER, "Range": "bytes=0-9"}
        async with open_house.tell.get(path, headers=headers) as answer:
            assert answer.status == status, path
            assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
            assert answer.headers["Timing-Allow-Origin"] == PLAYER
            exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
            assert {"Content-Range", "ETag", "Repr-Digest"} <= set(exposed)
            assert "Origin" in answer.headers["Vary"].split(", ")
            # No cookie is ever read: none may be sent.
            assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_preflight_is_answered_for_it_alone(open_house: Town) -> None:
    """With what a player sends: the bearer and ranges."""
    asks = {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,range",
    }
    for path in ("/media/audio/the-general", "/stream/k1~a/aac-64k.mp4"):
        headers = {"Origin": PLAYER, **asks}
        async with open_house.tell.options(path, headers=headers) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == PLAYER
            allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
            assert {"authorization", "range", "if-range"} <= set(allowed)
            assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
        for refused in (
            {"Origin": STRANGER, **asks},
            {"Origin": "null", **asks},
            {"Origin": PLAYER},
        ):
            async with open_house.tell.options(path, headers=refused) as answer:
                assert answer.status == 405
                assert "Access-Control-Allow-Headers" not in answer.headers
    headers = {"Origin": PLAYER, **asks}
    for path in ("/tell/claims", "/tell/purchase", "/tell/tickets"):
        async with open_house.tell.options(path, headers=headers) as answer:
            assert answer.status == 405
            assert not SHARING & set(answer.headers)


async def test_others_are_answered_and_may_read_nothing(open_house: Town, town: Town) -> None:
    """A stranger, a listener's own endpoints, and every origin where none is named."""
    sold, listener = await open_house.ticket()
    grant = await open_house.grant(listener, sold)
    for path, origin in (
        (grant["hls"], STRANGER),
        (grant["hls"], "null"),
        (grant["hls"], PLAYER.upper()),
        (grant["hls"], f"{PLAYER}.evil.example"),
        ("/tell/tickets", PLAYER),
        ("/", PLAYER),
    ):
        headers = bearer(listener) | {"Origin": origin}
        async with open_house.tell.get(path, headers=headers) as answer:
            assert answer.status == 200
            assert not SHARING & set(answer.headers)
    async with town.tell.get("/time?nonce=1", headers={"Origin": PLAYER}) as answer:
        assert answer.status == 200
        assert not SHARING & set(answer.headers)
        assert "Vary" not in answer.headers


async def test_the_short_ways_differ_by_origin_too(open_house: Town) -> None:
    """Without an Origin they say that with one it would be another answer; with one, it is."""
    sold, listener = await open_house.ticket()
    courier, usher = watch(open_house)
    ask = get(
        f"/media/audio/the-general?ticket={sold.correlation_id}",
        f"Authorization: Bearer {listener}",
    )
    async with line_to(open_house) as line:
        head, body = await line.ask(ask)
        assert b"Vary: Accept, Save-Data, Origin" in comparable(head)
        file = json.loads(body)["downloads"][0]["url"]
        for text in (get(file.replace(".mp4", ".m3u8")), get_range(file)):
            short, _ = await line.ask(text)
            assert b"Origin" in short.partition(b"Vary: ")[2].partition(b"\r\n")[0]
            shared, _ = await line.ask(text.replace("Host: x", f"Host: x\r\nOrigin: {PLAYER}"))
            assert f"Access-Control-Allow-Origin: {PLAYER}".encode() in comparable(shared)
    assert (usher.answered, courier.answered) == (2, 1)


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "null",
        "player.example",
        f"{PLAYER}/",
        "https://Player.example",
        "ftp://a",
        f"{PLAYER} ",
    ],
)
def test_an_origin_is_written_as_browsers_send_it(text: str) -> None:
    """No wildcard: what is named is one page's origin."""
    with pytest.raises(ValueError, match=r"write https://player\.example"):
        check_origin(text)
    assert check_origin("http://127.0.0.1:8000") == "http://127.0.0.1:8000"
