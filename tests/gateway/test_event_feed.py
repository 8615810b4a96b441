"""One connection of a listener: order, bounds and heartbeats."""

from __future__ import annotations

import asyncio

from gateway import sse
from gateway.event_feed import Subscription


def subscription(capacity: int = 3) -> Subscription:
    """A connection that stands at event 10."""
    made = Subscription("a-listener", capacity)
    made.position = 10
    return made


async def take(line: Subscription, count: int) -> list[bytes]:
    """So many frames of it, heartbeats included."""
    frames: list[bytes] = []
    async with asyncio.timeout(20):
        async for frame in line.frames(heartbeat_s=0.001):
            frames.append(frame)
            if len(frames) == count:
                return frames
    return frames


async def test_what_was_missed_comes_before_what_happens_meanwhile() -> None:
    """And an event of before its position is not told twice."""
    line = subscription()
    assert line.offer(11, [b"eleven"])
    assert line.offer(10, [b"ten, again"])
    line.begin_with([b"eight", b"nine"])
    assert await take(line, 4) == [b"eight", b"nine", b"eleven", sse.position(11)]


async def test_a_line_that_takes_nothing_is_let_go() -> None:
    """Its queue is bounded; who waits in a write is woken by the cut."""
    line, cut = subscription(capacity=2), asyncio.Event()
    line.on_drop = cut.set
    assert line.offer(11, [b"a", b"b"])
    assert not line.offer(12, [b"c"])
    assert cut.is_set()
    assert line.ended
    assert await take(line, 1) == []


async def test_idle_lines_get_signs_of_life() -> None:
    """With the position, so that a reconnect goes on behind it."""
    assert await take(subscription(), 2) == [sse.position(10)] * 2
