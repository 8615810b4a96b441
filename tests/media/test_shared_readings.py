"""One reading for all who ask for the same, and never one that began before somebody asked."""

from __future__ import annotations

import asyncio

import pytest

from media.shared_readings import SharedReadings


class Shelf:
    """What is read: each reading waits until it is let through."""

    def __init__(self) -> None:
        self.value = 0
        self.readings: list[str] = []
        self.begun = asyncio.Event()
        self.go = asyncio.Event()

    async def read(self, key: str) -> int:
        """The value as it was when this began; "broken" cannot be read."""
        self.readings.append(key)
        value = self.value
        self.begun.set()
        await self.go.wait()
        if key == "broken":
            raise OSError(key)
        return value


async def test_all_who_ask_at_once_share_a_reading() -> None:
    """Of each key one."""
    shelf = Shelf()
    shelf.go.set()
    shared = SharedReadings(shelf.read)
    assert await asyncio.gather(*(shared.get(key) for key in "abaab")) == [0] * 5
    assert sorted(shelf.readings) == ["a", "b"]


async def test_who_asks_while_it_is_read_is_read_for_again() -> None:
    """What was changed before it asked is in its answer; another key does not wait."""
    shelf = Shelf()
    shared = SharedReadings(shelf.read)
    early = asyncio.create_task(shared.get("a"))
    await shelf.begun.wait()
    shelf.value = 1
    late = [asyncio.create_task(shared.get("a")) for _ in range(5)]
    shelf.begun.clear()
    other = asyncio.create_task(shared.get("b"))
    await shelf.begun.wait()
    shelf.go.set()
    assert (await early, await other) == (0, 1)
    assert await asyncio.gather(*late) == [1] * 5
    assert sorted(shelf.readings) == ["a", "a", "b"]


async def test_an_error_is_told_to_all_who_asked_and_kept_for_nobody() -> None:
    """The next one reads anew."""
    shelf = Shelf()
    shelf.go.set()
    shared = SharedReadings(shelf.read)
    told = await asyncio.gather(*(shared.get("broken") for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in told] == [OSError] * 3
    with pytest.raises(OSError, match="broken"):
        await shared.get("broken")
    assert shelf.readings == ["broken", "broken"]


async def test_who_goes_away_ends_it_for_nobody() -> None:
    """Nor what follows it."""
    shelf = Shelf()
    shared = SharedReadings(shelf.read)
    first = asyncio.create_task(shared.get("a"))
    await shelf.begun.wait()
    second = [asyncio.create_task(shared.get("a")) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    second[0].cancel()
    shelf.go.set()
    assert await second[1] == 0
    assert await shared.get("a") == 0
    assert len(shelf.readings) == 3
