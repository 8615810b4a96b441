"""The name of a version: a hash of all that a listener could hear or see."""

from __future__ import annotations

import hashlib
import json

from media.track import Track

# Stands in a Track until its version is known.
NO_VERSION = "0" * 16


def content_version(track: Track) -> str:
    """First 16 hex digits of the SHA-256 over what a listener could hear or see of *track*.

    So the same content has the same version, and a URL never serves other bytes. What only the
    operator sees (the source's name, findings) is left out: a second run that accepts a finding
    changes nothing for listeners.
    """
    content = {
        "format": 2,
        "movie_id": track.movie_id,
        "language": track.language,
        "title": track.title,
        "track_offset_s": track.track_offset_s,
        "duration_samples": track.duration_samples,
        "silences": track.silences,
        "source": track.source.sha256,
        # Gain, conforming and leader are in the sound, the loudness in the files' boxes.
        "renditions": [[rendition.name, rendition.sha256] for rendition in track.renditions],
    }
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]
