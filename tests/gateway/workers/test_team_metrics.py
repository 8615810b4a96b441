"""Metrics of several processes: whichever is asked answers for all."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from prometheus_client import Gauge
from prometheus_client.parser import text_string_to_metric_families

from gateway.metrics import Metrics
from gateway.workers.team_metrics import forget_gauges

# A worker in slot *slot* that counts, sets gauges, tells its pid, and waits to be asked or to end.
_WORKER = """
import os, pathlib, sys
from gateway.metrics import Metrics
from gateway.workers.team import Team
from gateway.workers.team_metrics import TeamMetrics
folder, slot, count = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
team = Team(slot, 2)
metrics = Metrics(TeamMetrics(folder, f"{slot}a", team))
metrics.purchases.labels("local").inc(count)
metrics.request_seconds.labels("/time", "GET").observe(0.02)
metrics.event_connections.set(count)
metrics.watch(metrics.event_log_age_seconds, lambda: count / 10)
metrics.refresh()
print(os.getpid(), flush=True)
for pids in sys.stdin:
    team.pids = dict(enumerate(map(int, pids.split())))
    sys.stdout.write(metrics.render().decode() + "# END\\n")
    sys.stdout.flush()
"""


class _Worker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.pid = process.pid

    @classmethod
    async def start(cls, folder: Path, slot: int, count: int) -> _Worker:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _WORKER, str(folder), str(slot), str(count)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        await process.stdout.readline()
        return cls(process)

    async def scrape(self, *pids: int) -> dict[tuple[str, tuple[str, ...]], float]:
        """Every sample by its name and the sorted values of its labels."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{' '.join(map(str, pids))}\n".encode())
        text = (await self.process.stdout.readuntil(b"# END\n")).decode()
        return {
            (sample.name, tuple(sorted(sample.labels.values()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


async def test_counters_add_up_and_outlive_a_killed_worker(tmp_path: Path) -> None:
    """Gauges of the dead are taken out; what they counted stays, and goes on in the next one."""
    workers = [await _Worker.start(tmp_path, slot, count) for slot, count in ((0, 3), (1, 4))]
    first, second = workers
    purchases = ("tell_purchases_accepted_total", ("local",))
    try:
        for each in workers:
            seen = await each.scrape(first.pid, second.pid)
            assert seen[purchases] == 7
            assert seen["tell_http_request_seconds_count", ("/time", "GET")] == 2
            assert seen["tell_event_connections", ()] == 7
            # The oldest view is the one to worry about.
            assert seen["tell_event_log_age_seconds", ()] == 0.4
            assert seen["tell_workers_running", ()] == 2
            assert seen["process_resident_memory_bytes", ("0",)] > 1e6
            assert seen["process_resident_memory_bytes", ("1",)] > 1e6
        await second.kill()
        forget_gauges(tmp_path, "1a")
        seen = await first.scrape(first.pid)
        assert seen[purchases] == 7
        assert seen["tell_event_connections", ()] == 3
        assert (seen["tell_workers_running", ()], seen["tell_workers_wanted", ()]) == (1, 2)
        workers[1] = third = await _Worker.start(tmp_path, 1, 5)
        seen = await third.scrape(first.pid, third.pid)
        assert seen[purchases] == 12
        assert seen["tell_event_connections", ()] == 8
    finally:
        for each in workers:
            await each.kill()


def test_every_gauge_says_how_several_become_one() -> None:
    """By the library's default each process would have a line of its own, by its process id."""
    gauges = [each for each in vars(Metrics()).values() if isinstance(each, Gauge)]
    assert len(gauges) >= 5
    for gauge in gauges:
        assert gauge._multiprocess_mode.startswith("live"), gauge
