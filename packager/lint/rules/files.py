"""Rules of the files: CMAF that leaves nothing for a player to interpret."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault

FAMILY = Family("files")

# The structural brands of CMAF (ISO/IEC 23000-19 7.2).
_BRANDS = frozenset({"cmfc", "cmf2"})
_SAME_S = Fraction(1, 1000)


@FAMILY.error("one-track", "Apple HLS authoring 2.17", "package one sound in one file")
def _one_track(p: Presentation) -> Iterator[Fault]:
    """The init segment has one track."""
    for playlist, header in p.headers:
        if header.tracks != 1:
            yield Fault(playlist.name, None, f"the init segment has {header.tracks} tracks")


@FAMILY.warning("cmaf-brand", "ISO/IEC 23000-19 7.2", "write cmfc (or cmf2) into ftyp")
def _cmaf_brand(p: Presentation) -> Iterator[Fault]:
    """The file says that it is CMAF."""
    for playlist, header in p.headers:
        if not _BRANDS & set(header.brands):
            yield Fault(playlist.name, None, f"brands are {', '.join(header.brands) or 'none'}")


@FAMILY.error(
    "edit-list",
    "docs/measurements.md, priming; ISO/IEC 14496-12 8.6.6",
    "drop the encoder's priming from the file, and write no edit list",
)
def _edit_list(p: Presentation) -> Iterator[Fault]:
    """No edit list: players read it in different ways, up to 24 ms apart."""
    for playlist, header in p.headers:
        if header.has_edit_list:
            yield Fault(playlist.name, None, "the init segment has an edit list")


@FAMILY.error(
    "pre-skip",
    "docs/measurements.md, priming; Opus in ISOBMFF 4.3.2",
    "drop the packet with Opus's priming, and write PreSkip 0",
)
def _pre_skip(p: Presentation) -> Iterator[Fault]:
    """Opus's PreSkip is 0: nothing is left for a player to skip."""
    for playlist, header in p.headers:
        if header.pre_skip:
            yield Fault(playlist.name, None, f"PreSkip is {header.pre_skip}")


@FAMILY.warning(
    "timescale",
    "ISO/IEC 23000-19 10.2",
    "write the sampling rate as the timescale, so that every sample has a whole time",
)
def _timescale(p: Presentation) -> Iterator[Fault]:
    """The timescale is the sampling rate."""
    for playlist, header in p.headers:
        if header.timescale != header.sample_rate_hz:
            what = f"timescale is {header.timescale}, the sampling rate {header.sample_rate_hz}"
            yield Fault(playlist.name, None, what)


@FAMILY.error(
    "first-time",
    "docs/measurements.md, priming; ISO/IEC 14496-12 8.8.12",
    "let the first tfdt be 0, so that the playlist's time is the file's",
)
def _first_time(p: Presentation) -> Iterator[Fault]:
    """A whole film's first sample has time 0."""
    # A playlist that stands alone may begin within the film.
    if not p.multivariants:
        return
    for playlist, reading in p.read:
        first = reading.segments[0] if reading.segments else None
        if first is not None and first.fragments and first.fragments[0].decode_time:
            what = f"the first tfdt is {first.fragments[0].decode_time}"
            yield Fault(playlist.name, playlist.segments[0].line, what)


@FAMILY.error(
    "times-follow",
    "Apple HLS authoring 7.1, 7.3; ISO/IEC 23000-19 7.3.2.2",
    "let each tfdt be the sum of the samples before it",
)
def _times_follow(p: Presentation) -> Iterator[Fault]:
    """Each fragment begins at the sample after the one before it."""
    for playlist, reading in p.read:
        expected: int | None = None
        for segment, found in zip(playlist.segments, reading.segments, strict=True):
            if found is None or not found.fragments:
                expected = None
                continue
            for fragment in found.fragments:
                if expected is not None and fragment.decode_time != expected:
                    what = f"a tfdt is {fragment.decode_time} instead of {expected}"
                    yield Fault(playlist.name, segment.line, what)
                expected = fragment.decode_time + fragment.samples


@FAMILY.error(
    "file-index",
    "ISO/IEC 14496-12 8.16.3",
    "write a sidx that names the media segments, for DASH and for seeking in the file",
)
def _file_index(p: Presentation) -> Iterator[Fault]:
    """The file's sidx names the same segments as the playlist: bytes and durations."""
    if not p.multivariants:
        return
    for playlist, reading in p.read:
        index = reading.index
        if index is None or not playlist.segments:
            continue
        if index.first_offset:
            yield Fault(playlist.name, None, f"the sidx begins {index.first_offset} bytes off")
        if len(index.references) != len(playlist.segments):
            what = f"the sidx names {len(index.references)} segments, not {len(playlist.segments)}"
            yield Fault(playlist.name, None, what)
            continue
        for (size, samples), segment in zip(index.references, playlist.segments, strict=True):
            lasts = Fraction(samples, index.timescale or 1)
            long = segment.duration_s is not None and abs(segment.duration_s - lasts) > _SAME_S
            if long or (segment.range is not None and segment.range.size != size):
                what = f"the sidx has {size} bytes and {float(lasts):g} s for it"
                yield Fault(playlist.name, segment.line, what)


@FAMILY.error(
    "track-json",
    "media/track.py",
    "publish the track again: track.json and the file do not belong together",
)
def _track_json(p: Presentation) -> Iterator[Fault]:
    """track.json says of each file what the file is: size, codec, channels, fragments."""
    if p.track is None:
        return
    for rendition in p.track.renditions:
        size = p.file_sizes.get(rendition.name)
        if size is not None and size != rendition.size_bytes:
            what = f"has {size} bytes, track.json says {rendition.size_bytes}"
            yield Fault(rendition.file_name, None, what)
    if not p.multivariants:
        return
    for playlist, reading in p.read:
        found = p.track.rendition(playlist.url.rpartition("/")[2].removesuffix(".m3u8"))
        header = reading.header
        if found is None or header is None:
            continue
        said = (found.codecs.lower(), found.channels)
        if said != (header.codecs.lower(), header.channels):
            what = f"is {header.codecs} with {header.channels} channels, track.json says {said}"
            yield Fault(found.file_name, None, what)
        fragments = [f for s in reading.segments if s is not None for f in s.fragments]
        expected = [(piece.size, piece.samples) for piece in found.fragments]
        if [(f.size, f.samples) for f in fragments] != expected:
            yield Fault(found.file_name, None, "its fragments are not those of track.json")
