"""How many connections there may be, and what happens at the last one."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from gateway.delivery.room import Room, connections_for


@pytest.mark.parametrize(
    ("descriptors", "open_files", "connections"),
    [(65_536, 256, 65_152), (1024, 256, 640), (256, 256, 128), (20, 8, 10)],
)
def test_descriptors_are_kept_back_for_the_rest(
    descriptors: int, open_files: int, connections: int
) -> None:
    """For files of tracks, the database and libraries; with very few, half of them."""
    assert connections_for(descriptors, open_files) == connections


async def test_the_last_one_is_followed_by_those_who_make_way() -> None:
    """Those that are on their way in count too; who makes way is asked for, and told of."""
    asked: list[int] = []
    made: list[int] = []

    def make_way(count: int) -> int:
        asked.append(count)
        return 2

    room = Room(40, make_way, made.append)
    for _ in range(39):
        assert room.has_one()
        room.came()
    room.coming += 1
    assert not room.has_one()
    assert (asked, made) == ([2], [2])
    room.coming -= 1
    assert room.has_one()


async def test_who_waits_is_called_once_when_somebody_leaves() -> None:
    """However often it said that it waits."""
    room = Room(1, lambda count: 0)
    room.came()
    called = asyncio.Event()
    calls = []

    def again() -> None:
        calls.append(room.has_one())
        called.set()

    room.wait(again)
    room.wait(again)
    room.left()
    room.came()
    room.left()
    await called.wait()
    await asyncio.sleep(0)
    assert calls == [True]


async def test_it_is_said_once_and_not_for_each() -> None:
    """A flood is one line of the log, with what can be done."""
    room = Room(1, lambda count: 0)
    room.came()
    with capture_logs() as lines:
        for _ in range(1000):
            assert not room.has_one()
    (line,) = lines
    assert (line["event"], line["limit"], line["log_level"]) == ("connections_full", 1, "warning")
    assert "LimitNOFILE" in line["mend"]
