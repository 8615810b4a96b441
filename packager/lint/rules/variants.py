"""Rules of variants: what a player chooses from, and with which decoder."""

from __future__ import annotations

from collections.abc import Iterator

from packager.lint.playlist import MultivariantPlaylist, Variant
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault

FAMILY = Family("variants")

# As Chromium and Safari take them: `opus` in lower case, `fLaC` with that case (RFC 6381 3.3; Opus
# in ISOBMFF 4.3.1; FLAC in ISOBMFF 3.3.1; ETSI TS 102 366 annex F).
_CODECS = frozenset(
    {
        "mp4a.40.2", "mp4a.40.5", "mp4a.40.29", "mp4a.40.42", "mp4a.40.34", "opus", "fLaC",
        "alac", "ac-3", "ec-3",
    }
)  # fmt: skip
# RFC 6381 names the sample entry for what has no profile of its own.
_OF_ENTRY = {"Opus": "opus"}
# Peak rate that Apple lets a cellular network start with, 9.21.
_MOST_CELLULAR_BPS = 192_000


def each_variant(p: Presentation) -> Iterator[tuple[MultivariantPlaylist, Variant]]:
    """Every variant, and the playlist that it stands in."""
    for playlist in p.multivariants:
        for variant in playlist.variants:
            yield playlist, variant


@FAMILY.error(
    "variants-present",
    "RFC 8216bis 4.4.6.2",
    "write an EXT-X-STREAM-INF and a URI for each rendition",
)
def _variants_present(p: Presentation) -> Iterator[Fault]:
    """A Multivariant Playlist has at least one variant."""
    for playlist in p.multivariants:
        if not playlist.variants:
            yield Fault(playlist.name, None, "has no EXT-X-STREAM-INF")


@FAMILY.error(
    "variant-uri", "RFC 8216bis 4.4.6.2", "write the URI in the line after EXT-X-STREAM-INF"
)
def _variant_uri(p: Presentation) -> Iterator[Fault]:
    """The line after EXT-X-STREAM-INF is the variant's URI."""
    for playlist, variant in each_variant(p):
        if variant.url is None:
            yield Fault(playlist.name, variant.line, "no URI in the next line")


@FAMILY.error("bandwidth-present", "RFC 8216bis 4.4.6.2", "write the measured peak as BANDWIDTH")
def _bandwidth_present(p: Presentation) -> Iterator[Fault]:
    """Every variant declares BANDWIDTH."""
    for playlist, variant in each_variant(p):
        if variant.number("BANDWIDTH") is None:
            yield Fault(playlist.name, variant.line, "has no BANDWIDTH")


@FAMILY.error("average-present", "Apple HLS authoring 9.14", "write the average as well")
def _average_present(p: Presentation) -> Iterator[Fault]:
    """Every variant declares AVERAGE-BANDWIDTH."""
    for playlist, variant in each_variant(p):
        if variant.number("AVERAGE-BANDWIDTH") is None:
            yield Fault(playlist.name, variant.line, "has no AVERAGE-BANDWIDTH")


@FAMILY.error("codecs-present", "Apple HLS authoring 9.1", "write CODECS with the RFC 6381 string")
def _codecs_present(p: Presentation) -> Iterator[Fault]:
    """Every variant declares CODECS."""
    for playlist, variant in each_variant(p):
        if not variant.attributes.get("CODECS"):
            yield Fault(playlist.name, variant.line, "has no CODECS")


@FAMILY.error(
    "codecs-form",
    "RFC 6381 3.3; Opus in ISOBMFF 4.3.1; FLAC in ISOBMFF 3.3.1",
    "write mp4a.40.2, opus (in lower case, for Chromium) or fLaC",
)
def _codecs_form(p: Presentation) -> Iterator[Fault]:
    """CODECS holds strings of sound in the case that players compare."""
    for playlist, variant in each_variant(p):
        for codec in _codecs(variant):
            if codec not in _CODECS:
                yield Fault(playlist.name, variant.line, f"{codec!r} is no codec string of sound")


@FAMILY.error(
    "codecs-match",
    "RFC 8216bis 4.4.6.2; RFC 6381 3.3",
    "write the string of the init segment's own sample entry",
)
def _codecs_match(p: Presentation) -> Iterator[Fault]:
    """CODECS is what the init segment's sample entry says."""
    for playlist, variant in each_variant(p):
        header = p.header(variant.url)
        declared = _codecs(variant)
        if header is None or not declared:
            continue
        found = _OF_ENTRY.get(header.codecs, header.codecs)
        if found.lower() not in {codec.lower() for codec in declared}:
            what = f"CODECS is {','.join(declared)}, the sample entry {found}"
            yield Fault(playlist.name, variant.line, what)


@FAMILY.error(
    "codecs-mixed",
    "docs/measurements.md, what players do with a start offset",
    "give each codec a Multivariant Playlist of its own",
)
def _codecs_mixed(p: Presentation) -> Iterator[Fault]:
    """One Multivariant Playlist has one codec: AAC and Opus together break Chromium's own HLS."""
    for playlist in p.multivariants:
        kinds = {codec.partition(".")[0] for v in playlist.variants for codec in _codecs(v)}
        if len(kinds) > 1:
            yield Fault(playlist.name, None, f"mixes {', '.join(sorted(kinds))}")


@FAMILY.error(
    "cellular-variant",
    "Apple HLS authoring 9.21",
    "add a rendition whose peak is at most 192 kbit/s",
)
def _cellular_variant(p: Presentation) -> Iterator[Fault]:
    """A variant of at most 192 kbit/s peak is there for cellular networks."""
    for playlist in p.multivariants:
        rates = [v.number("BANDWIDTH") for v in playlist.variants]
        known = [rate for rate in rates if rate is not None]
        if known and min(known) > _MOST_CELLULAR_BPS:
            yield Fault(playlist.name, None, f"the lowest BANDWIDTH is {min(known)}")


def _codecs(variant: Variant) -> list[str]:
    return [c.strip() for c in (variant.attributes.get("CODECS") or "").split(",") if c.strip()]
