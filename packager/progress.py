"""How far a packaging is: bars on a terminal, plain lines where it is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bars,
)
from rich.text import Text

from media.grid import SAMPLE_RATE_HZ

# A plain line at each of these parts of a task.
_PLAIN_STEPS = 4


class Progress(Protocol):
    """What the pipeline tells of its work."""

    def begin(self, task: str, total_samples: int | None) -> None:
        """Begin *task*, such as `encode aac-64k`; the total is None where it is not known."""
        ...

    def advance(self, task: str, samples: int) -> None:
        """Tell that *samples* of the task are done, counted from its beginning."""
        ...

    def end(self, task: str) -> None:
        """End *task*."""
        ...


class Silent:
    """Tells nobody."""

    def begin(self, task: str, total_samples: int | None) -> None:
        """Begin *task*."""

    def advance(self, task: str, samples: int) -> None:
        """Tell that *samples* are done."""

    def end(self, task: str) -> None:
        """End *task*."""


class _Speed(ProgressColumn):
    """How many seconds of sound a second of work does."""

    def render(self, task: Task) -> Text:
        if not task.speed:
            return Text("")
        return Text(f"{task.speed / SAMPLE_RATE_HZ:.0f} x realtime")


class TerminalProgress:
    """Bars with speed and time left; a context manager."""

    def __init__(self, console: Console) -> None:
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            _Speed(),
            TimeRemainingColumn(),
            console=console,
        )
        self._ids: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def begin(self, task: str, total_samples: int | None) -> None:
        """Show a bar for *task*."""
        self._ids[task] = self._bars.add_task(task, total=total_samples)

    def advance(self, task: str, samples: int) -> None:
        """Move the bar."""
        self._bars.update(self._ids[task], completed=samples)

    def end(self, task: str) -> None:
        """Fill the bar, also where the total was an estimate or not known."""
        done = max(self._bars.tasks[self._ids[task]].completed, 1)
        self._bars.update(self._ids[task], total=done, completed=done)


class PlainProgress:
    """Lines for a log: each task's beginning, quarters and end, with its speed and time left."""

    def __init__(self, write: Callable[[str], None], clock_s: Callable[[], float]) -> None:
        self._write = write
        self._clock_s = clock_s
        self._totals: dict[str, int | None] = {}
        self._steps: dict[str, int] = {}
        self._began_s: dict[str, float] = {}
        self._done: dict[str, int] = {}

    def begin(self, task: str, total_samples: int | None) -> None:
        """Write that *task* begins."""
        self._totals[task] = total_samples
        self._steps[task] = 0
        self._done[task] = 0
        self._began_s[task] = self._clock_s()
        self._write(f"{task}: begins")

    def advance(self, task: str, samples: int) -> None:
        """Write a line at each quarter."""
        total = self._totals[task]
        self._done[task] = samples
        if not total:
            return
        step = samples * _PLAIN_STEPS // total
        if self._steps[task] < step < _PLAIN_STEPS:
            self._steps[task] = step
            took_s = self._clock_s() - self._began_s[task]
            left_s = took_s * (total - samples) / samples
            self._write(
                f"{task}: {100 * step // _PLAIN_STEPS} %"
                f"{_times_realtime(samples, took_s)}, {left_s:.0f} s left"
            )

    def end(self, task: str) -> None:
        """Write that *task* is done."""
        took_s = self._clock_s() - self._began_s[task]
        speed = _times_realtime(self._done[task], took_s)
        self._write(f"{task}: done in {took_s:.1f} s{speed}")


@contextmanager
def shown_progress(
    write: Callable[[str], None], clock_s: Callable[[], float]
) -> Iterator[Progress]:
    """Bars where stderr is a terminal, else lines to *write*; *clock_s* is a monotonic clock."""
    console = Console(stderr=True)
    if console.is_terminal:
        with TerminalProgress(console) as bars:
            yield bars
    else:
        yield PlainProgress(write, clock_s)


def _times_realtime(samples: int, took_s: float) -> str:
    """`, 42 x realtime`, or nothing where nothing was measured."""
    if not samples or took_s <= 0:
        return ""
    return f", {samples / SAMPLE_RATE_HZ / took_s:.0f} x realtime"
