"""Limits in memory and in a real Redis that replicas share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.health import ProbeError
from gateway.limits import Limits, Policy
from media.settings import SettingsError
from tests.gateway.town import Seconds
from tests.services.redis import RedisServer

pytestmark = pytest.mark.usefixtures("one_window")
POLICY = Policy("test", 3, window_s=3600)
OTHER = Policy("other", 3, window_s=3600)


@pytest.fixture
async def memory() -> AsyncIterator[Limits]:
    """Limits of one process."""
    limits = Limits()
    yield limits
    await limits.close()


async def test_the_quota_is_given_and_no_more(memory: Limits) -> None:
    """What remains counts down; beyond it nothing is allowed, and there is a time to come again."""
    standings = [await memory.take(POLICY, "a") for _ in range(4)]
    assert [each.allowed for each in standings] == [True, True, True, False]
    assert [each.remaining for each in standings] == [2, 1, 0, 0]
    assert all(1 <= each.reset_s <= 3600 for each in standings)


async def test_clients_and_policies_are_counted_apart(memory: Limits) -> None:
    """One that comes too often takes nothing from the others."""
    for _ in range(4):
        await memory.take(POLICY, "a")
    assert (await memory.take(POLICY, "b")).remaining == 2
    assert (await memory.take(OTHER, "a")).remaining == 2


async def test_a_look_counts_nothing(memory: Limits) -> None:
    """It says what the next one would meet."""
    assert [(await memory.look(POLICY, "a")).remaining for _ in range(5)] == [3] * 5
    for _ in range(3):
        await memory.take(POLICY, "a")
    standing = await memory.look(POLICY, "a")
    assert (standing.allowed, standing.remaining) == (False, 0)


async def test_a_window_slides(memory: Limits, one_window: Seconds) -> None:
    """Of what came in the window before there counts what lies within the last 3600 s."""
    one_window.now -= one_window.now % 3600
    for _ in range(3):
        await memory.take(POLICY, "a")
    one_window.now += 3600 + 600.5
    standings = [await memory.take(POLICY, "a") for _ in range(2)]
    assert [each.allowed for each in standings] == [True, False]
    assert standings[1].reset_s == 600
    one_window.now += 3600 + 1200
    assert [(await memory.take(POLICY, "a")).allowed for _ in range(4)] == [True] * 3 + [False]


async def test_replicas_share_what_redis_counts(redis_server: RedisServer) -> None:
    """Two gateways on one Redis give one quota together."""
    replicas = [Limits(redis_server.url) for _ in range(2)]
    taken = [await replicas[number % 2].take(POLICY, "a") for number in range(4)]
    assert [each.allowed for each in taken] == [True, True, True, False]
    assert [each.remaining for each in taken] == [2, 1, 0, 0]
    for replica in replicas:
        await replica.probe()
        await replica.close()


async def test_without_redis_each_counts_for_itself_and_says_so(redis_server: RedisServer) -> None:
    """A dead Redis refuses nobody; when it is back, and the pause over, it counts again."""
    clock, shared = Seconds(), list[bool]()
    limits = Limits(redis_server.url, shared_changed=shared.append, monotonic=clock)
    await limits.take(POLICY, "a")
    redis_server.kill()
    taken = [await limits.take(POLICY, "a") for _ in range(4)]
    assert [each.allowed for each in taken] == [True, True, True, False]
    assert shared == [True, False]
    with pytest.raises(ProbeError, match="Redis"):
        await limits.probe()
    redis_server.start()
    assert not (await limits.take(POLICY, "a")).allowed, "Redis is left alone for a moment"
    clock.now += 60
    assert (await limits.take(POLICY, "a")).remaining == 2
    assert shared == [True, False, True]
    await limits.probe()
    await limits.close()


async def test_a_redis_that_never_was_is_no_failure() -> None:
    """The gateway starts before its Redis, and limits by itself till then."""
    limits = Limits("redis://127.0.0.1:1/0")
    assert (await limits.take(POLICY, "a")).remaining == 2
    await limits.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis", "redis://:hunter2@host:port/0"])
def test_an_address_that_is_none_is_a_setting_to_mend(url: str) -> None:
    """The message shows how to write one, and not what was written: it may hold a password."""
    with pytest.raises(SettingsError, match=r"limits\.redis_url") as refused:
        Limits(url)
    assert "hunter2" not in str(refused.value)
