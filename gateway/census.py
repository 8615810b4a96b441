"""The evening, for /metrics: read from the database at a scrape, and not at each."""

from __future__ import annotations

import asyncio

import structlog

from catalog.errors import DatabaseError
from gateway.evening_metrics import EveningMetrics
from gateway.ops.tonight import Evening

log = structlog.get_logger(__name__)

# Prometheus gives up after ten, and would have nothing at all.
_LIMIT_S = 8.0


class Census:
    """Brings what *evening* reads into the metrics."""

    def __init__(self, evening: Evening, metrics: EveningMetrics) -> None:
        self._evening = evening
        self._metrics = metrics

    async def take(self) -> None:
        """Look, unless that was done a moment ago. Without the database the last look stands."""
        try:
            async with asyncio.timeout(_LIMIT_S):
                self._metrics.show(await self._evening.take())
        except (DatabaseError, TimeoutError) as error:
            log.warning("evening_not_read", error=str(error) or f"no answer in {_LIMIT_S:g} s")
