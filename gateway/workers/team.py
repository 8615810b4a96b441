"""The workers that run beside this one, as the supervisor tells of them."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.health import ProbeError


class Team:
    """This worker is in `slot`; `pids` has the process id of the worker in each of `size` slots."""

    def __init__(self, slot: int, size: int = 1) -> None:
        self.slot = slot
        self.size = size
        self.pids: Mapping[int, int] = {}

    async def probe(self) -> str:
        """How many run; raises ProbeError where it is not all of them."""
        running = f"{len(self.pids)} of {self.size} run"
        if len(self.pids) < self.size:
            raise ProbeError(running)
        return running
