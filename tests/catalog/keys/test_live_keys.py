"""The keys of a running gateway follow the database, within moments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from catalog.keys.live_keys import LiveKeys
from catalog.keys.sealing import MasterKeys
from catalog.keys.webhook_keys import KeyStore
from catalog.store.database import Database
from tests.catalog.samples import Clock

MASTER = MasterKeys({"m1": b"m" * 32})
ONE, TWO = b"1" * 32, b"2" * 32
PATIENCE_S = 20


@pytest.fixture
def store(database: Database, clock: Clock) -> KeyStore:
    """What `tell keys` works on."""
    return KeyStore(database, MASTER, clock)


@pytest.fixture
async def live(store: KeyStore) -> AsyncIterator[LiveKeys]:
    """Keys of a gateway with two partners; it reads them every 50 ms."""
    keys = LiveKeys(store, {"prod": "key-prod", "staging": "key-staging"}, refresh_s=0.05)
    await keys.start()
    yield keys
    await keys.stop()


def names(live: LiveKeys, clock: Clock, key_id: str = "key-prod") -> list[str]:
    """Names of the secrets that verify now."""
    return [secret.name for secret in live.key_sets(clock())[key_id].secrets]


async def after_reading(live: LiveKeys, clock: Clock) -> list[str]:
    """Names of the secrets of prod that verify once a reading has begun and ended."""
    async with asyncio.timeout(PATIENCE_S):
        # The first may have begun before the test's change.
        await live.read_again()
        await live.read_again()
    return names(live, clock)


async def test_a_new_key_is_good_without_a_restart(
    live: LiveKeys, store: KeyStore, clock: Clock
) -> None:
    """Each key set holds its own environment's secrets alone."""
    assert live.without_keys(clock()) == ["prod", "staging"]
    await store.add("prod", ONE)
    assert await after_reading(live, clock) == ["w1"]
    assert names(live, clock, "key-staging") == []
    assert live.key_sets(clock())["key-prod"].environment == "prod"
    assert live.without_keys(clock()) == ["staging"]


async def test_a_revoked_key_is_refused_without_a_restart(
    live: LiveKeys, store: KeyStore, clock: Clock
) -> None:
    """The others stay."""
    await store.add("prod", ONE)
    await store.add("prod", TWO)
    await store.add("staging", ONE)
    assert await after_reading(live, clock) == ["w1", "w2"]
    await store.revoke("prod", "w1")
    assert await after_reading(live, clock) == ["w2"]
    assert [each.value for each in live.key_sets(clock())["key-prod"].secrets] == [TWO]
    assert names(live, clock, "key-staging") == ["w1"]


async def test_a_retiring_key_ends_at_its_instant(
    live: LiveKeys, store: KeyStore, clock: Clock
) -> None:
    """By the clock, whether the database was read meanwhile or not."""
    await store.add("prod", ONE)
    await store.rotate("prod", TWO, timedelta(days=7))
    assert await after_reading(live, clock) == ["w1", "w2"]
    clock.move(days=7, microseconds=-1)
    assert names(live, clock) == ["w1", "w2"]
    clock.move(microseconds=1)
    assert names(live, clock) == ["w2"]


async def test_keys_outlive_the_database(
    live: LiveKeys, store: KeyStore, clock: Clock, database: Database
) -> None:
    """While it cannot be read those of the last reading are good."""
    await store.add("prod", ONE)
    assert await after_reading(live, clock) == ["w1"]
    await database.close()
    await live.read_again()
    assert names(live, clock) == ["w1"]
