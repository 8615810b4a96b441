"""Tokens of sound that were found good: what each opens, and until when."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from gateway.delivery.answer_heads import answer_head
from gateway.grants import Grant, Opening
from gateway.headers import file_headers
from gateway.logs import MASK
from gateway.ranges import Selection
from media.track import Rendition, Track

# As many as the library keeps (media/library.py).
_KEPT_TRACKS = 64


class Parcel:
    """A rendition's file and the prepared head of a 206 from it."""

    __slots__ = ("head", "name", "path", "shown_path", "size_bytes")

    def __init__(self, rendition: Rendition, path: Path, more: Mapping[str, str]) -> None:
        self.name = rendition.name
        # As text: a Path takes long to compare.
        self.path = str(path)
        self.shown_path = f"/stream/{MASK}/{rendition.file_name}"
        self.size_bytes = rendition.size_bytes
        self.head = _partial_head(rendition, more)


class Pass:
    """A stream token that was found good: for `opening` until it ends, and its files."""

    __slots__ = ("correlation_id", "opening", "parcels", "standing", "until")

    def __init__(self, opening: Opening, parcels: Mapping[bytes, Parcel]) -> None:
        self.opening = opening
        self.parcels = parcels
        # As they are: a segment asks for them each time.
        self.standing = opening.standing
        self.until = opening.open_until
        self.correlation_id = opening.ticket.correlation_id


class Invitation:
    """An access token that was found good *until* then, and the stream token it leads to.

    It ends long before `opening` does.
    """

    __slots__ = ("opening", "standing", "stream_token", "until")

    def __init__(self, opening: Opening, stream_token: str, until: datetime) -> None:
        self.opening = opening
        self.stream_token = stream_token
        self.standing = opening.standing
        self.until = until


K = TypeVar("K")
T = TypeVar("T", Pass, Invitation)


class _Recent(OrderedDict[K, T]):
    """The *limit* that were used last, while they hold."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self._limit = limit

    def keep(self, token: K, checked: T) -> None:
        self[token] = checked
        if len(self) > self._limit:
            self.popitem(last=False)

    def find(self, token: K, now: datetime) -> T | None:
        found = self.get(token)
        if found is None:
            return None
        if not found.standing.valid or now >= found.until:
            del self[token]
            return None
        self.move_to_end(token)
        return found


class Passes:
    """The *limit* tokens of each kind that were used last.

    *path_of* says where a file lies, by its key and its SHA-256; None: not here. *more* are
    headers of all answers here.
    """

    def __init__(
        self,
        path_of: Callable[[str, str], Path] | None,
        *,
        limit: int,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._path_of = path_of
        self._more = more
        self._generation = 0
        self._passes: _Recent[bytes, Pass] = _Recent(limit)
        self._invitations: _Recent[str, Invitation] = _Recent(limit)
        self._tracks: OrderedDict[str, dict[bytes, Parcel]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._passes)

    @property
    def generation(self) -> int:
        """How often all was forgotten: taken before a token is checked, and given to `admit`."""
        return self._generation

    def admit_all(self, grant: Grant, generation: int) -> None:
        """Remember both tokens of a grant, which began in *generation*; as `admit`."""
        # A token's time is told in whole seconds.
        until = min(grant.expires_at.replace(microsecond=0), grant.opening.open_until)
        self.invite(grant.access_token, grant.opening, grant.stream_token, until, generation)
        self.admit(grant.stream_token, grant.opening, generation)

    def admit(self, token: str, opening: Opening, generation: int) -> None:
        """Remember that the stream token *token* opens this, which was checked in *generation*.

        In an older one its key may have been good that is gone by now: a check waits for database
        and storage once it has seen the signature. So it is checked again when it comes again.
        """
        if self._holds(opening, generation):
            parcels = {} if self._path_of is None else self._parcels(opening.track, self._path_of)
            self._passes.keep(token.encode("ascii"), Pass(opening, parcels))

    def invite(
        self, token: str, opening: Opening, stream_token: str, until: datetime, generation: int
    ) -> None:
        """The same for an access token, which leads to *stream_token* and is good *until* then."""
        if self._holds(opening, generation):
            self._invitations.keep(token, Invitation(opening, stream_token, until))

    def find(self, token: bytes, now: datetime) -> Pass | None:
        """What is known of a stream token; None where it must be checked (again)."""
        return self._passes.find(token, now)

    def invitation(self, token: str, now: datetime) -> Invitation | None:
        """The same for an access token."""
        return self._invitations.find(token, now)

    def knows(self, token: str, *, access: bool) -> bool:
        """Whether a stream token, or an *access* token, was found good and may be so still."""
        return token in self._invitations if access else token.encode("ascii") in self._passes

    def forget_all(self) -> None:
        """Have every token checked again: a key may be gone."""
        self._generation += 1
        self._passes.clear()
        self._invitations.clear()

    def _holds(self, opening: Opening, generation: int) -> bool:
        return opening.standing.valid and generation == self._generation

    def _parcels(self, track: Track, path_of: Callable[[str, str], Path]) -> dict[bytes, Parcel]:
        """Shared by all who listen to the track."""
        parcels = self._tracks.get(track.prefix)
        if parcels is None:
            parcels = {
                rendition.name.encode(): Parcel(
                    rendition,
                    path_of(f"{track.prefix}/{rendition.file_name}", rendition.sha256),
                    self._more,
                )
                for rendition in track.renditions
            }
            self._tracks[track.prefix] = parcels
            if len(self._tracks) > _KEPT_TRACKS:
                self._tracks.popitem(last=False)
        else:
            self._tracks.move_to_end(track.prefix)
        return parcels


def _partial_head(rendition: Rendition, more: Mapping[str, str]) -> bytes:
    """Head of a 206, to be filled with its length, first and last byte, request id and date."""
    headers = file_headers(rendition, Selection(206, 0, 1)) | {
        **more,
        "Content-Length": "%d",
        "Content-Range": f"bytes %d-%d/{rendition.size_bytes}",
        "X-Request-Id": "%s",
        "Date": "%s",
    }
    filled = ("Content-Length", "Content-Range", "X-Request-Id", "Date")
    return answer_head("206 Partial Content", headers, filled)
