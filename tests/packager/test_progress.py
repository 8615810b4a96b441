"""What a person sees of a packaging."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console

from packager.progress import PlainProgress, TerminalProgress


def test_plain_lines_tell_quarters_once() -> None:
    """A log gets the beginning, each quarter once with speed and time left, and what it took."""
    times: Iterator[float] = iter([10.0, 11.0, 14.0, 15.0])
    lines: list[str] = []
    progress = PlainProgress(lines.append, lambda: next(times))
    second = 48_000
    progress.begin("encode aac-64k", 100 * second)
    for done_s in (10, 25, 27, 80, 100):
        progress.advance("encode aac-64k", done_s * second)
    progress.end("encode aac-64k")
    assert lines == [
        "encode aac-64k: begins",
        "encode aac-64k: 25 %, 25 x realtime, 3 s left",
        "encode aac-64k: 75 %, 20 x realtime, 1 s left",
        "encode aac-64k: done in 5.0 s, 20 x realtime",
    ]


def test_plain_lines_without_a_total() -> None:
    """Where the length is not known, only beginning and end are told."""
    lines: list[str] = []
    progress = PlainProgress(lines.append, lambda: 0.0)
    progress.begin("check source", None)
    progress.advance("check source", 48_000)
    progress.end("check source")
    assert lines == ["check source: begins", "check source: done in 0.0 s"]


def test_terminal_shows_a_full_bar_at_the_end() -> None:
    """The bar of a task that ended is full, though its total was an estimate."""
    screen = io.StringIO()
    with TerminalProgress(Console(file=screen, force_terminal=True, width=100)) as progress:
        progress.begin("check source", None)
        progress.begin("encode aac-64k", 1000)
        progress.advance("encode aac-64k", 600)
        progress.end("encode aac-64k")
        progress.advance("check source", 48_000)
        progress.end("check source")
    shown = screen.getvalue()
    assert "encode aac-64k" in shown
    assert shown.count("100 %") >= 2
