"""Who listens now, by screening; and that no number leads to a person."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import timedelta

from catalog.enrichment.enricher import Enrichment
from catalog.listeners.audience import Audiences
from catalog.listeners.claims import Claims
from catalog.listeners.playback import Playback, PlaybackSource, PlaybackState
from catalog.listeners.privacy import told_count, told_total
from catalog.purchases.intake import Intake
from catalog.screenings.timeline import Phase
from catalog.store.database import Database
from tests.catalog.samples import Clock, accept, notice, settled

LATELY = timedelta(minutes=2)


def state(error_ms: float, *, phase: Phase = Phase.FEATURE, rebuffers: int = 0) -> PlaybackState:
    """What an app said, measured to 5 ms."""
    return PlaybackState(PlaybackSource.HLS, "aac-64k", phase, error_ms, 5.0, rebuffers)


async def test_listeners_are_counted_by_their_screening(
    database: Database, intake: Intake, enrichment: Enrichment, claims: Claims, clock: Clock
) -> None:
    """Those who reported lately; the bound counts as error; previews are not rated."""
    playback, audiences = Playback(database, clock), Audiences(database, clock)
    said = [
        ("st-1", state(-20, rebuffers=2)),
        ("st-1", state(36)),
        ("st-1", state(500, phase=Phase.PREVIEWS)),
        ("st-2", state(1)),
    ]
    for number, (showtime_id, its) in enumerate(said):
        wanted = notice(purchase_id=f"p-{number}", showtime_id=showtime_id)
        correlation_id = await accept(intake, "prod", wanted)
        await settled(enrichment)
        listener = await claims.claim(correlation_id, f"phone-{number}", None)
        await playback.keep(listener, correlation_id, its)
    first, second = sorted((await audiences.now(LATELY)).values(), key=lambda each: -each.listeners)
    assert (first.listeners, first.reports, first.good) == (3, 2, 1)
    assert (first.mean_ms, first.worst_ms, first.rebuffers) == (33.0, 41.0, 2)
    assert (second.listeners, second.reports, second.good, second.worst_ms) == (1, 1, 1, 6.0)
    clock.move(minutes=3)
    assert await audiences.now(LATELY) == {}


def test_a_total_never_tells_of_a_room_that_is_hidden() -> None:
    """Whoever knows all that is told cannot say of any hidden room that somebody is in it.

    Tried for every way in which up to four rooms may be filled.
    """
    told = defaultdict(list)
    for rooms in range(1, 5):
        for filled in itertools.product(range(6), repeat=rooms):
            shown = tuple(told_count(count) for count in filled)
            total = told_total([count for count in filled if count], rooms)
            told[shown, total].append(filled)
    assert len(told) > 100
    for (shown, _), ways in told.items():
        for room, text in enumerate(shown):
            if text == "<3":
                assert any(way[room] == 0 for way in ways), (shown, ways)


def test_a_total_counts_everybody_where_that_is_safe() -> None:
    """Many small rooms add up; without any the numbers of the others stand."""
    assert told_total([], 0) == 0
    assert told_total([2], 1) == 0
    assert told_total([7, 1], 2) == 7
    assert told_total([1, 1, 1], 3) == 3
    assert told_total([2, 2], 2) == 0
    assert told_total([40, 2, 2, 1], 9) == 45
