"""The films that the chain shows: all in the public domain in the United States.

Running times are those of the restored versions in circulation, in whole minutes; credits are
part of them.
"""

from __future__ import annotations

from typing import Final

from amc_clone.models import Movie


def _film(
    movie_id: str, title: str, year: int, running_time_min: int, *, described: bool = True
) -> Movie:
    return Movie(
        movie_id=movie_id,
        title=title,
        year=year,
        running_time_s=running_time_min * 60,
        poster_path=f"/posters/{movie_id}.svg",
        audio_description_path=f"{movie_id}/en" if described else None,
    )


FILMS: Final[tuple[Movie, ...]] = (
    _film("the-general", "The General", 1926, 78),
    _film("sherlock-jr", "Sherlock Jr.", 1924, 45),
    _film("one-week", "One Week", 1920, 25),
    _film("steamboat-bill-jr", "Steamboat Bill, Jr.", 1928, 70),
    _film("safety-last", "Safety Last!", 1923, 73),
    _film("the-gold-rush", "The Gold Rush", 1925, 95),
    _film("nosferatu", "Nosferatu", 1922, 94),
    _film("metropolis", "Metropolis", 1927, 153),
    _film("the-cabinet-of-dr-caligari", "The Cabinet of Dr. Caligari", 1920, 77),
    _film("the-phantom-of-the-opera", "The Phantom of the Opera", 1925, 93, described=False),
    _film("his-girl-friday", "His Girl Friday", 1940, 92),
    _film("charade", "Charade", 1963, 113, described=False),
    _film("night-of-the-living-dead", "Night of the Living Dead", 1968, 96),
)
