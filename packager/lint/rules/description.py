"""Rules of audio description: that a player finds it, names it and says its language."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packager.lint.playlist import MediaTag, MultivariantPlaylist
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault
from packager.lint.values import read_decimal

FAMILY = Family("audio description")

# language ["-" script] ["-" region] *("-" variant or extension): RFC 5646 2.1, as far as used.
_LANGUAGE = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-[A-Za-z0-9]{1,8})*"
)
# Words by which a list of sound tracks tells that one of them describes the picture.
_SAID = re.compile(
    r"descri|\bAD\b|\bDVS\b|\bDVI\b|narrat|audiodesk|hörfilm|audiovision|解説|화면해설|وصف|תיאור",
    re.IGNORECASE,
)


def _described(p: Presentation) -> Iterator[tuple[MultivariantPlaylist, MediaTag]]:
    for playlist in p.multivariants:
        for tag in playlist.audio:
            if tag.describes_video:
                yield playlist, tag


@FAMILY.error(
    "describes-video",
    "Apple HLS authoring 2.12; RFC 8216bis 4.4.6.1",
    'write CHARACTERISTICS="public.accessibility.describes-video" on the description',
)
def _describes_video(p: Presentation) -> Iterator[Fault]:
    """Every variant leads to a rendition that is marked as describing the video."""
    for playlist in p.multivariants:
        for variant in playlist.variants:
            group = playlist.group(variant.attributes.get("AUDIO"))
            if not any(tag.describes_video for tag in group):
                yield Fault(playlist.name, variant.line, "leads to no audio description")


@FAMILY.error("description-autoselect", "Apple HLS authoring 2.13", "write AUTOSELECT=YES")
def _autoselect(p: Presentation) -> Iterator[Fault]:
    """Audio description has AUTOSELECT=YES, so that the phone's own setting turns it on."""
    for playlist, tag in _described(p):
        if tag.get("AUTOSELECT") != "YES":
            yield Fault(playlist.name, tag.line, "audio description without AUTOSELECT=YES")


@FAMILY.warning(
    "description-name",
    "Apple HLS authoring 2.14",
    'say it in the name, as NAME="English (audio description)"',
)
def _name(p: Presentation) -> Iterator[Fault]:
    """The NAME says that it is audio description."""
    for playlist, tag in _described(p):
        if _SAID.search(tag.get("NAME") or "") is None:
            what = f"NAME {tag.get('NAME')!r} does not say that it describes"
            yield Fault(playlist.name, tag.line, what)


@FAMILY.error(
    "language",
    "Apple HLS authoring 2.27, 8.10; RFC 5646 2.1",
    "write LANGUAGE with the narration's language, as en or es-MX",
)
def _language(p: Presentation) -> Iterator[Fault]:
    """Every rendition of sound has LANGUAGE with a language tag."""
    for playlist in p.multivariants:
        for tag in playlist.audio:
            value = tag.get("LANGUAGE")
            if value is None or _LANGUAGE.fullmatch(value) is None:
                yield Fault(playlist.name, tag.line, f"LANGUAGE is {value!r}")


@FAMILY.warning(
    "file-language",
    "ISO/IEC 14496-12 8.4.2, 8.4.6",
    "package the sound with the language that the playlist names",
)
def _file_language(p: Presentation) -> Iterator[Fault]:
    """The file names the language that the playlist names."""
    for playlist in p.multivariants:
        for tag in playlist.audio:
            header, value = p.header(tag.url), tag.get("LANGUAGE")
            if header is None or value is None or header.language == "und":
                continue
            # An mdhd has three letters where the playlist may have two: only tags are compared.
            if len(header.language) != 3 and header.language.lower() != value.lower():
                what = f"LANGUAGE is {value}, the file says {header.language}"
                yield Fault(playlist.name, tag.line, what)


@FAMILY.error(
    "channels",
    "RFC 8216bis 4.4.6.1",
    "write CHANNELS with the number of channels of the sample entry",
)
def _channels(p: Presentation) -> Iterator[Fault]:
    """Every rendition of sound has CHANNELS, as many as its sample entry says."""
    for playlist in p.multivariants:
        for tag in playlist.audio:
            value, header = tag.get("CHANNELS"), p.header(tag.url)
            count = read_decimal((value or "").partition("/")[0])
            if count is None:
                yield Fault(playlist.name, tag.line, f"CHANNELS is {value!r}")
            elif header is not None and count != header.channels:
                what = f"CHANNELS is {count}, the sample entry has {header.channels}"
                yield Fault(playlist.name, tag.line, what)


@FAMILY.warning(
    "loudness-box",
    "Apple HLS authoring 2.19; ISO/IEC 14496-12 12.2.7",
    "write a ludt box with the measured loudness",
)
def _loudness_box(p: Presentation) -> Iterator[Fault]:
    """The file says how loud it is, so that the sound is not louder or softer than others."""
    for playlist, header in p.headers:
        if not header.has_loudness:
            yield Fault(playlist.name, None, "the init segment has no ludt box")
