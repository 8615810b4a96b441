from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from catalog.errors import CacheUrlError
from catalog.partner.answer_cache import AnswerCache, Kept
from tests.catalog.samples import EVENING
from tests.services.redis import RedisServer

KEPT = Kept('{"title": "Ménilmontant"}', '"v1"', EVENING)
HOUR = timedelta(hours=1)


@pytest.fixture(params=["memory", "redis"])
async def url(request: pytest.FixtureRequest) -> str:
    """Where answers are kept."""
    if request.param == "memory":
        return "mem://"
    server: RedisServer = request.getfixturevalue("redis_server")
    return server.url


@pytest.fixture
async def cache(url: str) -> AsyncIterator[AnswerCache]:
    """An open cache."""
    opened = AnswerCache(url, HOUR)
    yield opened
    await opened.close()


async def test_what_was_put_is_got(cache: AnswerCache) -> None:
    """An answer comes back as it was, to the microsecond and the accent; another key has none."""
    await cache.put("a", KEPT)
    assert await cache.get("a") == KEPT
    assert await cache.get("b") is None


async def test_replicas_share_a_redis(redis_server: RedisServer) -> None:
    """What one gateway was told, another finds."""
    one, two = AnswerCache(redis_server.url, HOUR), AnswerCache(redis_server.url, HOUR)
    await one.put("a", KEPT)
    assert await two.get("a") == KEPT
    await one.close()
    await two.close()


@pytest.mark.parametrize(
    "foreign",
    [
        "text",
        7,
        ["list"],
        {"body": "{}"},
        {"body": 7, "etag": "", "told_at": EVENING.isoformat()},
        {"body": "{}", "etag": "", "told_at": "yesterday"},
        {"body": "{}", "etag": "", "told_at": "2026-03-06T19:30:00"},
    ],
)
async def test_what_others_wrote_is_not_believed(
    redis_server: RedisServer, foreign: object
) -> None:
    """A value of another form is as if it were not there."""
    async with Redis.from_url(redis_server.url) as other:
        await other.set("a", json.dumps(foreign))
    cache = AnswerCache(redis_server.url, HOUR)
    assert await cache.get("a") is None
    await cache.close()


async def test_a_redis_that_is_away_is_no_trouble(redis_server: RedisServer) -> None:
    """What this process was told is found; the log has the error's type once, and no address."""
    now_s = 0.0
    told: list[bool] = []
    cache = AnswerCache(redis_server.url, HOUR, shared_changed=told.append, monotonic=lambda: now_s)
    await cache.put("a", KEPT)
    redis_server.kill()
    with capture_logs() as logs:
        assert await cache.get("a") == KEPT
        await cache.put("b", KEPT)
        assert await cache.get("b") == KEPT
        assert await cache.get("c") is None
    assert [entry["event"] for entry in logs] == ["answer_cache_failed"]
    assert redis_server.url not in str(logs)
    assert not await cache.is_shared()
    redis_server.start()
    # It is left alone for a while, and then shared again.
    assert await cache.get("b") == KEPT
    assert told == [True, False]
    now_s = 60.0
    assert await cache.is_shared()
    await cache.put("c", KEPT)
    assert told == [True, False, True]
    # Redis was empty when it came back.
    assert await cache.get("b") is None
    await cache.close()


async def test_a_redis_that_hangs_costs_a_moment(redis_server: RedisServer) -> None:
    """One look-up waits for it, half a second; the next ones do not."""
    cache = AnswerCache(redis_server.url, HOUR)
    await cache.put("a", KEPT)
    redis_server.stall()
    began = time.monotonic()
    for _ in range(50):
        assert await cache.get("a") == KEPT
    assert time.monotonic() - began < 5.0
    redis_server.go_on()
    await cache.close()


@pytest.mark.parametrize("url", ["", "memory", "disk://", "http://x", "redis//:no"])
def test_another_url_is_refused(url: str) -> None:
    """The message names the two forms that there are."""
    with pytest.raises(CacheUrlError, match="redis://host"):
        AnswerCache(url, HOUR)


def test_a_password_in_the_url_is_not_told() -> None:
    """Only the scheme is shown of a URL that cannot be used."""
    with pytest.raises(CacheUrlError) as refused:
        AnswerCache("postgres://user:hunter2@host", HOUR)
    assert "hunter2" not in str(refused.value)
