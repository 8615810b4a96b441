"""From bytes to readings: what both loaders, of folders and of servers, do with what they got."""

from __future__ import annotations

from media.errors import TrackFormatError
from packager.lint.answers import Answer
from packager.lint.boxes import IndexBox, read_index, read_init, read_segment
from packager.lint.playlist import MediaPlaylist
from packager.lint.presentation import InitReading, SegmentReading


def init_reading(data: bytes, answer: Answer | None = None) -> InitReading:
    """What the bytes of an init segment hold."""
    try:
        header, exact = read_init(data)
    except TrackFormatError as error:
        return InitReading(len(data), None, exact=False, damage=str(error), answer=answer)
    return InitReading(len(data), header, exact=exact, damage=None, answer=answer)


def segment_reading(data: bytes, answer: Answer | None = None) -> SegmentReading:
    """What the bytes of a media segment hold."""
    try:
        return SegmentReading(len(data), read_segment(data), None, answer)
    except TrackFormatError as error:
        return SegmentReading(len(data), (), str(error), answer)


def index_reading(data: bytes) -> IndexBox | None:
    """The sidx in the bytes before the first segment; None where there is none that can be read."""
    try:
        return read_index(data)
    except TrackFormatError:
        return None


def index_range(playlist: MediaPlaylist) -> tuple[str, int, int] | None:
    """Address, offset and size of what lies between init and first media segment of one file."""
    if not playlist.segments:
        return None
    first = playlist.segments[0]
    init = first.map
    if init is None or init.url != first.url or init.range is None or first.range is None:
        return None
    if init.range.offset is None or first.range.offset is None:
        return None
    begin = init.range.offset + init.range.size
    size = first.range.offset - begin
    return (first.url, begin, size) if size > 0 else None


def chosen(segments: int, most: int | None) -> frozenset[int]:
    """Which of *segments* to read where *most* may be: first, last and some evenly between."""
    if most is None or segments <= most:
        return frozenset(range(segments))
    last = segments - 1
    return frozenset(round(step * last / max(most - 1, 1)) for step in range(most))
