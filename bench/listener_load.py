"""Listeners who hold their schedule, in a process of their own; and readers who take nothing.

`python -m bench.listener_load hold <port> <seconds> <ramp seconds>` reads the paths of the
listeners' files from stdin as JSON. They connect one after the other during the ramp, and each asks
for its first segment, which is not counted. Then it prints `ready`, and each asks for a segment
every 5.76 s, the next one at an instant of its own, whether or not the server keeps up: late is
counted from that instant. In the end it prints one JSON object.

`python -m bench.listener_load slow <port> <seconds> 0` asks for the whole of each path on a
connection that can take in little, prints `ready`, and reads a byte of each every second.
"""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import sys
import time
from typing import cast

from bench.load import AnswerCounter
from gateway.delivery.room import raise_descriptors

PERIOD_S = 5.76
SEGMENT_BYTES = 48_000
_INIT_BYTES = 16_000
_SEGMENTS = 1250
_PATIENCE_S = 30.0
_TINY = 4096


class _Listener(AnswerCounter):
    """One listener's connection."""

    def __init__(self, port: int, path: str, number: int) -> None:
        super().__init__()
        self.late_s: list[float] = []
        self.wrong = ""
        self.first = asyncio.get_running_loop().create_future()
        # All is answered, or nothing will be any more.
        self.settled = asyncio.Event()
        self._ask = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nRange: bytes=".encode()
        self._segment = number % _SEGMENTS
        # When what was not answered yet was due.
        self._due: list[float] = []

    @property
    def waiting(self) -> bool:
        """Whether something was asked and not answered."""
        return bool(self._due)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.ask(time.perf_counter())

    def ask(self, due: float) -> None:
        """Ask for the segment that is due then, or behind the one that has not come yet."""
        self._due.append(due)
        self.settled.clear()
        if len(self._due) == 1:
            self._send()

    def _send(self) -> None:
        begin = _INIT_BYTES + self._segment * SEGMENT_BYTES
        self._segment = (self._segment + 1) % _SEGMENTS
        self.transport.write(b"%s%d-%d\r\n\r\n" % (self._ask, begin, begin + SEGMENT_BYTES - 1))

    def answered(self) -> None:
        late_s = time.perf_counter() - self._due.pop(0)
        if self.first.done():
            self.late_s.append(late_s)
        else:
            self.first.set_result(None)
        if self._due:
            self._send()
        else:
            self.settled.set()

    def failed(self, why: str) -> None:
        self.wrong = self.wrong or why

    def connection_lost(self, _error: Exception | None) -> None:
        self.wrong = self.wrong or "the connection was closed"
        self.settled.set()
        if not self.first.done():
            self.first.set_result(None)

    def close(self) -> None:
        """Leave."""
        self.wrong = self.wrong or "left"
        self.transport.abort()


async def hold(port: int, seconds: float, ramp_s: float, paths: list[str]) -> None:
    """Run, and print how late each answer was."""
    loop = asyncio.get_running_loop()
    listeners: list[_Listener] = []
    begins = time.perf_counter()
    for number, path in enumerate(paths):
        await _until(begins + ramp_s * number / len(paths))
        listener = _Listener(port, path, number)
        listeners.append(listener)
        await loop.create_connection(lambda made=listener: made, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.wait([each.first for each in listeners], timeout=_PATIENCE_S)
    # What lives now lives to the end: nobody needs to look for it among what is dead.
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    used_s = time.process_time()
    begins = time.perf_counter() + 0.1
    behind_s = []
    for turn in range(int(len(listeners) * seconds / PERIOD_S)):
        due = begins + turn * PERIOD_S / len(listeners)
        await _until(due)
        behind_s.append(time.perf_counter() - due)
        listener = listeners[turn % len(listeners)]
        if not listener.wrong:
            listener.ask(due)
    asked_s = time.perf_counter() - begins
    used_s = time.process_time() - used_s
    # The last ones, and those that are late by more than a segment.
    ends = [asyncio.create_task(each.settled.wait()) for each in listeners if each.waiting]
    if ends:
        await asyncio.wait(ends, timeout=2 * PERIOD_S)
    late_s = sorted(late for each in listeners for late in each.late_s)
    wrong = [each.wrong for each in listeners if each.wrong]
    never = sum(each.waiting for each in listeners)
    for each in listeners:
        each.close()
    behind_s.sort()
    print(
        json.dumps(
            {
                "asked": len(behind_s),
                "answered": len(late_s),
                "never": never,
                "late": never + sum(late > PERIOD_S for late in late_s),
                "p50_ms": _part(late_s, 0.5),
                "p99_ms": _part(late_s, 0.99),
                "max_ms": _part(late_s, 1.0),
                "behind_p99_ms": _part(behind_s, 0.99),
                "used": used_s / asked_s,
                "lost": len(wrong),
                "wrong": wrong[:3],
            }
        )
    )


async def slow(port: int, seconds: float, paths: list[str]) -> None:
    """Read a byte a second on each connection, and print how many stood until the end."""
    loop = asyncio.get_running_loop()
    lines = []
    for path in paths:
        line = socket.socket()
        # Before connecting, or the window is as large as ever (tcp(7)).
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TINY)
        line.setblocking(False)
        await loop.sock_connect(line, ("127.0.0.1", port))
        await loop.sock_sendall(line, f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        lines.append(line)
    print("ready", flush=True)
    begins = time.perf_counter()
    cut = set()
    for turn in range(int(len(lines) * seconds)):
        await _until(begins + turn / len(lines))
        number = turn % len(lines)
        try:
            if number not in cut and not lines[number].recv(1):
                cut.add(number)
        except BlockingIOError:
            pass
        except ConnectionError:
            cut.add(number)
    for line in lines:
        line.close()
    print(json.dumps({"readers": len(lines), "cut": len(cut)}))


async def _until(instant: float) -> None:
    """Wait for an instant of the schedule; the loop has its turn in any case."""
    left_s = instant - time.perf_counter()
    # A timer wakes a millisecond late: what is so near is due.
    await asyncio.sleep(left_s if left_s > 0.001 else 0)


def _part(ordered_s: list[float], part: float) -> float | None:
    """The value below which that part of all lies, in milliseconds."""
    if not ordered_s:
        return None
    return 1000 * ordered_s[min(len(ordered_s) - 1, int(len(ordered_s) * part))]


async def main(mode: str, port: int, seconds: float, ramp_s: float) -> None:
    """Read the paths, and run."""
    raise_descriptors()
    paths: list[str] = json.load(sys.stdin)
    if mode == "hold":
        await hold(port, seconds, ramp_s, paths)
    else:
        await slow(port, seconds, paths)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
