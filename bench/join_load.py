"""Phones that join, in a process of their own: what a player asks until its first sound.

`python -m bench.join_load <port> <seconds> <closed|open> <number>` reads listeners from stdin as
JSON (pairs of correlation id and listener token) and prints one JSON object. Closed: *number*
phones join one after the other, without a pause. Open: *number* phones a second arrive by chance
whether or not the last ones were served, and a join counts from its own instant of arrival.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import sys
import time
from collections.abc import Iterator

_MOVIE_ID = "one-week"
_LENGTH = re.compile(rb"content-length: (\d+)")


class WrongAnswerError(Exception):
    """An answer was not what a join needs."""


async def answer_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head in lower case and body of the next answer; raises WrongAnswerError."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    found = _LENGTH.search(head)
    if found is None:
        raise WrongAnswerError(head.decode("latin-1"))
    return head, await reader.readexactly(int(found[1]))


async def join(port: int, correlation_id: str, token: str) -> None:
    """Grant, Multivariant Playlist, Media Playlist, init segment, the segment of the moment.

    All on one new connection. Raises WrongAnswerError.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(path: str, *lines: str) -> bytes:
        text = "\r\n".join([f"GET {path} HTTP/1.1", "Host: tell.example", *lines, "", ""])
        writer.write(text.encode())
        head, body = await answer_of(reader)
        if not head.startswith((b"http/1.1 200", b"http/1.1 206")):
            raise WrongAnswerError(head.decode("latin-1"))
        return body

    packed = "Accept-Encoding: gzip, deflate, br"
    try:
        grant = json.loads(
            await ask(
                f"/media/audio/{_MOVIE_ID}?ticket={correlation_id}",
                f"Authorization: Bearer {token}",
            )
        )
        await ask(grant["hls"], packed)
        files = grant["downloads"][0]["url"].rpartition("/")[0]
        await ask(f"{files}/aac-64k.m3u8", packed)
        # The sizes of bench/evening.py: nobody needs to unpack a playlist to know them.
        await ask(f"{files}/aac-64k.mp4", "Range: bytes=0-999")
        segment = int(grant["track_position_s"] / 5.76)
        first = 16_000 + segment * 48_000
        await ask(f"{files}/aac-64k.mp4", f"Range: bytes={first}-{first + 47_999}")
    finally:
        writer.close()


class _Crowd:
    """Everybody who joins, and how long each waited."""

    def __init__(self, port: int, listeners: list[list[str]]) -> None:
        self.waited_s: list[float] = []
        self.wrong: list[str] = []
        self._port = port
        self._next: Iterator[list[str]] = itertools.cycle(listeners)

    async def one(self, arrived: float) -> None:
        try:
            await join(self._port, *next(self._next))
        except (WrongAnswerError, OSError, EOFError) as error:
            self.wrong.append(str(error)[:200])
        else:
            self.waited_s.append(time.perf_counter() - arrived)

    async def closed(self, until: float) -> None:
        while time.perf_counter() < until:
            await self.one(time.perf_counter())

    async def open(self, until: float, a_second: float) -> None:
        chance = random.Random(3)  # noqa: S311  (the same arrivals each time)
        joining = set()
        arrives = time.perf_counter()
        while arrives < until:
            arrives += chance.expovariate(a_second)
            # The arrivals of a crowd are what is measured: nothing is awaited but time.
            await asyncio.sleep(max(0.0, arrives - time.perf_counter()))
            task = asyncio.create_task(self.one(arrives))
            joining.add(task)
            task.add_done_callback(joining.discard)
        await asyncio.gather(*joining)


async def main(port: int, seconds: float, mode: str, number: float) -> None:
    """Run, and print how many joined and how long they waited."""
    crowd = _Crowd(port, json.load(sys.stdin))
    began = time.perf_counter()
    if mode == "closed":
        await asyncio.gather(*(crowd.closed(began + seconds) for _ in range(int(number))))
    else:
        await crowd.open(began + seconds, number)
    waited = sorted(crowd.waited_s)
    print(
        json.dumps(
            {
                "joined": len(waited),
                "elapsed_s": time.perf_counter() - began,
                "client_cpu_s": time.process_time(),
                "p50_ms": 1000 * waited[len(waited) // 2] if waited else None,
                "p99_ms": 1000 * waited[len(waited) * 99 // 100] if waited else None,
                "wrong": crowd.wrong[:3],
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
