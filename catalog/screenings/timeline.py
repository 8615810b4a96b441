"""Where a screening stands at an instant. Pure: time is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from catalog.models import Screening, ScreeningStatus


class Phase(StrEnum):
    """The part of a screening that an instant lies in."""

    UPCOMING = "upcoming"
    PREVIEWS = "previews"
    FEATURE = "feature"
    ENDED = "ended"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Position:
    """`offset_s` is now - movie_start in seconds: negative before the feature."""

    phase: Phase
    offset_s: float


def position(screening: Screening, now: datetime) -> Position:
    """Where playback of *screening* stands at *now*.

    offset_s is now - movie_start, negative before the feature, so that a client can count down.
    A phase includes its first instant and not its last.
    """
    return Position(_phase(screening, now), (now - screening.movie_start).total_seconds())


def _phase(screening: Screening, now: datetime) -> Phase:
    if screening.status is ScreeningStatus.CANCELLED:
        return Phase.CANCELLED
    if now < screening.previews_start:
        return Phase.UPCOMING
    if now < screening.movie_start:
        return Phase.PREVIEWS
    if now < screening.credits_end:
        return Phase.FEATURE
    return Phase.ENDED


def listening_ends(screening: Screening, margin: timedelta) -> datetime:
    """First instant at which a ticket no longer opens anything: credits_end plus the margin."""
    return screening.credits_end + margin
