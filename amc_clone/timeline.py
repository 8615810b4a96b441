"""Where a screening stands at an instant, and which of several is meant. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from amc_clone.models import Screening, ScreeningStatus


class Phase(StrEnum):
    """The part of a screening that an instant lies in."""

    UPCOMING = "upcoming"
    PREVIEWS = "previews"
    FEATURE = "feature"
    ENDED = "ended"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Standing:
    """`offset_s` is now - movie_start in seconds: negative before the feature."""

    phase: Phase
    offset_s: float

    @property
    def on_sale(self) -> bool:
        """Whether a ticket can be bought: until the credits are over, for latecomers too."""
        return self.phase not in {Phase.ENDED, Phase.CANCELLED}


def standing(screening: Screening, now: datetime) -> Standing:
    """Where *screening* stands at *now*. A phase includes its first instant and not its last."""
    return Standing(_phase(screening, now), (now - screening.movie_start).total_seconds())


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


def nearest(
    last_over: Screening | None, first_not_over: Screening | None, now: datetime
) -> Screening | None:
    """The screening that a question without showtimeId means.

    The one that runs now; else the one with the shorter gap to *now*, counted from the credits_end
    of the last that is over and to the previews_start of the first that is not; at a tie the
    coming one.
    """
    if last_over is None or first_not_over is None:
        return first_not_over or last_over
    ahead = max(first_not_over.previews_start - now, timedelta(0))
    behind = now - last_over.credits_end
    return first_not_over if ahead <= behind else last_over
