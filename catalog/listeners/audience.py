"""Who listens now, and how well it fits: by screening, from what the apps said last.

These are bare counts: whoever shows one goes by catalog/listeners/privacy.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select

from catalog.screenings.timeline import Phase
from catalog.store.database import Database
from catalog.store.schema import playback_states, purchases

# What must not be passed, and what is not noticed.
GOOD_MS = 40.0
_WORST_MS = func.abs(playback_states.c.error_ms) + playback_states.c.bound_ms


@dataclass(frozen=True, slots=True)
class Audience:
    """Those who listen to one screening, by its row.

    `reports` is how many said, while the feature ran, how far off the film their sound was; of
    these so many were `good` (40 ms at worst, the measurement's bound counted), and the worst was
    off by `worst_ms`. `rebuffers` are the holes that all of them heard since they began.
    """

    screening_id: int
    listeners: int
    reports: int
    good: int
    mean_ms: float | None
    worst_ms: float | None
    rebuffers: int


class Audiences:
    """Counts listeners. All methods raise DatabaseError."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def now(self, within: timedelta) -> dict[int, Audience]:
        """Those whose apps have reported since *within* ago, by the row of their screening."""
        since = self._clock() - within
        feature = playback_states.c.phase == Phase.FEATURE.value
        reports = func.sum(case((feature, 1), else_=0))
        query = (
            select(
                purchases.c.screening_id,
                func.count(playback_states.c.listener_id.distinct()),
                reports,
                func.sum(case((feature & (_WORST_MS <= GOOD_MS), 1), else_=0)),
                func.avg(case((feature, _WORST_MS))),
                func.max(case((feature, _WORST_MS))),
                func.sum(playback_states.c.rebuffers),
            )
            .join(purchases, purchases.c.id == playback_states.c.purchase_id)
            .where(playback_states.c.reported_at >= since)
            .where(purchases.c.screening_id.is_not(None))
            .group_by(purchases.c.screening_id)
        )
        async with self._database.read(stale_ok=True) as connection:
            rows = await connection.execute(query)
            return {
                screening_id: Audience(
                    screening_id,
                    int(listeners),
                    int(told),
                    int(good),
                    None if mean is None else float(mean),
                    None if worst is None else float(worst),
                    int(rebuffers),
                )
                for screening_id, listeners, told, good, mean, worst, rebuffers in rows
            }
