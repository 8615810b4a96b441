"""Which scenarios of sync are run."""

from __future__ import annotations

import pytest

from bench.sync import ENTRIES, LONG, chosen


def test_all_are_run_and_the_long_one_when_asked_for() -> None:
    """Two hours are nobody's surprise."""
    assert chosen(None, long=False) == [*ENTRIES]
    assert chosen(None, long=True) == [*ENTRIES, LONG]


def test_some_are_chosen_by_name_in_their_order() -> None:
    """Names are unique, and commas stand between them."""
    assert len({entry.name for entry in (*ENTRIES, LONG)}) == len(ENTRIES) + 1
    assert [entry.name for entry in chosen("rtt-100, stream", long=False)] == ["rtt-100", "stream"]
    assert chosen("two-hours", long=False) == [LONG]


@pytest.mark.parametrize("names", ["", "rtt", "stream,rtt-10"])
def test_a_name_that_there_is_not_is_refused(names: str) -> None:
    """A table of nothing would look like success."""
    with pytest.raises(ValueError, match="there are stream, pauses"):
        chosen(names, long=False)
