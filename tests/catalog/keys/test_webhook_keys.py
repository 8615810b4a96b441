"""Webhook keys in the database: made, rotated, revoked, taken in, by several at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from catalog.errors import KeyNameError
from catalog.keys.sealing import MasterKeys
from catalog.keys.webhook_keys import KeyState, KeyStore
from catalog.store.database import Database
from tests.catalog.samples import EVENING, Clock

MASTER = MasterKeys({"m1": b"m" * 32})
ONE, TWO, THREE = (bytes([number]) * 32 for number in range(3))
WEEK = timedelta(days=7)


@pytest.fixture
def store(database: Database, clock: Clock) -> KeyStore:
    """The keys of a database that has none."""
    return KeyStore(database, MASTER, clock)


async def secrets(store: KeyStore) -> dict[str, bytes]:
    """Every key that is not revoked, as environment/name."""
    opened, closed = await store.opened()
    assert not closed
    return {f"{each.key.environment}/{each.key.name}": each.secret.value for each in opened}


async def states(store: KeyStore, clock: Clock) -> list[KeyState]:
    """States of the keys of prod, oldest first."""
    return [key.state(clock()) for key in await store.keys("prod")]


async def test_keys_of_an_environment_are_numbered(store: KeyStore) -> None:
    """Each environment has its own row of names, and its own secrets."""
    assert await store.add("prod", ONE) == "w1"
    assert await store.add("prod", TWO) == "w2"
    assert await store.add("staging", THREE) == "w1"
    assert await secrets(store) == {"prod/w1": ONE, "prod/w2": TWO, "staging/w1": THREE}
    assert [key.name for key in await store.keys("staging")] == ["w1"]
    assert len(await store.keys()) == 3


async def test_a_secret_is_kept_once(store: KeyStore) -> None:
    """A second time would make a revocation look done that is not."""
    await store.add("prod", ONE)
    for again in (store.add("prod", ONE), store.rotate("prod", ONE, WEEK)):
        with pytest.raises(KeyNameError):
            await again
    assert len(await store.keys()) == 1


async def test_a_rotation_lets_the_old_ones_retire(store: KeyStore, clock: Clock) -> None:
    """Those that retire already keep their hour; a second rotation does not lengthen it."""
    await store.add("prod", ONE)
    await store.rotate("prod", TWO, WEEK)
    clock.move(days=3)
    await store.rotate("prod", THREE, WEEK)
    assert [key.retires_at for key in await store.keys("prod")] == [
        EVENING + WEEK,
        EVENING + timedelta(days=10),
        None,
    ]
    assert await states(store, clock) == [KeyState.RETIRING, KeyState.RETIRING, KeyState.GOOD]
    clock.move(days=4)
    assert await states(store, clock) == [KeyState.RETIRED, KeyState.RETIRING, KeyState.GOOD]
    verifying = [key.name for key in await store.keys("prod") if key.verifies(clock())]
    assert verifying == ["w2", "w3"]


async def test_a_rotation_leaves_other_environments_alone(store: KeyStore) -> None:
    """A staging system rotates as often as it likes."""
    await store.add("prod", ONE)
    await store.rotate("staging", TWO, WEEK)
    assert (await store.keys("prod"))[0].retires_at is None


async def test_a_revoked_key_is_gone_for_ever(store: KeyStore, clock: Clock) -> None:
    """Its row stays, so that its secret is known and its name not given again."""
    await store.add("prod", ONE)
    await store.revoke("prod", "w1")
    clock.move(hours=1)
    await store.revoke("prod", "w1")
    assert [key.revoked_at for key in await store.keys("prod")] == [EVENING]
    assert await secrets(store) == {}
    assert await store.add("prod", TWO) == "w2"
    with pytest.raises(KeyNameError, match="tell keys list"):
        await store.revoke("staging", "w1")


async def test_secrets_of_a_file_are_taken_in_once(store: KeyStore) -> None:
    """Known ones are passed over, a revoked one too, and one that stands there twice."""
    assert await store.import_secrets("prod", [ONE, TWO, ONE]) == ["w1", "w2"]
    await store.revoke("prod", "w1")
    assert await store.import_secrets("prod", [ONE, TWO, THREE]) == ["w3"]
    assert list(await secrets(store)) == ["prod/w2", "prod/w3"]


async def test_replicas_that_start_together_take_a_file_in_once(
    database: Database, database_url: str, clock: Clock
) -> None:
    """Whoever is second finds what the first one kept."""
    second = await Database.open(database_url)
    stores = [KeyStore(each, MASTER, clock) for each in (database, second)]
    names = await asyncio.gather(
        *(stores[number % 2].import_secrets("prod", [ONE, TWO]) for number in range(6))
    )
    await second.close()
    assert sorted(name for each in names for name in each) == ["w1", "w2"]


async def test_another_master_key_opens_nothing_and_harms_nothing(
    database: Database, clock: Clock, store: KeyStore
) -> None:
    """The keys that cannot be opened are named, those of the new master key are good."""
    await store.add("prod", ONE)
    other = KeyStore(database, MasterKeys({"m2": b"x" * 32}), clock)
    await other.add("prod", TWO)
    opened, closed = await other.opened()
    assert [each.key.name for each in opened] == ["w2"]
    assert [key.name for key in closed] == ["w1"]
