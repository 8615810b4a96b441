"""What supervisor and worker say to each other: lines of JSON over a pair of sockets.

A worker that finds the line closed knows that its supervisor is gone, and ends.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

# A worker says so often that it is alive, in seconds: its loop turns.
ALIVE_EVERY_S = 1.0
READY, ALIVE = "ready", "alive"


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is told on its command line; `control` and `listeners` are descriptors.

    It stands in place number `slot` and writes its metrics into `metrics_folder` as `metrics_name`.
    """

    slot: int
    control: int
    listeners: Sequence[int]
    public_url: str
    metrics_folder: str
    metrics_name: str

    def dump(self) -> str:
        """As one argument."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Post:
        """The opposite; raises ValueError, TypeError for what is none."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker shall do: take connections from the sockets of these slots, or `retire`.

    One who retires takes none, sees its connections to their ends and ends. `team` has the process
    id of the worker in each slot, of `size` slots.
    """

    accept: Sequence[int]
    team: Mapping[int, int]
    size: int
    retire: bool = False


class Line:
    """One end of the pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, end: socket.socket) -> Line:
        """Take over an end."""
        return cls(*await asyncio.open_connection(sock=end))

    def say(self, word: str) -> None:
        """From a worker: READY or ALIVE."""
        self._send({"is": word})

    def order(self, orders: Orders) -> None:
        """From the supervisor."""
        self._send(asdict(orders))

    async def words(self) -> AsyncIterator[str]:
        """What a worker says, until it is gone."""
        async for message in self._messages():
            yield str(message["is"])

    async def orders(self) -> AsyncIterator[Orders]:
        """What the supervisor wants, until it is gone."""
        async for message in self._messages():
            team = {int(slot): pid for slot, pid in message.pop("team").items()}
            yield Orders(team=team, **message)

    def close(self) -> None:
        """Close this end."""
        self._writer.close()

    def _send(self, message: dict[str, Any]) -> None:
        # A few hundred bytes: they fit into the socket, and who is gone is found out by reading.
        if not self._writer.is_closing():
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def _messages(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            try:
                line = await self._reader.readline()
            except ConnectionError:
                return
            if not line.endswith(b"\n"):
                return
            message: dict[str, Any] = json.loads(line)
            yield message
