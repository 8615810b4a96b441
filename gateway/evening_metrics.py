"""What Prometheus is told of the evening: read from the database and the disks at a scrape.

Whichever process is asked answers for all of them, as all read the same database. Counts of people
below three are in none of these: a screening that has fewer has no line.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.ops.tonight import Tonight

# More would cost Prometheus more than they tell; those with most listeners come first.
_MOST_SCREENINGS = 50


class EveningMetrics(Collector):
    """Shows the evening that it was given last. *places* are folders whose disks may fill up."""

    def __init__(self) -> None:
        self.places: Mapping[str, Path] = {}
        self._tonight: Tonight | None = None

    def show(self, tonight: Tonight) -> None:
        """Tell this from now on."""
        self._tonight = tonight

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each metric once; without samples while nothing was read."""
        tonight = self._tonight
        yield from _people(tonight)
        yield from _purchases(tonight)
        yield from _tracks(tonight)
        taken = GaugeMetricFamily(
            "tell_evening_timestamp_seconds",
            "When what is told of listeners, purchases and tracks was read from the database.",
        )
        if tonight is not None:
            taken.add_metric([], tonight.taken_at.timestamp())
        yield taken
        free = GaugeMetricFamily(
            "tell_disk_free_bytes", "What is left on the disk of a folder.", labels=["place"]
        )
        for place, folder in self.places.items():
            if (left := _free_bytes(folder)) is not None:
                free.add_metric([place], left)
        yield free


def _people(tonight: Tonight | None) -> Iterator[GaugeMetricFamily]:
    everybody = GaugeMetricFamily(
        "tell_listeners_now",
        "Listeners whose app reported lately, on all replicas; 0 reads <3, and who could be found "
        "by subtracting is left out.",
    )
    screenings = GaugeMetricFamily(
        "tell_screening_listeners",
        "The same of a screening that runs; fewer than three have no line, and the fifty largest "
        "have one.",
        labels=["environment", "showtime_id"],
    )
    running = GaugeMetricFamily(
        "tell_screenings_running", "Screenings with tickets between previews_start and credits_end."
    )
    if tonight is not None:
        everybody.add_metric([], tonight.listeners)
        lines = [line for line in tonight.lines if line.running]
        running.add_metric([], len(lines))
        told = [line for line in lines if line.listeners_number]
        for line in sorted(told, key=lambda line: -line.listeners_number)[:_MOST_SCREENINGS]:
            screening = line.showing.screening
            screenings.add_metric(
                [screening.environment, screening.showtime_id], line.listeners_number
            )
    yield from (everybody, screenings, running)


def _purchases(tonight: Tonight | None) -> Iterator[GaugeMetricFamily]:
    labels = ["environment", "state"]
    waiting = GaugeMetricFamily(
        "tell_purchases_open",
        "Purchases that are no ticket yet: accepted wait for the partner, parked for a person.",
        labels=labels,
    )
    age = GaugeMetricFamily(
        "tell_purchases_open_oldest_seconds", "How long the oldest of them waits.", labels=labels
    )
    if tonight is not None:
        for pile in tonight.piles:
            names = [pile.environment, pile.state.value]
            waiting.add_metric(names, pile.purchases)
            age.add_metric(names, (tonight.taken_at - pile.oldest_at).total_seconds())
    yield from (waiting, age)


def _tracks(tonight: Tonight | None) -> Iterator[GaugeMetricFamily]:
    missing = GaugeMetricFamily(
        "tell_tracks_missing",
        "Films with tickets sold for the next seven days that have no track which can be heard.",
    )
    soonest = GaugeMetricFamily(
        "tell_tracks_missing_start_timestamp_seconds",
        "When the first film starts that has sold tickets and no track; no line without one.",
    )
    unknown = GaugeMetricFamily(
        "tell_tracks_unknown", "Films with sold tickets whose track could not be looked up."
    )
    if tonight is not None:
        found = tonight.shelf.missing
        missing.add_metric([], len(found))
        unknown.add_metric([], tonight.shelf.unknown)
        if found:
            soonest.add_metric([], min(each.next_start for each in found).timestamp())
    yield from (missing, soonest, unknown)


def _free_bytes(folder: Path) -> int | None:
    """Bytes that are free where *folder* is, or its nearest parent; None where that is unknown."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
