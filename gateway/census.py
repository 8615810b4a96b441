"""How many listen now, for /metrics: asked of the database at a scrape, and not at each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from catalog.errors import DatabaseError
from catalog.listeners.playback import Playback
from catalog.listeners.privacy import told_number
from gateway.metrics import Metrics

log = structlog.get_logger(__name__)

# An app reports about once a minute while it plays.
_LATELY = timedelta(minutes=2)
_KEPT = timedelta(seconds=5)


class Census:
    """Counts listeners into the metrics; fewer than three are not told."""

    def __init__(self, playback: Playback, metrics: Metrics, clock: Callable[[], datetime]) -> None:
        self._playback = playback
        self._metrics = metrics
        self._clock = clock
        self._taken_at: datetime | None = None

    async def take(self) -> None:
        """Count, unless that was done a moment ago. Without the database the last count stands."""
        now = self._clock()
        if self._taken_at is not None and abs(now - self._taken_at) < _KEPT:
            return
        try:
            listeners = await self._playback.listeners(_LATELY)
        except DatabaseError as error:
            log.warning("listeners_not_counted", error=str(error))
            return
        self._metrics.listeners.set(told_number(listeners))
        self._taken_at = now
