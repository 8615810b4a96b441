"""Waits between tries."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from amc_clone.backoff import Backoff


@given(attempts=st.integers(1, 10_000), seed=st.integers())
def test_a_wait_is_between_three_quarters_and_the_cap(attempts: int, seed: int) -> None:
    """The first is about a second, none is beyond half a minute."""
    wait_s = Backoff().wait_s(attempts, random.Random(seed))  # noqa: S311  (dice of a test)
    full_s = min(30.0, 1.25 ** min(attempts - 1, 100))
    assert 0.75 * full_s <= wait_s <= full_s


def test_a_sale_arrives_soon_after_an_outage() -> None:
    """However long Tell was away, the next try comes within a quarter of that and a second."""
    backoff, dice = Backoff(), random.Random(1)  # noqa: S311  (dice of a test)
    down_s = 0.0
    for attempts in range(1, 60):
        wait_s = backoff.wait_s(attempts, dice)
        assert wait_s <= min(30.0, 0.25 * down_s / 0.75 + 1.0)
        down_s += wait_s
