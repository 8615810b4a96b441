"""The Python side of the cases that the app's own modules keep too (tests/web/twins.test.js)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.models import Screening, ScreeningStatus, StartSource
from catalog.partner.clock import Exchange, PartnerClock, Reading, observe, read
from catalog.screenings.timeline import position
from media.playhead import track_position_s
from tests.media.tracks import make_track

HERE = Path(__file__).parent
EPOCH = datetime(2026, 11, 22, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# Cut off below the microsecond on each of two readings (catalog/partner/clock.py).
PRECISION_US = 2


def cases(name: str) -> Any:
    """The cases of that file."""
    return json.loads((HERE / f"{name}.json").read_text())


def at(microseconds: int) -> datetime:
    """An instant of a case."""
    return EPOCH + microseconds * MICROSECOND


@pytest.mark.parametrize("case", cases("clock")["exchanges"], ids=lambda case: case["name"])
def test_an_exchange_says_the_same_in_both_languages(case: Any) -> None:
    """Offset, way and bound, but for each side's own precision."""
    reading = read(
        Exchange(
            at(case["sent_us"]),
            at(case["server_received_us"]),
            at(case["server_sent_us"]),
            at(case["received_us"]),
            case["server_bound_us"],
        )
    )
    assert reading.offset_us == case["offset_us"]
    assert reading.round_trip_us == case["round_trip_us"]
    assert reading.bound_us == case["bound_us"] + PRECISION_US


@pytest.mark.parametrize("case", cases("clock")["runs"], ids=lambda case: case["name"])
def test_a_run_of_readings_holds_the_truth_in_both_languages(case: Any) -> None:
    """The true offset lies within the bound, and the bound is as small as promised."""
    clock: PartnerClock | None = None
    for one in case["readings"]:
        bound_us = one["bound_us"]
        clock = observe(clock, Reading(at(one["at_us"]), one["offset_us"], bound_us, 2 * bound_us))
    assert clock is not None
    bound_us = clock.bound_at(at(case["now_us"]))
    assert abs(clock.offset_us - case["true_offset_us"]) <= bound_us <= case["at_most_bound_us"]


@pytest.mark.parametrize("case", cases("timeline")["instants"], ids=lambda case: case["now"])
def test_an_instant_lies_in_the_same_phase_in_both_languages(case: Any) -> None:
    """And film time is the same to the microsecond."""
    times = {
        name: datetime.fromisoformat(at) for name, at in cases("timeline")["screening"].items()
    }
    cancelled = case.get("cancelled", False)
    screening = Screening(
        id=1,
        environment="prod",
        showtime_id="st-1",
        status=ScreeningStatus.CANCELLED if cancelled else ScreeningStatus.SCHEDULED,
        revision=1,
        movie_start_bound_ms=0,
        movie_start_source=StartSource.SCHEDULE,
        **times,
    )
    place = position(screening, datetime.fromisoformat(case["now"]))
    assert place.phase == case["phase"]
    assert place.offset_s == pytest.approx(case["offset_s"], abs=1e-9)


@pytest.mark.parametrize("case", cases("playhead"), ids=lambda case: case["name"])
def test_the_track_stands_at_the_same_place_in_both_languages(case: Any) -> None:
    """Held within the track."""
    track = make_track(4096, case["track_offset_s"])
    expected = track.duration_s if case.get("ends_at") else case["position_s"]
    assert track_position_s(case["offset_s"], track) == pytest.approx(expected, abs=1e-9)
