"""All posters by movie_id."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from amc_clone.posters import comedies, shadows, talkies

_POSTERS: Final[dict[str, Callable[[], str]]] = {
    "the-general": comedies.the_general,
    "sherlock-jr": comedies.sherlock_jr,
    "one-week": comedies.one_week,
    "steamboat-bill-jr": comedies.steamboat_bill_jr,
    "safety-last": comedies.safety_last,
    "the-gold-rush": comedies.the_gold_rush,
    "nosferatu": shadows.nosferatu,
    "metropolis": shadows.metropolis,
    "the-cabinet-of-dr-caligari": shadows.the_cabinet_of_dr_caligari,
    "the-phantom-of-the-opera": shadows.the_phantom_of_the_opera,
    "his-girl-friday": talkies.his_girl_friday,
    "charade": talkies.charade,
    "night-of-the-living-dead": talkies.night_of_the_living_dead,
}


@cache
def poster(movie_id: str) -> str | None:
    """The SVG of this movie's poster; None for a movie without one."""
    draw = _POSTERS.get(movie_id)
    return None if draw is None else draw()
