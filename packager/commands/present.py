"""Tracks and versions as JSON and as rows, the same in every command."""

from __future__ import annotations

from typing import Any

from media.track import Current, Track
from packager.publishing.catalogue import Entry
from packager.publishing.pointer import Switched


def track_data(track: Track) -> dict[str, Any]:
    """A track without the index of its pieces, which is track.json's alone."""
    data = track.model_dump(mode="json", exclude={"renditions", "silences"})
    data["duration_s"] = track.duration_s
    data["silences"] = None if track.silences is None else len(track.silences)
    data["renditions"] = [
        rendition.model_dump(mode="json", exclude={"init", "fragments", "segments"})
        for rendition in track.renditions
    ]
    return data


def current_data(current: Current) -> dict[str, Any]:
    """Which version is current since when, and which were before it."""
    return current.model_dump(mode="json")


def switched_data(switched: Switched) -> dict[str, Any]:
    """What is current after a switch, and which version was before."""
    return {"current": current_data(switched.current), "before": switched.before}


def state(entry: Entry) -> str:
    """One word or sentence for a track in a list."""
    if entry.problem is not None:
        return entry.problem
    if entry.current is None:
        return "never published"
    return "withdrawn" if entry.current.version is None else "published"
