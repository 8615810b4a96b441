"""Supervisor and worker understand each other, and notice when the other is gone."""

from __future__ import annotations

import socket

from gateway.workers.control import ALIVE, READY, Line, Orders, Post


async def test_words_and_orders_arrive_as_they_were_said() -> None:
    """Until an end is closed, which the other end sees."""
    ends = socket.socketpair()
    supervisor, worker = await Line.open(ends[0]), await Line.open(ends[1])
    orders = [
        Orders(accept=[1], team={1: 4711}, size=2),
        Orders(accept=[], team={}, size=2, retire=True),
    ]
    for each in orders:
        supervisor.order(each)
    worker.say(READY)
    worker.say(ALIVE)
    words = supervisor.words()
    assert [await anext(words), await anext(words)] == [READY, ALIVE]
    supervisor.close()
    assert [each async for each in worker.orders()] == orders
    worker.close()
    assert [word async for word in words] == []


def test_a_post_is_one_argument() -> None:
    """What is dumped is loaded."""
    post = Post(1, 7, [5, 6], "https://tell.example", "/tmp/metrics", "1a")  # noqa: S108  (a name alone)
    assert Post.load(post.dump()) == post
