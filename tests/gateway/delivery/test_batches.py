"""One reading for all who ask at the same time, and never one that began before somebody asked."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

import pytest

from gateway.delivery.batches import Batches


class Shelf:
    """What is read: each reading waits until it is let through."""

    def __init__(self) -> None:
        self.value = 0
        self.readings: list[set[str]] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def read(self, keys: Collection[str]) -> dict[str, int]:
        """The value for every key but "nothing"."""
        self.readings.append(set(keys))
        value = self.value
        self.begun.set()
        await self.go.wait()
        return {key: value for key in keys if key != "nothing"}


async def test_all_who_ask_at_once_share_a_reading() -> None:
    """Each gets its own key's value, None where there is none."""
    shelf = Shelf()
    shelf.go.set()
    batches = Batches(shelf.read, limit=10)
    found = await asyncio.gather(*(batches.get(key) for key in ("a", "b", "nothing", "a")))
    assert found == [0, 0, None, 0]
    assert shelf.readings == [{"a", "b", "nothing"}]


async def test_who_asks_while_one_is_read_is_read_for_again() -> None:
    """What was changed before it asked is in its answer."""
    shelf = Shelf()
    batches = Batches(shelf.read, limit=10)
    early = asyncio.create_task(batches.get("a"))
    await shelf.begun.wait()
    shelf.value = 1
    late = [asyncio.create_task(batches.get("a")) for _ in range(5)]
    shelf.go.set()
    assert await early == 0
    assert await asyncio.gather(*late) == [1] * 5
    assert len(shelf.readings) == 2


async def test_no_reading_is_for_more_than_the_limit() -> None:
    """The others are read for next."""
    shelf = Shelf()
    shelf.go.set()
    batches = Batches(shelf.read, limit=3)
    await asyncio.gather(*(batches.get(str(number)) for number in range(8)))
    assert [len(keys) for keys in shelf.readings] == [3, 3, 2]


async def test_an_error_reaches_all_who_waited_and_nobody_after_them() -> None:
    """One of them had gone away meanwhile."""

    async def read(keys: Collection[str]) -> dict[str, int]:
        if "wrong" in keys:
            raise OSError("no answer")
        return dict.fromkeys(keys, 1)

    batches = Batches(read, limit=10)
    waiting = [asyncio.create_task(batches.get(key)) for key in ("wrong", "a", "b")]
    gone = asyncio.create_task(batches.get("c"))
    await asyncio.sleep(0)
    gone.cancel()
    for each in waiting:
        with pytest.raises(OSError, match="no answer"):
            await each
    assert await batches.get("a") == 1
    assert gone.cancelled()
