"""One /metrics for all workers: each counts into files that the worker which is asked adds up.

By the multiprocess mode of prometheus_client: counters outlive the worker that counted, and a
killed one takes none with it. Its rules: a gauge says how several become one (`multiprocess_mode`),
and no gauge is a function.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    values,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from prometheus_client.values import MultiProcessValue

from gateway.workers.team import Team

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


class TeamMetrics:
    """The metrics of a team, in *folder*, where this process is *name*."""

    def __init__(self, folder: Path, name: str, team: Team) -> None:
        # The library looks for both in its own places; metrics that are made from here on count so.
        os.environ[_FOLDER_VARIABLE] = str(folder)
        values.ValueClass = MultiProcessValue(lambda: name)  # type: ignore[no-untyped-call]
        self._folder = folder
        self._team = team

    def render(self, more: Iterable[Collector]) -> bytes:
        """Prometheus text of what all workers counted, of their processes, and of *more*."""
        registry = CollectorRegistry()
        for each in more:
            registry.register(each)
        MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        registry.register(_Processes(self._team))
        PlatformCollector(registry=registry)
        return generate_latest(registry)


def forget_gauges(folder: Path, name: str) -> None:
    """Take the gauges of a worker that is dead out of the sum; what it counted stays."""
    mark_process_dead(name, str(folder))  # type: ignore[no-untyped-call]


class _Processes(Collector):
    """Memory, processor time and files of each worker, by its slot; and how many there are."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def collect(self) -> Iterable[Metric]:
        """Look at them now."""
        running = GaugeMetricFamily("tell_workers_running", "Workers that answer requests.")
        running.add_metric([], len(self._team.pids))
        wanted = GaugeMetricFamily("tell_workers_wanted", "Workers that there should be.")
        wanted.add_metric([], self._team.size)
        families: dict[str, Metric] = {each.name: each for each in (running, wanted)}
        for slot, pid in sorted(self._team.pids.items()):
            its = ProcessCollector(pid=partial(int, pid), registry=None)
            for metric in its.collect():
                family = families.setdefault(
                    metric.name, Metric(metric.name, metric.documentation, metric.type)
                )
                for sample in metric.samples:
                    labels = {**sample.labels, "worker": str(slot)}
                    family.add_sample(sample.name, labels, sample.value)
        return families.values()
