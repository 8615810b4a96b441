"""Whether this replica should get requests: each part is asked, none for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp

from catalog.errors import CatalogError
from gateway.schemas import Check, Ready
from media.errors import MediaError

_PROBE_TIMEOUT_S = 2.0
# A probe's answer is kept this long, so that nobody can make us ask the partner in a loop.
_KEPT_S = 2.0


class ProbeError(Exception):
    """A part does not do what it is for; the message is shown, so it holds no address or key."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Asks one part; raises ProbeError, or an error of the part. Not every part is needed.

    It may say in a word how the part is.
    """

    ask: Callable[[], Awaitable[str | None]]
    needed: bool


class Worker(Protocol):
    """Works in the background of this process."""

    @property
    def running(self) -> bool:
        """False before its start, after its end, and after a bug."""
        ...


class Background:
    """The workers of this process. One that died of a bug stays dead: only a restart mends it."""

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}

    def watch(self, name: str, worker: Worker) -> None:
        """Tell of *worker* from now on; it has been started."""
        self._workers[name] = worker

    def dead(self) -> list[str]:
        """The names of those that do not work."""
        return [name for name, worker in self._workers.items() if not worker.running]

    async def probe(self) -> None:
        """Raise ProbeError where a worker is dead."""
        if dead := self.dead():
            raise ProbeError(f"dead, so restart: {', '.join(dead)}")


class Readiness:
    """Asks all probes at once and remembers the answer for a moment.

    *worker* is this process's number among several.
    """

    def __init__(self, probes: Mapping[str, Probe], worker: int | None = None) -> None:
        self._probes = probes
        self._worker = worker
        self._kept: tuple[float, Ready] | None = None

    async def check(self) -> Ready:
        """State of every part: unready where a needed one fails, degraded where another does."""
        if self._kept is not None and time.monotonic() - self._kept[0] < _KEPT_S:
            return self._kept[1]
        results = await asyncio.gather(*(_run(probe) for probe in self._probes.values()))
        checks = dict(zip(self._probes, results, strict=True))
        failed = [check for check in results if not check.ok]
        status: Ready = Ready(
            status="ready"
            if not failed
            else "unready"
            if any(check.needed for check in failed)
            else "degraded",
            worker=self._worker,
            checks=checks,
        )
        self._kept = (time.monotonic(), status)
        return status


async def _run(probe: Probe) -> Check:
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            said = await probe.ask()
    except TimeoutError:
        detail = f"no answer in {_PROBE_TIMEOUT_S:g} s"
    except ProbeError as error:
        detail = str(error)
    except (MediaError, CatalogError) as error:
        detail = error.code
    except aiohttp.ClientError:
        detail = "cannot be reached"
    else:
        return Check(ok=True, needed=probe.needed, detail=said or "ok")
    return Check(ok=False, needed=probe.needed, detail=detail)


async def probe_folder(root: Path) -> None:
    """Raise ProbeError unless the storage's folder is there."""
    if not await asyncio.to_thread(root.is_dir):
        raise ProbeError("the folder of the tracks is missing")


async def probe_partner(session: aiohttp.ClientSession, base_url: str) -> None:
    """Raise ProbeError unless the partner's GET /time answers 200."""
    async with session.get(f"{base_url}/time?nonce=readyz", allow_redirects=False) as response:
        if response.status != 200:
            raise ProbeError(f"answers {response.status}")
