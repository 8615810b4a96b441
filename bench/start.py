"""`make bench-start`: from the start of a process until it answers, and until it is ready.

Tell with its database, its keys and a film in a folder, beside a web server of the same library
that can do nothing: what lies between them is Tell's own. `/healthz` answers when the socket is
open, `/readyz` with 200 when database and storage have answered too. Rounds alternate; the first
one, which brings the files into memory, counts for nothing.
"""

from __future__ import annotations

import asyncio
import http.client
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.evening import make_evening
from bench.figures import Bar, Chart, hand_over, quick, rounded
from demo.services import free_port, program

ROUNDS = 7
_LOOK_EVERY_S = 0.005
_PATIENCE_S = 60.0
_EMPTY = """
import sys
from aiohttp import web

async def answer(_):
    return web.Response()

app = web.Application()
app.router.add_get("/healthz", answer)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@dataclass
class Side:
    """A server that is started again and again; its figures, one a round, for each path."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    paths: Sequence[str]
    took_s: dict[str, list[float]] = field(default_factory=dict)


async def main(rounds: int = ROUNDS) -> int:
    """Print the medians."""
    with tempfile.TemporaryDirectory(prefix="tell-bench-", dir=".") as name:
        folder = await asyncio.to_thread(Path(name).absolute)
        evening = await make_evening(folder, 10)
        tell = Side(
            "Tell",
            [program("tell"), "serve", "--port"],
            evening.environ,
            ("/healthz", "/readyz"),
        )
        peer = Side("an empty aiohttp server", [sys.executable, "-c", _EMPTY], {}, ("/healthz",))
        with (folder / "servers.log").open("wb") as log:
            for number in range(rounds + 1):
                for side in (tell, peer):
                    took_s = await _start(side, log.fileno())
                    for path, value in took_s.items():
                        if number:
                            side.took_s.setdefault(path, []).append(value)
    return _report((tell, peer), rounds)


async def _start(side: Side, log: int) -> dict[str, float]:
    """Start it once, and end it; seconds until each path answered 200."""
    port = free_port()
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *(*side.command, str(port)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=dict(side.environ),
    )
    try:
        took_s = {}
        for path in side.paths:
            while not await asyncio.to_thread(_answers, port, path):
                if process.returncode is not None or time.perf_counter() - began > _PATIENCE_S:
                    raise AssertionError(f"{side.name} does not answer {path}")
                await asyncio.sleep(_LOOK_EVERY_S)
            took_s[path] = time.perf_counter() - began
        return took_s
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _report(sides: Sequence[Side], rounds: int) -> int:
    print(f"from the start of a process to its first 200, medians of {rounds} alternated starts:")
    bars = []
    for side in sides:
        for path, took_s in side.took_s.items():
            each = ", ".join(f"{value:.2f}" for value in took_s)
            median_s = statistics.median(took_s)
            print(f"  {side.name:<24} {path:<9} {median_s:5.2f} s   ({each})")
            # Both sides have /healthz; what it means is said by the chart's title.
            name = f"{side.name}, ready" if path == "/readyz" else side.name
            bars.append(Bar(name=name, value=rounded(median_s), peer=side is sides[-1]))
    title = "Seconds from a process's start until it answers"
    return hand_over(Chart(title=title, command="make bench-start", bars=bars))


if __name__ == "__main__":
    sys.exit(asyncio.run(main(1) if quick() else main()))
