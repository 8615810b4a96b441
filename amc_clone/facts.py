"""A screening as the chain tells of it: the same facts in an answer and in an event. Pure."""

from __future__ import annotations

from typing import Any

from amc_clone.instants import rfc3339
from amc_clone.models import Screening


def details_json(screening: Screening) -> dict[str, Any]:
    """What GET /screening/details answers: facts alone, nothing that moves with the clock."""
    return {
        "movie_id": screening.movie.movie_id,
        "title": screening.movie.title,
        "poster_path": screening.movie.poster_path,
        "audio_description_path": screening.movie.audio_description_path,
        "place_id": screening.theater.place_id,
        "theater_name": screening.theater.name,
        "time_zone": screening.theater.time_zone,
        "auditorium_number": screening.auditorium_number,
        "showtime_id": screening.showtime_id,
        "previews_start": rfc3339(screening.previews_start),
        "movie_start": rfc3339(screening.movie_start),
        "credits_end": rfc3339(screening.credits_end),
        "movie_start_bound_ms": screening.movie_start_bound_ms,
        "status": screening.status,
        "revision": screening.revision,
    }
