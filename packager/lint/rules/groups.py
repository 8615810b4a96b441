"""Rules of Rendition Groups: EXT-X-MEDIA and the variants that name its groups."""

from __future__ import annotations

from collections.abc import Iterator

from packager.lint.playlist import MediaTag, MultivariantPlaylist
from packager.lint.presentation import Presentation
from packager.lint.registry import Family, Fault

FAMILY = Family("groups")

_REQUIRED = ("TYPE", "GROUP-ID", "NAME")
# What makes two renditions the same one at another bit rate (4.4.6.1.1).
_IDENTITY = ("NAME", "LANGUAGE", "CHARACTERISTICS", "DEFAULT", "AUTOSELECT", "FORCED")


@FAMILY.error(
    "group-exists", "RFC 8216bis 4.4.6.2", "write an EXT-X-MEDIA with that GROUP-ID and TYPE=AUDIO"
)
def _group_exists(p: Presentation) -> Iterator[Fault]:
    """The AUDIO group that a variant names is there."""
    for playlist in p.multivariants:
        for variant in playlist.variants:
            name = variant.attributes.get("AUDIO")
            if name is not None and not playlist.group(name):
                yield Fault(playlist.name, variant.line, f"there is no AUDIO group {name!r}")


@FAMILY.warning("group-used", "RFC 8216bis 4.4.6.2.1", "name the group in a variant, or remove it")
def _group_used(p: Presentation) -> Iterator[Fault]:
    """Every group is named by a variant."""
    for playlist in p.multivariants:
        used = {variant.attributes.get("AUDIO") for variant in playlist.variants}
        for tag in playlist.audio:
            if tag.group not in used:
                yield Fault(playlist.name, tag.line, f"no variant names the group {tag.group!r}")


@FAMILY.error("media-attributes", "RFC 8216bis 4.4.6.1", "write TYPE, GROUP-ID and NAME")
def _media_attributes(p: Presentation) -> Iterator[Fault]:
    """EXT-X-MEDIA has TYPE, GROUP-ID and NAME."""
    for playlist in p.multivariants:
        for tag in playlist.media:
            missing = [name for name in _REQUIRED if not tag.get(name)]
            if missing:
                yield Fault(playlist.name, tag.line, f"has no {', '.join(missing)}")


@FAMILY.error(
    "default-autoselect", "RFC 8216bis 4.4.6.1", "write AUTOSELECT=YES wherever DEFAULT=YES stands"
)
def _default_autoselect(p: Presentation) -> Iterator[Fault]:
    """A DEFAULT rendition is not AUTOSELECT=NO."""
    for playlist in p.multivariants:
        for tag in playlist.media:
            if tag.get("DEFAULT") == "YES" and tag.get("AUTOSELECT") == "NO":
                yield Fault(playlist.name, tag.line, "DEFAULT=YES with AUTOSELECT=NO")


@FAMILY.error("group-names", "RFC 8216bis 4.4.6.1.1", "give each rendition of a group its own NAME")
def _group_names(p: Presentation) -> Iterator[Fault]:
    """No two renditions of a group have one NAME."""
    for playlist in p.multivariants:
        seen: set[tuple[str | None, str, str | None]] = set()
        for tag in playlist.media:
            key = (tag.get("TYPE"), tag.group, tag.get("NAME"))
            if key in seen:
                yield Fault(
                    playlist.name, tag.line, f"NAME {key[2]!r} stands twice in {tag.group!r}"
                )
            seen.add(key)


@FAMILY.error("group-default", "RFC 8216bis 4.4.6.1.1", "leave DEFAULT=YES with one of them")
def _group_default(p: Presentation) -> Iterator[Fault]:
    """At most one rendition of a group is DEFAULT."""
    for playlist in p.multivariants:
        for name in _groups(playlist):
            chosen = [tag for tag in playlist.group(name) if tag.get("DEFAULT") == "YES"]
            for tag in chosen[1:]:
                yield Fault(playlist.name, tag.line, f"a second DEFAULT in the group {name!r}")


@FAMILY.error(
    "group-members",
    "RFC 8216bis 4.4.6.1.1",
    "give every group the same renditions, with the same attributes",
)
def _group_members(p: Presentation) -> Iterator[Fault]:
    """All groups have the same members: a player that changes its bit rate keeps the rendition."""
    for playlist in p.multivariants:
        names = _groups(playlist)
        for name in names[1:]:
            first, this = playlist.group(names[0]), playlist.group(name)
            if sorted(map(_identity, first)) != sorted(map(_identity, this)):
                what = f"group {name!r} has other members than {names[0]!r}"
                yield Fault(playlist.name, this[0].line, what)


@FAMILY.warning(
    "variant-in-group",
    "docs/measurements.md, what players do with a start offset",
    "let the variant's own URI be one of its group's, so that no client fetches two",
)
def _variant_in_group(p: Presentation) -> Iterator[Fault]:
    """A variant of sound alone is itself a member of its group."""
    for playlist in p.multivariants:
        for variant in playlist.variants:
            members = playlist.group(variant.attributes.get("AUDIO"))
            urls = {tag.url for tag in members if tag.url is not None}
            if members and urls and variant.url not in urls:
                yield Fault(playlist.name, variant.line, "its URI is none of its AUDIO group's")


def _groups(playlist: MultivariantPlaylist) -> list[str]:
    return list(dict.fromkeys(tag.group for tag in playlist.audio))


def _identity(tag: MediaTag) -> tuple[str, ...]:
    return tuple(tag.get(name) or "" for name in _IDENTITY)
