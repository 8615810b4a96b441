"""A load client in a process of its own: connections that ask for the next piece at once.

`python -m bench.load <port> <connections> <seconds>` reads the requests from stdin as JSON (a list
of lists of texts: what each connection sends, in turn), and prints one JSON object. It reads as
little of an answer as it must, so that the server and not the client is at its limit.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import cast

_BUFFER = memoryview(bytearray(1 << 20))
_HEAD_MOST = 4096


class AnswerCounter(asyncio.BufferedProtocol, ABC):
    """One connection, whose answers are told one by one.

    All connections share the buffer, since a body is counted and not kept.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._left = 0
        self._head = b""

    @abstractmethod
    def answered(self) -> None:
        """A whole answer, a 200 or 206, has come."""

    @abstractmethod
    def failed(self, why: str) -> None:
        """Another answer has come; the connection is cut."""

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Where the bytes go (asyncio.BufferedProtocol)."""
        return _BUFFER

    def buffer_updated(self, count: int) -> None:
        """Count them."""
        if self._left == 0:
            self._head += bytes(_BUFFER[: min(count, _HEAD_MOST)])
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._head.startswith((b"HTTP/1.1 206", b"HTTP/1.1 200")):
                self.failed(self._head[:200].decode("latin-1"))
                self.transport.abort()
                return
            at = self._head.lower().find(b"content-length: ") + 16
            size = int(self._head[at : self._head.index(b"\r", at)])
            # The head came whole: servers write it in one piece.
            self._left = size - (count - end - 4)
            self._head = b""
        else:
            self._left -= count
        if self._left == 0:
            self.answered()


class _Client(AnswerCounter):
    """Asks for the next piece as soon as the last one has come."""

    def __init__(self, requests: Iterator[bytes], stop: asyncio.Event) -> None:
        super().__init__()
        self.count = 0
        self.wrong: list[str] = []
        self.latencies_s: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._stop = stop
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self.transport.write(next(self._requests))

    def answered(self) -> None:
        self.latencies_s.append(time.perf_counter() - self._sent_at)
        self.count += 1
        if self._stop.is_set():
            self.transport.close()
        else:
            self._send()

    def failed(self, why: str) -> None:
        self.wrong.append(why)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def main(port: int, connections: int, seconds: float) -> None:
    """Run for *seconds*, and print how many were answered and how quickly."""
    lists = [[text.encode("latin-1") for text in texts] for texts in json.load(sys.stdin)]
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    clients = []
    began = time.perf_counter()
    for number in range(connections):
        requests = itertools.cycle(lists[number % len(lists)])
        client = _Client(requests, stop)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        clients.append(client)
    await asyncio.sleep(seconds)
    stop.set()
    await asyncio.wait([client.done for client in clients], timeout=10)
    elapsed_s = time.perf_counter() - began
    latencies = sorted(itertools.chain.from_iterable(client.latencies_s for client in clients))
    print(
        json.dumps(
            {
                "answered": sum(client.count for client in clients),
                "elapsed_s": elapsed_s,
                "p50_ms": 1000 * latencies[len(latencies) // 2] if latencies else None,
                "p99_ms": 1000 * latencies[len(latencies) * 99 // 100] if latencies else None,
                "wrong": [text for client in clients for text in client.wrong][:3],
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
