"""What a listener's app last said of its sound: one row for each ticket, and no history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from catalog.errors import TicketNotFoundError
from catalog.screenings.timeline import Phase
from catalog.store.database import Database
from catalog.store.schema import claims, playback_states, purchases


class PlaybackSource(StrEnum):
    """Where the sound comes from: a stream, the file that was kept, or the file as it comes."""

    HLS = "hls"
    DASH = "dash"
    DOWNLOAD = "download"
    PROGRESSIVE = "progressive"


@dataclass(frozen=True, slots=True)
class PlaybackState:
    """`error_ms` is where the sound is, less where it should be, known within `bound_ms`.

    `rebuffers` counts since the app began to play this ticket.
    """

    source: PlaybackSource
    rendition: str
    phase: Phase
    error_ms: float
    bound_ms: float
    rebuffers: int

    @property
    def sync_error_s(self) -> float:
        """How far off it may be at worst: the measurement's own bound counts against us."""
        return (abs(self.error_ms) + self.bound_ms) / 1000


class Playback:
    """Keeps the states. All methods raise DatabaseError."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def keep(self, listener_id: str, correlation_id: str, state: PlaybackState) -> int:
        """Put *state* in the place of the ticket's last one; returns the rebuffers since then.

        Raises TicketNotFoundError.
        """
        values = {**asdict(state), "listener_id": listener_id, "reported_at": self._clock()}

        async def keep(connection: AsyncConnection) -> int:
            purchase_row = await _held(connection, listener_id, correlation_id)
            known = (
                await connection.execute(
                    select(playback_states.c.listener_id, playback_states.c.rebuffers)
                    .where(playback_states.c.purchase_id == purchase_row)
                    .with_for_update()
                )
            ).one_or_none()
            if known is None:
                await connection.execute(
                    insert(playback_states).values(purchase_id=purchase_row, **values)
                )
                return state.rebuffers
            await connection.execute(
                update(playback_states)
                .where(playback_states.c.purchase_id == purchase_row)
                .values(**values)
            )
            goes_on = known.listener_id == listener_id and state.rebuffers >= known.rebuffers
            return state.rebuffers - known.rebuffers if goes_on else state.rebuffers

        return await self._database.run(keep)

    async def listeners(self, within: timedelta) -> int:
        """How many listeners' apps have reported since *within* ago."""
        since = self._clock() - within
        query = select(func.count(playback_states.c.listener_id.distinct())).where(
            playback_states.c.reported_at >= since
        )
        async with self._database.read(stale_ok=True) as connection:
            return int((await connection.execute(query)).scalar_one())


async def _held(connection: AsyncConnection, listener_id: str, correlation_id: str) -> int:
    """Row of the purchase, if the listener holds it."""
    row: int | None = await connection.scalar(
        select(purchases.c.id)
        .join(claims, claims.c.purchase_id == purchases.c.id)
        .where(purchases.c.correlation_id == correlation_id)
        .where(claims.c.listener_id == listener_id)
        .limit(1)
    )
    if row is None:
        raise TicketNotFoundError(correlation_id)
    return row
