from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.partner.breaker import Breaker, BreakerRules, BreakerState
from tests.catalog.samples import EVENING

RULES = BreakerRules(
    failures=3,
    first=timedelta(seconds=5),
    longest=timedelta(seconds=20),
    trial=timedelta(seconds=10),
)


def seconds(number: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=number)


def tripped() -> Breaker:
    """A breaker that opened at EVENING."""
    breaker = Breaker(RULES)
    for _ in range(3):
        breaker = breaker.failed(EVENING)
    return breaker


def admitted(breaker: Breaker, at: float) -> Breaker:
    """The breaker after it has let a look-up through so many seconds after EVENING."""
    after = breaker.admit(EVENING + seconds(at))
    assert after is not None
    return after


def test_it_opens_after_failures_in_a_row() -> None:
    """Two failures leave it closed, the third opens it, and a success in between begins anew."""
    breaker = Breaker(RULES).failed(EVENING).failed(EVENING)
    assert breaker.state(EVENING) is BreakerState.CLOSED
    assert breaker.succeeded().failed(EVENING).state(EVENING) is BreakerState.CLOSED
    assert breaker.failed(EVENING).state(EVENING) is BreakerState.OPEN


def test_open_lets_nothing_through_until_its_time() -> None:
    """For five seconds nobody asks; the first instant after them is a trial's."""
    breaker = tripped()
    just_before = EVENING + seconds(5) - timedelta(microseconds=1)
    assert breaker.admit(just_before) is None
    assert breaker.waits_until(just_before) == EVENING + seconds(5)
    assert breaker.state(EVENING + seconds(5)) is BreakerState.HALF_OPEN
    assert breaker.waits_until(EVENING + seconds(5)) is None


def test_half_open_lets_one_through() -> None:
    """While the trial runs nobody else asks; one that never ends is given up after ten seconds."""
    breaker = admitted(tripped(), 5)
    assert breaker.admit(EVENING + seconds(6)) is None
    assert breaker.waits_until(EVENING + seconds(6)) == EVENING + seconds(15)
    admitted(breaker, 15)


def test_a_trial_that_succeeds_closes_it() -> None:
    """After it everybody asks again, and the next trip is as short as the first."""
    breaker = admitted(tripped(), 5).succeeded()
    assert breaker == Breaker(RULES)


def test_a_trial_that_was_dropped_makes_room() -> None:
    """A trial that was cancelled told nothing, and another may try at once."""
    trial = admitted(tripped(), 5)
    assert trial.admit(EVENING + seconds(5)) is None, "one at a time"
    assert trial.dropped().waits_until(EVENING + seconds(5)) is None
    assert trial.dropped().admit(EVENING + seconds(5)) == trial
    assert trial.dropped().state(EVENING + seconds(5)) is BreakerState.HALF_OPEN


@pytest.mark.parametrize(("failed_trials", "open_s"), [(0, 5), (1, 10), (2, 20), (3, 20), (99, 20)])
def test_each_failed_trial_doubles_the_wait(failed_trials: int, open_s: float) -> None:
    """5 s, 10 s, 20 s, and never longer than that."""
    breaker, now = tripped(), EVENING
    for _ in range(failed_trials):
        waits_until = breaker.waits_until(now)
        assert waits_until is not None
        now = waits_until
        trial = breaker.admit(now)
        assert trial is not None
        breaker = trial.failed(now)
    assert breaker.waits_until(now) == now + seconds(open_s)


def test_failures_of_look_ups_from_before_tell_nothing_new() -> None:
    """Eight look-ups under way when it opened do not make the wait longer by failing as well."""
    breaker = tripped()
    for _ in range(8):
        breaker = breaker.failed(EVENING + seconds(1))
    assert breaker.waits_until(EVENING + seconds(1)) == EVENING + seconds(5)


def test_a_clock_that_was_set_back_does_not_keep_it_open_for_hours() -> None:
    """An instant before it opened is a trial's."""
    assert tripped().state(EVENING - timedelta(hours=5)) is BreakerState.HALF_OPEN


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from("ofsd")), max_size=60))
def test_it_is_never_shut_for_longer_than_its_rules_say(steps: list[tuple[int, str]]) -> None:
    """Whatever happens in whatever order, somebody may ask within the longest wait."""
    breaker, now = Breaker(RULES), EVENING
    for wait_s, step in steps:
        now += seconds(wait_s)
        match step:
            case "o":
                breaker = breaker.admit(now) or breaker
            case "f":
                breaker = breaker.failed(now)
            case "s":
                breaker = breaker.succeeded()
            case _:
                breaker = breaker.dropped()
        waits_until = breaker.waits_until(now)
        assert (waits_until is None) is (breaker.admit(now) is not None)
        if waits_until is not None:
            assert now < waits_until <= now + max(RULES.longest, RULES.trial)
            assert breaker.admit(waits_until) is not None
