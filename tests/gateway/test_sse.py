"""Writing server-sent events."""

from __future__ import annotations

import pytest

from gateway import sse


def test_an_event_as_bytes() -> None:
    """Id, event and data, and the empty line that dispatches it."""
    assert sse.frame("ticket.enriched", "{}", 7) == b"id: 7\nevent: ticket.enriched\ndata: {}\n\n"


def test_the_first_of_several_carries_no_id() -> None:
    """Or a client that got it alone would never see the others."""
    assert sse.frame("reset", "{}") == b"event: reset\ndata: {}\n\n"


def test_a_heartbeat_has_no_data() -> None:
    """So it dispatches nothing, and its id counts all the same."""
    assert sse.position(41) == b"id: 41\n\n"
    assert sse.retry(2000) == b"retry: 2000\n\n"


@pytest.mark.parametrize(
    ("header", "number"),
    [
        (None, None),
        ("17", 17),
        ("0", 0),
        ("", -1),
        ("x", -1),
        ("-3", -1),
        ("9" * 30, -1),
        ("٣", -1),
    ],
)
def test_an_id_that_is_none_of_ours_leads_to_a_reset(
    header: str | None, number: int | None
) -> None:
    """Whatever a client sends: a number, nothing, or -1."""
    assert sse.read_last_event_id(header) == number
