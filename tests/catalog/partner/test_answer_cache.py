from __future__ import annotations

import json
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
    """Nothing is found and nothing is raised; the log has the error's type and no address."""
    cache = AnswerCache(redis_server.url, HOUR)
    await cache.put("a", KEPT)
    redis_server.kill()
    with capture_logs() as logs:
        assert await cache.get("a") is None
        await cache.put("a", KEPT)
    assert [entry["event"] for entry in logs] == ["answer_cache_failed"] * 2
    assert redis_server.url not in str(logs)
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
