"""What the cluster's proof makes of the seconds that were heard."""

from __future__ import annotations

import pytest

from demo.browser import Heard, Join
from demo.cluster_sound import LONGEST_GAP_S, stretches

STARTED = 1000.0
BEGAN = 2000.0
CUTS = [("before", BEGAN), ("fault", BEGAN + 10)]
END = BEGAN + 30


def heard(late_s: dict[int, float], missing: frozenset[int] = frozenset()) -> Join:
    """Each second of the film in its place, but for those that are *late_s*, or missing."""
    seconds = tuple(
        Heard(STARTED + film_s + late_s.get(film_s, 0.0), film_s)
        for film_s in range(1000, 1030)
        if film_s not in missing
    )
    return Join(BEGAN, BEGAN, seconds, bound_s=0.003)


def test_each_stretch_has_its_own_figures() -> None:
    """A second that came 30 ms late in the fault says nothing of what was before."""
    before, fault = stretches(heard({1020: 0.03}), STARTED, CUTS, END)
    assert (before.name, fault.name) == ("before", "fault")
    assert (before.read, fault.read) == (10, 20)
    assert before.worst_ms == pytest.approx(0)
    assert fault.worst_ms == pytest.approx(-30)
    assert before.holds
    assert fault.holds


@pytest.mark.parametrize(
    ("join", "holds"),
    [
        (heard({1020: 0.0369}), (True, True)),
        # With the measurement's own bound it is beyond 40 ms.
        (heard({1020: 0.0375}), (True, False)),
        (heard({}, frozenset({1015, 1016})), (True, True)),
        (heard({}, frozenset({1015, 1016, 1017})), (True, False)),
        # A silence over the cut is found on both sides.
        (heard({}, frozenset({1008, 1009, 1010, 1011})), (False, False)),
        (heard({}, frozenset(range(1010, 1030))), (True, False)),
    ],
)
def test_a_stretch_holds_in_sync_and_without_a_hole(join: Join, holds: tuple[bool, bool]) -> None:
    """40 ms with the bound, and the longest hole of which a loud voice may be the cause."""
    assert tuple(each.holds for each in stretches(join, STARTED, CUTS, END)) == holds


def test_a_sound_that_never_comes_back_is_a_hole_until_the_end() -> None:
    """The last second that was read is not the end of what is looked at."""
    _, fault = stretches(heard({}, frozenset(range(1025, 1030))), STARTED, CUTS, END)
    assert fault.gap_s > LONGEST_GAP_S
    assert not fault.holds
