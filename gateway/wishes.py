"""Which renditions a device wants: what it can decode, and whether it saves data. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.errors import RenditionNotFoundError
from gateway.grants import Grant, Opening
from media.track import Rendition, Track


@dataclass(frozen=True, slots=True)
class Wishes:
    """`codecs` are RFC 6381's names in lower case, None where nothing is said of them."""

    codecs: frozenset[str] | None = None
    save_data: bool = False

    @classmethod
    def read(cls, codecs: str | None, save_data: str | None) -> Wishes:
        """Wishes of a `codecs=` query and a Save-Data header (RFC 8674 2: only `on` says so)."""
        names = None if codecs is None else frozenset(codecs.lower().split(","))
        return cls(names, (save_data or "").strip().lower() == "on")


NONE = Wishes()


def wished(track: Track, wishes: Wishes) -> Sequence[Rendition]:
    """Renditions of *track* in the order in which they are to be tried.

    That is the track's own, or the smallest first where data are saved. Raises
    RenditionNotFoundError where none has a codec that the device decodes.
    """
    found = [
        rendition
        for rendition in track.renditions
        if wishes.codecs is None or rendition.codecs.lower() in wishes.codecs
    ]
    if not found:
        wanted = ",".join(sorted(wishes.codecs or ()))
        raise RenditionNotFoundError(wanted, sorted({r.codecs for r in track.renditions}))
    if wishes.save_data:
        found.sort(key=lambda rendition: rendition.average_bps)
    return found


def fitting(grant: Grant, wishes: Wishes) -> Grant:
    """The grant with what the device wants of its track, the same tokens and places.

    Raises RenditionNotFoundError.
    """
    return replace(grant, opening=narrowed(grant.opening, wishes))


def narrowed(opening: Opening, wishes: Wishes) -> Opening:
    """The opening with what the device wants of its track; raises RenditionNotFoundError."""
    if wishes == NONE:
        return opening
    track = opening.track.model_copy(update={"renditions": tuple(wished(opening.track, wishes))})
    return replace(opening, track=track)
