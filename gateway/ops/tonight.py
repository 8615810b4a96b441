"""The evening in one look: what runs, who listens, what is missing, what waits, what changed.

It is read for /metrics and for the operator's page alike, and kept for a moment, so that many who
look cost no more than one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.listeners.audience import Audience, Audiences
from catalog.listeners.privacy import told_count, told_number, told_total
from catalog.models import PurchaseState
from catalog.purchases.backlog import Backlog, Pile
from catalog.purchases.parking import Parking, PurchaseStanding
from catalog.screenings.board import Board, Change, Showing
from catalog.screenings.timeline import Phase, position
from gateway.ops.shelf import Shelf, ShelfState

# An app reports about once a minute while it plays.
LATELY = timedelta(minutes=2)
# The page shows what begins within so long, and what changed since so long ago.
SHOWN_AHEAD = timedelta(hours=12)
_CHANGED_WITHIN = timedelta(hours=12)
_MOST_CHANGES = 20
_MOST_PARKED = 50
_KEPT = timedelta(seconds=2)
_RUNNING = (Phase.PREVIEWS, Phase.FEATURE)


@dataclass(frozen=True, slots=True)
class Line:
    """One screening; its audience is told by the properties alone, which hide fewer than three."""

    showing: Showing
    phase: Phase
    audience: Audience | None

    @property
    def listeners(self) -> str:
        """How many listen now, as an operator may read it."""
        return told_count(0 if self.audience is None else self.audience.listeners)

    @property
    def listeners_number(self) -> int:
        """The same as a number; 0 stands for fewer than three."""
        return told_number(0 if self.audience is None else self.audience.listeners)

    @property
    def tickets(self) -> str:
        """How many tickets with audio description are sold, as an operator may read it."""
        return told_count(self.showing.tickets)

    @property
    def quality(self) -> Audience | None:
        """How well it fits, where three and more say so."""
        its = self.audience
        return None if its is None or told_number(its.reports) == 0 else its

    @property
    def running(self) -> bool:
        """Whether its listeners hear something, or will when the previews end."""
        return self.phase in _RUNNING


@dataclass(frozen=True, slots=True)
class Tonight:
    """The evening as it was at `taken_at`. `listeners` is 0 for fewer than three."""

    taken_at: datetime
    lines: tuple[Line, ...]
    listeners: int
    shelf: ShelfState
    piles: tuple[Pile, ...]
    parked: tuple[PurchaseStanding, ...]
    changes: tuple[Change, ...]


class Evening:
    """Reads it. *margin* is how long after the credits a ticket still opens its track."""

    def __init__(
        self,
        board: Board,
        audiences: Audiences,
        backlog: Backlog,
        parking: Parking,
        shelf: Shelf,
        clock: Callable[[], datetime],
        margin: timedelta,
    ) -> None:
        self._board = board
        self._audiences = audiences
        self._backlog = backlog
        self._parking = parking
        self._shelf = shelf
        self._clock = clock
        self._margin = margin
        self._kept: Tonight | None = None
        self._fresh = False
        self._lock = asyncio.Lock()

    @property
    def last(self) -> Tonight | None:
        """What was read last, however old it is."""
        return self._kept

    def forget(self) -> None:
        """Read anew the next time: something was changed here."""
        self._fresh = False

    async def take(self) -> Tonight:
        """The evening as it was two seconds ago at most; raises DatabaseError."""
        async with self._lock:
            now, kept = self._clock(), self._kept
            if kept is None or not self._fresh or abs(now - kept.taken_at) >= _KEPT:
                # Before it is read: what is changed meanwhile has to be read anew.
                self._fresh = True
                try:
                    kept = self._kept = await self._read(now)
                except BaseException:
                    self._fresh = False
                    raise
            return kept

    async def line(self, environment: str, showtime_id: str) -> Line:
        """One screening as it is now; raises ScreeningNotFoundError, DatabaseError."""
        showing = await self._board.showing(environment, showtime_id)
        return self._line(showing, await self._audiences.now(LATELY), self._clock())

    async def _read(self, now: datetime) -> Tonight:
        showings = await self._board.showings(now - self._margin, now + SHOWN_AHEAD)
        audiences = await self._audiences.now(LATELY)
        lines = tuple(self._line(each, audiences, now) for each in showings)
        running = sum(line.running for line in lines)
        return Tonight(
            taken_at=now,
            lines=lines,
            listeners=told_total([each.listeners for each in audiences.values()], running),
            shelf=await self._shelf.look(),
            piles=tuple(await self._backlog.piles()),
            parked=tuple(await self._parking.standings(PurchaseState.PARKED, limit=_MOST_PARKED)),
            changes=tuple(await self._board.changes(now - _CHANGED_WITHIN, _MOST_CHANGES)),
        )

    def _line(self, showing: Showing, audiences: Mapping[int, Audience], now: datetime) -> Line:
        return Line(
            showing,
            position(showing.screening, now).phase,
            audiences.get(showing.screening.id),
        )
