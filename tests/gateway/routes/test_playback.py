"""POST /tell/playback."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from catalog.store.schema import playback_states
from gateway import keys
from tests.gateway.town import Sold, Town, bearer, playback


def report(sold: Sold, **changes: Any) -> dict[str, Any]:
    """What she who bought that ticket reports."""
    return playback(sold.correlation_id) | changes


async def send(town: Town, listener: str, body: dict[str, Any]) -> int:
    """Status of the answer."""
    async with town.tell.post("/tell/playback", json=body, headers=bearer(listener)) as answer:
        return answer.status


@pytest.mark.both_databases
async def test_the_last_state_of_a_ticket_is_kept_and_counted(town: Town) -> None:
    """204; one row however many reports; the metrics have the error with its bound."""
    sold, listener = await town.ticket()
    assert await send(town, listener, report(sold, rebuffers=2)) == 204
    assert await send(town, listener, report(sold, error_ms=30, rebuffers=3)) == 204
    assert await send(town, listener, report(sold, phase="previews", rebuffers=3)) == 204
    async with town.tell.app[keys.DATABASE].read() as connection:
        (row,) = (await connection.execute(select(playback_states))).all()
    assert (row.phase, row.rebuffers, row.error_ms) == ("previews", 3, -12.5)
    metrics = await town.text("/metrics")
    name = 'tell_playback_sync_error_seconds_bucket{le="%s",source="hls"} %s'
    assert name % ("0.01", "0.0") in metrics
    assert name % ("0.02", "1.0") in metrics
    assert name % ("0.03", "1.0") in metrics
    assert name % ("0.04", "2.0") in metrics
    assert 'tell_playback_rebuffers_total{source="hls"} 3.0' in metrics


@pytest.mark.both_databases
async def test_one_or_two_listeners_are_told_to_nobody(town: Town) -> None:
    """The gauge stands at 0 until three listen, and falls back when they are quiet."""
    for number in range(3):
        assert "tell_listeners_now 0.0" in await town.text("/metrics")
        sold, listener = await town.ticket()
        assert await send(town, listener, report(sold)) == 204
        town.clock.advance(seconds=10)
        assert number < 3
    assert "tell_listeners_now 3.0" in await town.text("/metrics")
    town.clock.advance(minutes=2)
    assert "tell_listeners_now 0.0" in await town.text("/metrics")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source": "vinyl"}, "source"),
        ({"rendition": "../../etc/passwd"}, "rendition"),
        ({"phase": "applause"}, "phase"),
        ({"error_ms": "12"}, "error_ms"),
        ({"error_ms": 1e9}, "error_ms"),
        ({"bound_ms": -1}, "bound_ms"),
        ({"rebuffers": -1}, "rebuffers"),
        ({"rebuffers": 1.5}, "rebuffers"),
        ({"rebuffers": True}, "rebuffers"),
        ({"correlation_id": "nobody"}, "correlation_id"),
    ],
)
async def test_a_wrong_report_is_refused_with_the_field(
    town: Town, changes: dict[str, Any], field: str
) -> None:
    """422 that names it; nothing is kept."""
    sold, listener = await town.ticket()
    problem = await town.problem(
        "/tell/playback", "POST", json=report(sold, **changes), headers=bearer(listener)
    )
    assert (problem["status"], problem["code"]) == (422, "invalid-body")
    assert [each["field"] for each in problem["errors"]] == [field]
    assert await town.count(playback_states) == 0


async def test_only_the_holder_may_report(town: Town) -> None:
    """A ticket of somebody else is a 404, and without a bearer nobody is heard."""
    mine, me = await town.ticket()
    theirs = await town.sell(await town.show())
    await town.is_enriched(theirs.correlation_id)
    assert await send(town, me, report(theirs)) == 404
    async with town.tell.post("/tell/playback", json=report(mine)) as answer:
        assert answer.status == 401


@pytest.mark.usefixtures("one_window")
async def test_too_many_reports_are_refused(town: Town) -> None:
    """30 a minute for a listener; then 429 and when to come again."""
    sold, listener = await town.ticket()
    statuses = [await send(town, listener, report(sold)) for _ in range(31)]
    assert statuses == [204] * 30 + [429]
