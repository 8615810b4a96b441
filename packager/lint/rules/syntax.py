"""Rules of a playlist's text: what parsers of players pass over, each in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packager.lint.lines import read_attributes
from packager.lint.playlist import KNOWN_TAGS
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault

FAMILY = Family("syntax")

# Tags with an attribute list, and what each attribute must be written as (4.2 and 4.4).
_LISTS = frozenset(
    {"EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-MAP", "EXT-X-START", "EXT-X-I-FRAME-STREAM-INF"}
)
_QUOTED = frozenset(
    {
        "URI", "GROUP-ID", "LANGUAGE", "ASSOC-LANGUAGE", "NAME", "CHARACTERISTICS", "CHANNELS",
        "CODECS", "AUDIO", "BYTERANGE", "STABLE-RENDITION-ID", "STABLE-VARIANT-ID",
    }
)  # fmt: skip
_FORMS = {
    "BANDWIDTH": re.compile(r"[0-9]{1,20}"),
    "AVERAGE-BANDWIDTH": re.compile(r"[0-9]{1,20}"),
    "TIME-OFFSET": re.compile(r"-?[0-9]+(\.[0-9]+)?"),
    "PRECISE": re.compile(r"YES|NO"),
    "DEFAULT": re.compile(r"YES|NO"),
    "AUTOSELECT": re.compile(r"YES|NO"),
    "FORCED": re.compile(r"YES|NO"),
    "TYPE": re.compile(r"AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS"),
}


@FAMILY.error(
    "text-encoding",
    "RFC 8216bis 4.1",
    "write UTF-8 without a byte order mark, and no control characters but line ends",
)
def _text_encoding(p: Presentation) -> Iterator[Fault]:
    """A playlist is UTF-8 without a byte order mark and without control characters."""
    for playlist in p.playlists:
        if playlist.raw.startswith(b"\xef\xbb\xbf"):
            yield Fault(playlist.name, 1, "begins with a byte order mark")
        try:
            playlist.raw.decode("utf-8")
        except UnicodeDecodeError as error:
            line = playlist.raw.count(b"\n", 0, error.start) + 1
            yield Fault(playlist.name, line, f"byte {error.start} is not UTF-8")
        for number, text in playlist.lines:
            # C0 (but the line ends, gone already), DEL and C1.
            if re.search(r"[\x00-\x1f\x7f-\x9f]", text):
                yield Fault(playlist.name, number, "holds a control character")


@FAMILY.error("first-line", "RFC 8216bis 4.4.1.1", "write #EXTM3U alone in the first line")
def _first_line(p: Presentation) -> Iterator[Fault]:
    """#EXTM3U is the first line, and stands there alone."""
    for playlist in p.playlists:
        text = playlist.lines[0].text if playlist.lines else ""
        if text.removeprefix("\ufeff") != "#EXTM3U":
            yield Fault(playlist.name, 1, f"begins with {text[:40]!r}")


@FAMILY.warning(
    "unknown-tag",
    "RFC 8216bis 4.1, 6.3.1",
    "correct the tag's name; players pass over what they do not know",
)
def _unknown_tag(p: Presentation) -> Iterator[Fault]:
    """Every tag is one of the specification: a misspelt one is silently ignored."""
    for playlist in p.playlists:
        for tag in playlist.tags:
            if tag.name not in KNOWN_TAGS:
                yield Fault(playlist.name, tag.line, f"#{tag.name} is no tag of HLS")


@FAMILY.error(
    "blank-space",
    "RFC 8216bis 4.1, 4.2",
    "remove white space before and after what the line says",
)
def _blank_space(p: Presentation) -> Iterator[Fault]:
    """No line begins or ends with white space."""
    for playlist in p.playlists:
        for number, text in playlist.lines:
            if text != text.strip() and text.strip():
                yield Fault(playlist.name, number, "has white space at its beginning or end")


@FAMILY.error(
    "one-kind",
    "RFC 8216bis 4.1",
    "keep variants and renditions in one file, segments in another",
)
def _one_kind(p: Presentation) -> Iterator[Fault]:
    """A playlist is a Multivariant or a Media Playlist, not both."""
    for playlist in p.playlists:
        if playlist.mixes:
            yield Fault(playlist.name, None, "has tags of both kinds of playlist")


@FAMILY.error(
    "attribute-list",
    "RFC 8216bis 4.2",
    'write NAME=value or NAME="value", separated by commas, each name once',
)
def _attribute_list(p: Presentation) -> Iterator[Fault]:
    """Attribute lists keep to the grammar, each name once."""
    for playlist in p.playlists:
        for tag in playlist.tags:
            if tag.name in _LISTS:
                for what in read_attributes(tag.value).faults:
                    yield Fault(playlist.name, tag.line, f"#{tag.name}: {what}")


@FAMILY.error(
    "attribute-form",
    "RFC 8216bis 4.2, 4.4.6.1, 4.4.6.2",
    "quote texts, leave numbers and enumerated values bare",
)
def _attribute_form(p: Presentation) -> Iterator[Fault]:
    """An attribute's value is written in its form: quoted, a number, or one of its words."""
    for playlist in p.playlists:
        for tag in playlist.tags:
            if tag.name not in _LISTS:
                continue
            for name, value in read_attributes(tag.value).raw.items():
                form = _FORMS.get(name)
                if (name in _QUOTED and not value.startswith('"')) or (
                    form is not None and form.fullmatch(value) is None
                ):
                    yield Fault(playlist.name, tag.line, f"{name}={value[:40]} is of another form")
