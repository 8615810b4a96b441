"""What a scenario of `make bench-sync` measured, whether that is good enough, and its line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bench.murmur import Reading

# What must hold from 2 s after the first sound, with the capture's own bound; milliseconds.
P99_MS, MAX_MS = 20.0, 40.0
SETTLED_S = 2.0
# Nobody may hear where the sound went over from one source to another.
SEAM_MS = 20.0
# Nor a hole: the shortest syllables last about as long, so no word is lost in one.
HOLE_MS = 150.0

_HEAD = (
    f"{'scenario':34} {'p50':>6} {'p95':>6} {'p99':>6} {'max':>6}  {'bound':>6} {'n':>5}"
    f" {'unread':>14}  {'in sync after':>13}         {'took':>5}"
)
_TABLE_HEAD = (
    "| scenario | p50 | p95 | p99 | max | bound | readings | unread, longest | in sync after | |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


@dataclass
class Result:
    """Errors in milliseconds, joins in seconds from the tap until the sound was and stayed in sync.

    `first_ms` are the errors of the first two seconds where those count too (she waited for them).
    `limit_s` is what a join may take. `gap_ms` and `jump_ms` are those of a hand-over. Of `moments`
    after the first two seconds, `step_ms` apart, `unread` could not be read: the longest stretch of
    them is `hole_ms`. Where the sound went and came back a join counts from its return.
    """

    title: str
    limit_s: float | None = None
    errors_ms: list[float] = field(default_factory=list)
    first_ms: list[float] = field(default_factory=list)
    bound_ms: float = 0.0
    joins_s: list[float] = field(default_factory=list)
    gap_ms: float | None = None
    jump_ms: float | None = None
    moments: int = 0
    unread: int = 0
    step_ms: float = 0.0
    hole_ms: float = 0.0
    took_s: float = 0.0
    # Seconds after each tap, and the error then.
    readings: list[tuple[float, float]] = field(default_factory=list)
    problem: str = ""

    @property
    def faults(self) -> list[str]:
        """What was promised and does not hold; empty when all does."""
        if self.problem:
            return [self.problem]
        if not self.errors_ms:
            return ["nothing was heard"]
        sizes = np.abs(self.errors_ms)
        largest = max(float(sizes.max()), *map(abs, self.first_ms), 0.0)
        found = []
        if np.percentile(sizes, 99) + self.bound_ms > P99_MS:
            found.append(f"p99 and bound above {P99_MS:.0f} ms")
        if largest + self.bound_ms > MAX_MS:
            found.append(f"max and bound above {MAX_MS:.0f} ms")
        if self.limit_s is not None and not (self.joins_s and max(self.joins_s) <= self.limit_s):
            found.append(f"not in sync within {self.limit_s:.1f} s")
        # Where a second is one reading, one may be lost to a leap within its code.
        if self.hole_ms > max(HOLE_MS, self.step_ms):
            found.append(f"unreadable for {self.hole_ms:.0f} ms")
        for name, size_ms in (("gap", self.gap_ms), ("jump", self.jump_ms)):
            if size_ms is not None and size_ms > SEAM_MS:
                found.append(f"{name} above {SEAM_MS:.0f} ms")
        return found

    def cells(self) -> list[str]:
        """Its figures as they are told: percentiles, largest, bound, count, unread, joins."""
        if not self.errors_ms:
            return ["-"] * 8
        sizes = np.abs(self.errors_ms)
        largest = max(float(sizes.max()), *map(abs, self.first_ms), 0.0)
        figures = [*np.percentile(sizes, [50, 95, 99]), largest]
        return [
            *(f"{figure:.1f}" for figure in figures),
            f"±{self.bound_ms:.1f}",
            str(len(sizes)),
            self._unread(),
            self._joins(),
        ]

    def _unread(self) -> str:
        if not self.moments:
            return "-"
        return f"{self.unread / self.moments:.1%}, {self.hole_ms:.0f} ms"

    def _joins(self) -> str:
        if not self.joins_s:
            return "-"
        limit = "" if self.limit_s is None else f" (<= {self.limit_s:.1f})"
        if len(self.joins_s) == 1:
            return f"{self.joins_s[0]:.2f} s{limit}"
        return f"{np.median(self.joins_s):.2f}, max {max(self.joins_s):.2f} s{limit}"

    def _seam(self) -> str:
        if self.gap_ms is None or self.jump_ms is None:
            return ""
        return f"gap {self.gap_ms:.0f} ms, jump {self.jump_ms:.1f} ms"

    def add(self, piece: Result) -> None:
        """Take over a piece of a long listening that was read by itself."""
        self.errors_ms += piece.errors_ms
        self.joins_s += piece.joins_s
        self.readings += piece.readings
        self.bound_ms = max(self.bound_ms, piece.bound_ms)
        self.moments += piece.moments
        self.unread += piece.unread
        self.step_ms = max(self.step_ms, piece.step_ms)
        self.hole_ms = max(self.hole_ms, piece.hole_ms)

    @property
    def verdict(self) -> str:
        """PASS, or FAIL and why."""
        return "FAIL: " + "; ".join(self.faults) if self.faults else "PASS"

    def __str__(self) -> str:
        p50, p95, p99, largest, bound, count, unread, joins = self.cells()
        said = "  ".join(filter(None, (self._seam(), self.verdict)))
        return (
            f"{self.title:34} {p50:>6} {p95:>6} {p99:>6} {largest:>6}  {bound:>6} {count:>5}"
            f" {unread:>14}  {joins:28} {self.took_s:4.0f} s  {said}"
        )

    def row(self) -> str:
        """Its row of the Markdown table."""
        said = ", ".join(filter(None, (self._seam(), self.verdict)))
        return f"| {' | '.join([self.title, *self.cells(), said])} |"


def head() -> str:
    """Heading of the printed table."""
    return "|true error| in ms, from 2 s after the first sound on\n" + _HEAD


def markdown(results: Sequence[Result]) -> str:
    """Return the whole table for a page of the documentation; errors in ms."""
    return "\n".join([*_TABLE_HEAD, *(result.row() for result in results)]) + "\n"


def every_reading(results: Sequence[Result]) -> str:
    """All that was read, as CSV, for who wants to look into a figure."""
    lines = ["scenario,after_tap_s,error_ms"]
    for result in results:
        for after_s, error_ms in result.readings:
            lines.append(f'"{result.title}",{after_s:.3f},{error_ms:.2f}')
    return "\n".join(lines) + "\n"


def synced_after_s(
    readings: Sequence[Reading | None],
    first_sound_at: float,
    tapped_at: float,
    bound_s: float,
    step_s: float,
) -> float:
    """From the tap until the sound was within 40 ms and stayed so; infinite where it did not.

    None stands for a moment at which there should have been something to read. Once it was in sync,
    so few of them, *step_s* apart, as last no longer than the holes that are allowed later on
    (HOLE_MS) do not count: a reading fails where two rates meet.
    """
    synced_at: float | None = first_sound_at
    unread, was_read = 0, False
    for reading in readings:
        unread = unread + 1 if reading is None else 0
        if reading is None:
            if not was_read or round(unread * step_s * 1000) > HOLE_MS:
                synced_at = None
            continue
        was_read = True
        if abs(reading.error_s) + bound_s > MAX_MS / 1000:
            synced_at = None
        elif synced_at is None:
            synced_at = reading.at
    return float("inf") if synced_at is None else synced_at - tapped_at
