"""Starting a worker again: at once, then ever later, and at last not any more."""

from __future__ import annotations

from gateway.workers.restarts import GIVE_UP_AFTER, STEADY_S, Restarts


def test_the_first_death_costs_no_time_and_further_ones_ever_more() -> None:
    """Half a second, doubled, and half a minute at most."""
    restarts = Restarts()
    pauses = []
    for _ in range(12):
        restarts.died(0.0)
        pauses.append(restarts.pause_s)
    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0, 30.0]


def test_a_worker_that_was_well_begins_anew() -> None:
    """What ended it may never come again."""
    restarts = Restarts()
    for _ in range(GIVE_UP_AFTER):
        assert not restarts.hopeless
        restarts.died(STEADY_S - 0.1)
    assert restarts.hopeless
    restarts.died(STEADY_S)
    assert not restarts.hopeless
    assert restarts.pause_s == 0.0
