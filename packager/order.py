"""What an operator orders: a source, and the track that it shall become."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packager.source.order import SourceOrder
from packager.source.timing import Conform, Timing


@dataclass(frozen=True, slots=True)
class TrackOrder:
    """What to package.

    `track_offset_s` is where the first sample that is kept lies on the movie's timeline; the fields
    after it are those of packager/source/order.py.
    """

    source: Path
    movie_id: str
    language: str
    title: str
    track_offset_s: float = 0.0
    conform: Conform | None = None
    film_starts_at_s: float = 0.0
    audio_track: str | None = None
    running_time_s: float | None = None
    accepted: frozenset[str] = frozenset()

    @property
    def source_order(self) -> SourceOrder:
        """What is said of the source alone."""
        return SourceOrder(
            path=self.source,
            audio_track=self.audio_track,
            timing=Timing(self.conform, self.film_starts_at_s, self.track_offset_s),
            running_time_s=self.running_time_s,
            accepted=self.accepted,
        )
