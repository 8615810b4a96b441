"""When a scenario of sync is good enough, and how it is told."""

from __future__ import annotations

import pytest

from bench.murmur import Reading
from bench.sync_result import Result, markdown, synced_after_s

GOOD = [1.0, -2.0, 3.0] * 100


def test_the_captures_bound_counts_against_us() -> None:
    """18 ms for certain within 1 are good; within 3 they may have been 21."""
    assert Result("x", errors_ms=[18.0] * 100, bound_ms=1.0).faults == []
    assert Result("x", errors_ms=[18.0] * 100, bound_ms=3.0).faults == ["p99 and bound above 20 ms"]


def test_one_moment_is_enough_to_fail() -> None:
    """The largest counts, however short; in the first word too where she waited for it."""
    assert Result("x", errors_ms=[*GOOD, -39.0], bound_ms=2.0).faults == [
        "max and bound above 40 ms"
    ]
    late = Result("x", errors_ms=GOOD, first_ms=[-50.0], bound_ms=2.0)
    assert late.faults == ["max and bound above 40 ms"]
    assert late.cells()[3] == "50.0"


def test_what_was_not_heard_is_not_good() -> None:
    """Silence has no error, and a scenario that broke has none either."""
    assert Result("x").verdict == "FAIL: nothing was heard"
    assert Result("x", errors_ms=GOOD, problem="no button").verdict == "FAIL: no button"


def test_the_slowest_join_counts() -> None:
    """Four in time and one too late are a miss, and so is none."""
    slow = Result("x", 1.0, errors_ms=GOOD, joins_s=[0.4, 0.5, 0.4, 0.5, 1.2])
    assert slow.faults == ["not in sync within 1.0 s"]
    assert slow.cells()[-1] == "0.50, max 1.20 s (<= 1.0)"
    assert Result("x", 1.0, errors_ms=GOOD).faults == ["not in sync within 1.0 s"]


def test_a_seam_that_is_heard_fails() -> None:
    """A hand-over may neither be silent nor jump."""
    assert Result("x", errors_ms=GOOD, gap_ms=5.0, jump_ms=19.0).faults == []
    assert Result("x", errors_ms=GOOD, gap_ms=25.0, jump_ms=21.0).faults == [
        "gap above 20 ms",
        "jump above 20 ms",
    ]


@pytest.mark.parametrize(
    ("step_ms", "hole_ms", "faults"),
    [(50.0, 150.0, []), (50.0, 200.0, ["unreadable for 200 ms"]),
     (1000.0, 1000.0, []), (1000.0, 2000.0, ["unreadable for 2000 ms"])],
)  # fmt: skip
def test_a_hole_that_is_heard_fails(step_ms: float, hole_ms: float, faults: list[str]) -> None:
    """What could not be read is told, and counts against us once a word may be lost in it."""
    result = Result("x", errors_ms=GOOD, moments=400, unread=4, step_ms=step_ms, hole_ms=hole_ms)
    assert result.faults == faults
    assert result.cells()[-2] == f"1.0%, {hole_ms:.0f} ms"


def test_the_table_has_a_row_for_each() -> None:
    """As it goes into the documentation."""
    assert markdown([Result("stream", errors_ms=[1.0, 1.0], bound_ms=2.5)]) == (
        "| scenario | p50 | p95 | p99 | max | bound | readings | unread, longest | in sync after"
        " | |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
        "| stream | 1.0 | 1.0 | 1.0 | 1.0 | ±2.5 | 2 | - | - | PASS |\n"
    )


@pytest.mark.parametrize(
    ("errors_s", "after_s"),
    [
        ([0.001, 0.002, 0.001], 0.4),
        ([0.1, 0.05, 0.001], 1.0),
        ([0.001, None, 0.001], 1.0),
        ([0.001, 0.002, 0.039], float("inf")),
    ],
)
def test_in_sync_is_from_when_on_it_stays_so(errors_s: list[float | None], after_s: float) -> None:
    """The first sound counts only where no moment after it was wrong, or missing."""
    readings = [
        None if error_s is None else Reading(at, error_s)
        for at, error_s in zip((10.5, 10.75, 11.0), errors_s, strict=True)
    ]
    assert synced_after_s(readings, 10.4, 10.0, 0.002, 0.25) == pytest.approx(after_s)


@pytest.mark.parametrize(
    ("errors_s", "after_s"),
    [
        ([0.001, None, None, None, 0.001], 0.4),
        ([0.001, None, None, None, None, 0.001], 0.75),
        ([None, 0.001, 0.001], 0.55),
        ([0.001, None, 0.1, None, 0.001], 0.7),
        ([0.001, None, None, None, None], float("inf")),
    ],
)
def test_few_moments_that_cannot_be_read_do_not_undo_a_join(
    errors_s: list[float | None], after_s: float
) -> None:
    """As little as a settled sound may be unreadable for, and only once it was in sync."""
    readings = [
        None if error_s is None else Reading(10.5 + count * 0.05, error_s)
        for count, error_s in enumerate(errors_s)
    ]
    assert synced_after_s(readings, 10.4, 10.0, 0.002, 0.05) == pytest.approx(after_s)


def test_pieces_of_a_long_listening_become_one() -> None:
    """Errors, moments and readings are put together; of the bounds the widest counts."""
    whole = Result("two hours")
    for bound_ms, readings in ((2.0, [(1.0, 3.0)]), (3.0, [(301.0, -41.0)])):
        piece = Result("", bound_ms=bound_ms, moments=300, unread=1, step_ms=1000, hole_ms=1000)
        piece.readings = readings
        piece.errors_ms = [error_ms for _, error_ms in readings]
        whole.add(piece)
    assert (whole.bound_ms, whole.moments, whole.unread) == (3.0, 600, 2)
    assert whole.readings == [(1.0, 3.0), (301.0, -41.0)]
    assert "max and bound above 40 ms" in whole.faults
