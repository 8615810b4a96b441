"""Limits at the door: who is refused, who is not, and what the headers say."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from gateway.settings import LimitsSettings, ServerSettings
from tests.gateway.town import (
    DEVICE,
    PUBLIC_URL,
    Clients,
    HandClock,
    Town,
    open_town,
)
from tests.services.redis import RedisServer

pytestmark = pytest.mark.usefixtures("one_window")
PURCHASE = "/tell/purchase"
CLAIMS = "/tell/claims"
Towns = Callable[..., Awaitable[Town]]


@pytest.fixture
def limited(
    tmp_path: Path,
    media_root: Path,
    amc: TestServer,
    clock: HandClock,
    aiohttp_client: Clients,
    database_url: str,
) -> Towns:
    """Opens a town with the [limits] of its arguments; 127.0.0.1 is a proxy of its own."""

    async def make(**limits: Any) -> Town:
        server = ServerSettings(port=0, public_url=PUBLIC_URL, trusted_proxies=["127.0.0.1"])
        return await open_town(
            *(tmp_path, media_root, amc, clock, aiohttp_client, database_url),
            server=server,
            limits=LimitsSettings(**limits),
        )

    return make


async def purchase(
    town: Town, client: str = "198.51.100.1", **changes: str
) -> tuple[int, Any, Any]:
    """Status, headers and body of a rightly signed purchase that came through the proxy."""
    body = json.dumps(town.notice(await town.show())).encode()
    headers = town.sign(body) | {"X-Forwarded-For": client} | changes
    async with town.tell.post(PURCHASE, data=body, headers=headers) as answer:
        return answer.status, answer.headers, await answer.json(content_type=None)


async def test_answers_tell_what_remains(limited: Towns) -> None:
    """Policies by name with quota and window, and the standing in each."""
    town = await limited(partner_per_minute_by_ip=7, purchases_per_minute_by_key=5)
    status, headers, _ = await purchase(town)
    assert status == 202
    assert headers["RateLimit-Policy"] == '"partner-ip";q=7;w=60, "purchases-key";q=5;w=60'
    standings = headers["RateLimit"].split(", ")
    assert [each.rpartition(";t=")[0] for each in standings] == [
        '"partner-ip";r=6',
        '"purchases-key";r=4',
    ]
    assert all(1 <= int(each.rpartition(";t=")[2]) <= 60 for each in standings)


async def test_beyond_the_key_limit_nothing_is_stored(limited: Towns) -> None:
    """429 names the policy and when to come again, from whatever address it comes."""
    town = await limited(purchases_per_minute_by_key=2)
    for number in range(2):
        assert (await purchase(town, f"198.51.100.{number}"))[0] == 202
    status, headers, problem = await purchase(town, "198.51.100.9")
    assert (status, problem["code"]) == (429, "rate-limited")
    assert problem["violated-policies"] == ["purchases-key"]
    assert 1 <= int(headers["Retry-After"]) <= 60
    assert '"purchases-key";r=0;' in headers["RateLimit"]
    assert await town.purchases() == 2
    assert 'tell_rate_limited_total{policy="purchases-key"} 1.0' in await town.text("/metrics")


async def test_a_stranger_cannot_use_up_the_key(limited: Towns) -> None:
    """Only what is rightly signed counts for the environment."""
    town = await limited(purchases_per_minute_by_key=1)
    for _ in range(3):
        status, _, _ = await purchase(town, **{"webhook-signature": "v1,AAAA"})
        assert status == 401
    assert (await purchase(town))[0] == 202


async def test_addresses_are_counted_apart_behind_the_proxy(limited: Towns) -> None:
    """Who comes too often is refused before the signature is looked at; others are not."""
    town = await limited(partner_per_minute_by_ip=1)
    assert (await purchase(town, "198.51.100.1"))[0] == 202
    status, _, problem = await purchase(town, "198.51.100.1", **{"webhook-signature": "v1,AAAA"})
    assert (status, problem["violated-policies"]) == (429, ["partner-ip"])
    assert (await purchase(town, "198.51.100.1, 198.51.100.2"))[0] == 202
    # The header of the other kind is the client's own.
    forwarded = {"Forwarded": "for=198.51.100.7"}
    assert (await purchase(town, "198.51.100.1", **forwarded))[0] == 429
    # Of IPv6 the /64 is one client.
    assert (await purchase(town, "2001:db8::1"))[0] == 202
    assert (await purchase(town, "2001:db8::2"))[0] == 429
    assert (await purchase(town, "2001:db8:0:1::1"))[0] == 202


async def test_guessing_claim_codes_ends_and_right_ones_go_on(limited: Towns) -> None:
    """Wrong codes count by address: a whole audience behind one claims its tickets."""
    town = await limited(claim_guesses_per_minute_by_ip=3)
    sold = await town.sell(await town.show())
    for number in range(5):
        await town.claim(sold, device=f"device-nonce-000{number}")
    wrong = {"claim_code": "k1~guess~guess", "device_nonce": DEVICE}
    codes = []
    for _ in range(4):
        async with town.tell.post(CLAIMS, json=wrong) as answer:
            codes.append(answer.status)
    assert codes == [403, 403, 403, 429]
    right = {"claim_code": sold.claim_code, "device_nonce": "device-nonce-0001"}
    async with town.tell.post(CLAIMS, json=right) as answer:
        assert answer.status == 429, "from this address no code is looked at now"
        assert int(answer.headers["Retry-After"]) >= 1
    async with town.tell.post(CLAIMS, json=right, headers={"X-Forwarded-For": "1.2.3.4"}) as answer:
        assert answer.status == 200


async def test_without_redis_purchases_are_taken_and_it_is_said(
    limited: Towns, redis_server: RedisServer
) -> None:
    """/readyz is degraded and the metric 0 while each replica limits by itself."""
    town = await limited(redis_url=redis_server.url)
    assert (await purchase(town))[0] == 202
    assert "tell_limits_shared 1.0" in await town.text("/metrics")
    redis_server.kill()
    assert (await purchase(town))[0] == 202
    assert "tell_limits_shared 0.0" in await town.text("/metrics")
    ready = json.loads(await town.text("/readyz"))
    assert ready["status"] == "degraded"
    assert ready["checks"]["limits"]["needed"] is False
    assert "by itself" in ready["checks"]["limits"]["detail"]
