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
from collections.abc import Iterator
from typing import cast

_BUFFER = memoryview(bytearray(1 << 20))
_HEAD_MOST = 4096


class _Client(asyncio.BufferedProtocol):
    """One connection; all share the buffer, since a body is counted and not kept."""

    def __init__(self, requests: Iterator[bytes], stop: asyncio.Event) -> None:
        self.answered = 0
        self.wrong: list[str] = []
        self.latencies_s: list[float] = []
        self.done = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._stop = stop
        self._left = 0
        self._head = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._requests))

    def get_buffer(self, _sizehint: int) -> memoryview:
        return _BUFFER

    def buffer_updated(self, count: int) -> None:
        if self._left == 0:
            self._head += bytes(_BUFFER[: min(count, _HEAD_MOST)])
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._head.startswith((b"HTTP/1.1 206", b"HTTP/1.1 200")):
                self.wrong.append(self._head[:200].decode("latin-1"))
                self._transport.abort()
                return
            at = self._head.lower().find(b"content-length: ") + 16
            size = int(self._head[at : self._head.index(b"\r", at)])
            # The head came whole: servers write it in one piece.
            self._left = size - (count - end - 4)
            self._head = b""
        else:
            self._left -= count
        if self._left == 0:
            self.latencies_s.append(time.perf_counter() - self._sent_at)
            self.answered += 1
            if self._stop.is_set():
                self._transport.close()
            else:
                self._send()

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
                "answered": sum(client.answered for client in clients),
                "elapsed_s": elapsed_s,
                "p50_ms": 1000 * latencies[len(latencies) // 2] if latencies else None,
                "p99_ms": 1000 * latencies[len(latencies) * 99 // 100] if latencies else None,
                "wrong": [text for client in clients for text in client.wrong][:3],
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
