"""track.json: what is written reads back, and what cannot be true is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from media.errors import InvalidIdError, TrackFormatError
from media.grid import FRAGMENT_SAMPLES
from media.track import (
    Current,
    Piece,
    current_key,
    dump_current,
    dump_track,
    group_segments,
    load_current,
    load_track,
    track_prefix,
)
from tests.media.tracks import make_track


def test_track_reads_back_equal() -> None:
    """A track survives its file, pieces and all."""
    track = make_track(14, track_offset_s=-2.5)
    assert load_track(dump_track(track), "track.json") == track


def test_file_is_compact_text_with_a_newline() -> None:
    """One line of JSON, so that two hours stay small."""
    text = dump_track(make_track(3)).decode()
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    assert ", " not in text


def test_keys_are_the_documented_ones() -> None:
    """Where version, pointer and files lie."""
    track = make_track(1)
    assert track.prefix == "tracks/one-week/en/0123456789abcdef"
    assert current_key("one-week", "en") == "tracks/one-week/en/current.json"
    assert track.renditions[0].file_name == "aac-32k.mp4"
    assert track.rendition("opus-24k") is track.renditions[2]
    assert track.rendition("opus-99k") is None
    assert track.duration_s == 0.96


@pytest.mark.parametrize(
    ("movie_id", "language"), [("..", "en"), ("a/b", "en"), ("", "en"), ("film", "../x"), ("f", "")]
)
def test_keys_cannot_climb(movie_id: str, language: str) -> None:
    """Ids that are no single folder name make no key."""
    with pytest.raises(InvalidIdError):
        current_key(movie_id, language)
    with pytest.raises(InvalidIdError):
        track_prefix(movie_id, language, "0123456789abcdef")


def test_segments_are_runs_of_six_fragments() -> None:
    """The last one has what is left."""
    fragments = tuple(Piece(100 * i, 100, FRAGMENT_SAMPLES) for i in range(8))
    assert group_segments(fragments) == (
        Piece(0, 600, 6 * FRAGMENT_SAMPLES),
        Piece(600, 200, 2 * FRAGMENT_SAMPLES),
    )
    assert group_segments(()) == ()


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(dump_track(make_track(8)))
    return document


def _load(document: dict[str, Any]) -> None:
    load_track(json.dumps(document).encode(), "film/track.json")


def test_another_format_number_is_refused() -> None:
    """A track of a later version is not half read."""
    with pytest.raises(TrackFormatError, match=r"film/track\.json: format"):
        _load(_document() | {"format": 2})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["movie_id"], "..", "movie_id"),
        (["language"], "e", "language"),
        (["version"], "../../x", "version"),
        (["sample_rate_hz"], 44_100, "sample_rate_hz"),
        (["duration_samples"], 46_080, "add up"),
        (["duration_samples"], "368640", "duration_samples"),
        (["renditions"], [], "renditions"),
        (["renditions", 0, "name"], "aac-64k", "repeat"),
        (["renditions", 0, "name"], "../aac", "name"),
        (["renditions", 0, "fragments"], [], "no fragments"),
        (["renditions", 0, "fragments", 1, 0], 4_000, "does not follow"),
        (["renditions", 0, "fragments", 1, 2], 1_024, "off the grid"),
        (["renditions", 0, "segments", 0, 1], 1, "not runs of 6"),
        (["renditions", 0, "size_bytes"], 1_000, "past the file's end"),
        (["extra"], 1, "extra"),
    ],
)
def test_what_cannot_be_true_is_refused(path: list[str | int], value: object, said: str) -> None:
    """Each contradiction is named."""
    document = _document()
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(TrackFormatError, match=said):
        _load(document)


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"version": "x"}'])
def test_broken_pointer_is_refused(data: bytes) -> None:
    """current.json is read strictly too."""
    with pytest.raises(TrackFormatError, match=r"current\.json"):
        load_current(data, "current.json")


def test_pointer_reads_back() -> None:
    """current.json survives its file."""
    current = Current(version="0123456789abcdef")
    assert load_current(dump_current(current), "current.json") == current
