"""Which films are sold and not described: the alarm that matters most, while it can be mended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.models import ScreeningStatus
from catalog.screenings.board import Board, Showing
from media.errors import InvalidIdError, MediaError, StorageError, TrackNotFoundError
from media.library import Library

# So far ahead a studio can still send a track.
AHEAD = timedelta(days=7)
_KEPT = timedelta(seconds=30)
_LIMIT_S = 4.0
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class MissingTrack:
    """A film with sold tickets that nobody will hear: `why` is a sentence.

    `screenings` are those of the next seven days, the first at `next_start` in `time_zone`.
    """

    environment: str
    movie_id: str
    title: str
    next_start: datetime
    time_zone: str
    screenings: int
    tickets: int
    why: str


@dataclass(frozen=True, slots=True)
class ShelfState:
    """What was found at `checked_at`; `unknown` films could not be looked up just now."""

    checked_at: datetime
    missing: tuple[MissingTrack, ...]
    unknown: int


class Shelf:
    """Compares what is sold with what is published. *board* says what is sold."""

    def __init__(self, board: Board, library: Library, clock: Callable[[], datetime]) -> None:
        self._board = board
        self._library = library
        self._clock = clock
        self._state: ShelfState | None = None

    async def look(self) -> ShelfState:
        """The shelf as it was found within half a minute; raises DatabaseError."""
        now = self._clock()
        if self._state is None or abs(now - self._state.checked_at) >= _KEPT:
            self._state = await self._check(now)
        return self._state

    async def _check(self, now: datetime) -> ShelfState:
        films: dict[tuple[str, str, str | None], list[Showing]] = {}
        for each in await self._board.showings(now, now + AHEAD):
            if each.screening.status is not ScreeningStatus.CANCELLED:
                film = (each.screening.environment, each.movie_id, each.audio_description_path)
                films.setdefault(film, []).append(each)
        gate = asyncio.Semaphore(_AT_ONCE)
        found = await asyncio.gather(*(self._look_up(its[0], gate) for its in films.values()))
        missing = [
            _missing(its, why)
            for its, why in zip(films.values(), found, strict=True)
            if why is not None and why != _UNKNOWN
        ]
        return ShelfState(
            now,
            tuple(sorted(missing, key=lambda each: each.next_start)),
            sum(why == _UNKNOWN for why in found),
        )

    async def _look_up(self, showing: Showing, gate: asyncio.Semaphore) -> str | None:
        """Why nobody will hear the film; None where a track is there."""
        try:
            # Of all together, since they begin together: who waits at the gate waits in it too.
            async with asyncio.timeout(_LIMIT_S), gate:
                await self._library.resolve(showing.movie_id, showing.audio_description_path, None)
        except TrackNotFoundError:
            return "no track is published"
        except InvalidIdError:
            return "its movie_id cannot name a track"
        except (StorageError, TimeoutError):
            return _UNKNOWN
        except MediaError:
            return "its track cannot be read"
        return None


_UNKNOWN = "unknown"


def _missing(showings: Sequence[Showing], why: str) -> MissingTrack:
    first = showings[0]
    return MissingTrack(
        first.screening.environment,
        first.movie_id,
        first.title,
        first.screening.movie_start,
        first.time_zone,
        len(showings),
        sum(each.tickets for each in showings),
        why,
    )
