"""traceparent of W3C Trace Context: valid ones go on, others are as if they had not come."""

from __future__ import annotations

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from catalog.enrichment.enricher import Enrichment
from catalog.purchases.intake import Delivery, Intake
from catalog.traceparent import (
    child_traceparent,
    read_traceparent,
    trace_headers,
    trace_id_of,
    tracing,
)
from tests.catalog.samples import PartnerServer, notice

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
# The example of the specification (3.2.3).
VALID = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (VALID, VALID),
        (f"00-{TRACE}-00f067aa0ba902b7-00", f"00-{TRACE}-00f067aa0ba902b7-00"),
        # Flags that are not known yet are not sent on.
        (f"00-{TRACE}-00f067aa0ba902b7-ff", VALID),
        # A later version may say more; what we send is of our own.
        (f"cc-{TRACE}-00f067aa0ba902b7-01", VALID),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes", VALID),
    ],
)
def test_a_valid_traceparent_is_read(value: str, read: str) -> None:
    """In our version of the header."""
    assert read_traceparent(value) == read


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        VALID.upper(),
        f" {VALID}",
        f"{VALID}\n",
        f"{VALID}-more",
        f"cc-{TRACE}-00f067aa0ba902b7-01.what",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7",
        f"00-{TRACE}-00f067aa0ba902b7-1",
        "é" * 55,
    ],
)
def test_another_one_is_ignored(value: str | None) -> None:
    """The request goes on without a trace (3.2: an invalid traceparent is as none)."""
    assert read_traceparent(value) is None


@given(st.text())
def test_whatever_stands_there_is_read_or_ignored(value: str) -> None:
    """And never fails a purchase."""
    assert read_traceparent(value) in {None, value}


def test_what_we_send_is_a_child_of_the_same_trace() -> None:
    """With a parent-id of its own each time, valid itself, and the flags kept."""
    first, second = child_traceparent(VALID), child_traceparent(VALID)
    assert len({VALID, first, second}) == 3
    for child in (first, second):
        assert read_traceparent(child) == child
        assert trace_id_of(child) == TRACE
        assert child.endswith("-01")


class TracedPartner(PartnerServer):
    """A partner that remembers the traces of its questions."""

    def __init__(self) -> None:
        super().__init__()
        self.traces: list[str | None] = []

    async def details(self, request: web.Request) -> web.StreamResponse:
        """Remember, and answer as every partner."""
        self.traces.append(request.headers.get("traceparent"))
        return await super().details(request)


@pytest.fixture
async def partner() -> TracedPartner:
    """In place of the usual one."""
    return TracedPartner()


@pytest.mark.parametrize("traceparent", [VALID, None])
async def test_the_look_up_is_part_of_the_purchase_s_trace(
    intake: Intake, enrichment: Enrichment, partner: TracedPartner, traceparent: str | None
) -> None:
    """From the sale over Tell to the partner's own log; without a trace nothing is made up."""
    await intake.accept("prod", notice(), Delivery("msg-1", "0" * 64, traceparent))
    enrichment.kick()
    await enrichment.idle()
    (carried,) = partner.traces
    if traceparent is None:
        assert carried is None
    else:
        assert carried is not None
        assert trace_id_of(carried) == TRACE
        assert carried != VALID


def test_a_trace_ends_with_its_block() -> None:
    """What comes after it is part of none."""
    with tracing(VALID):
        assert trace_id_of(trace_headers()["traceparent"]) == TRACE
        with tracing(None):
            assert trace_headers()
    assert trace_headers() == {}
