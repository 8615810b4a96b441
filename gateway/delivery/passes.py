"""Stream tokens that were found good: what each opens, and until when."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from gateway.delivery.answer_heads import answer_head
from gateway.delivery.entitlements import Standing
from gateway.grants import Opening
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
    """A token's claims, checked: good before `until` while `standing` is valid."""

    __slots__ = ("correlation_id", "parcels", "standing", "until")

    def __init__(self, standing: Standing, until: datetime, parcels: dict[bytes, Parcel]) -> None:
        self.standing = standing
        self.until = until
        self.parcels = parcels
        self.correlation_id = standing.ticket.correlation_id


class Passes:
    """The *limit* tokens that were used last.

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
        self._limit = limit
        self._generation = 0
        self._passes: OrderedDict[bytes, Pass] = OrderedDict()
        self._tracks: OrderedDict[str, dict[bytes, Parcel]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._passes)

    @property
    def generation(self) -> int:
        """How often all was forgotten: taken before a token is checked, and given to `admit`."""
        return self._generation

    def admit(self, token: str, opening: Opening, generation: int) -> None:
        """Remember that *token* opens this, which was checked in *generation*.

        In an older one its key may have been good that is gone by now: a check waits for database
        and storage once it has seen the signature. So it is checked again when it comes again.
        """
        if self._path_of is None or not opening.standing.valid or generation != self._generation:
            return
        parcels = self._parcels(opening.track, self._path_of)
        self._passes[token.encode("ascii")] = Pass(opening.standing, opening.open_until, parcels)
        if len(self._passes) > self._limit:
            self._passes.popitem(last=False)

    def find(self, token: bytes, now: datetime) -> Pass | None:
        """What is known of a token; None where it must be checked (again)."""
        found = self._passes.get(token)
        if found is None:
            return None
        if not found.standing.valid or now >= found.until:
            del self._passes[token]
            return None
        self._passes.move_to_end(token)
        return found

    def forget_all(self) -> None:
        """Have every token checked again: a key may be gone."""
        self._generation += 1
        self._passes.clear()

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
