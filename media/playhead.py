"""Where in a track a listener is, given the film's time. Pure arithmetic."""

from __future__ import annotations

from media.track import Track


def track_position_s(offset_s: float, track: Track) -> float:
    """Position in the track in seconds, held within its length.

    offset_s is the film's time (now - movie_start). Before the film it is negative, and the track
    waits at 0: a negative start would count from the end (RFC 8216 4.3.5.2).
    """
    return min(max(offset_s - track.track_offset_s, 0.0), track.duration_s)
