"""Finding a track: which is current for a movie and language, and what a version holds."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from media.errors import InvalidIdError, ObjectNotFoundError, TrackFormatError, TrackNotFoundError
from media.ids import check_id, check_language, is_id, is_language
from media.shared_readings import SharedReadings
from media.storage import Storage
from media.track import Current, Track, current_key, load_current, load_track, track_prefix

# A two-hour track's index is about 3 MB in memory; one busy evening shows far fewer films.
_CACHED_TRACKS = 64
# Pointers that were understood; a film has one for each language.
_CACHED_POINTERS = 256
# Answers to who asks for a film, in a language or none.
_CACHED_OFFERS = 256
_POINTER = "current.json"


@runtime_checkable
class ReadsBelow(Protocol):
    """A storage that reads all pointers of a film in one go."""

    async def read_below(self, prefix: str, name: str) -> Mapping[str, bytes]:
        """The object *name* of each folder directly below *prefix*, by folder, sorted."""
        ...


class Offer(NamedTuple):
    """A film's current track in one language, and the languages that there are, sorted."""

    track: Track
    languages: Sequence[str]


class Library:
    """Reads published tracks from a storage; a version is immutable, so it is read once.

    Which one is current is not asked again for *fresh_s* seconds, by the clock *monotonic*; what is
    not there is asked for each time.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        fresh_s: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storage = storage
        self._fresh_s = fresh_s
        self._monotonic = monotonic
        # With the time from which on they are asked for again.
        self._offers: OrderedDict[tuple[str, str | None, str | None], tuple[float, Offer]] = (
            OrderedDict()
        )
        self._tracks: OrderedDict[str, Track] = OrderedDict()
        self._pointers: OrderedDict[tuple[str, bytes], Current] = OrderedDict()
        # At 19:30 all ask for the same film.
        self._loads = SharedReadings(self._load)
        self._looks = SharedReadings(self._read_pointers)

    async def resolve(
        self, movie_id: str, audio_description_path: str | None, language: str | None
    ) -> Track:
        """Current track for a screening; as `offer`, which tells the languages too."""
        return (await self.offer(movie_id, audio_description_path, language)).track

    async def offer(
        self, movie_id: str, audio_description_path: str | None, language: str | None
    ) -> Offer:
        """Current track for a screening, as the storage has it or had it `fresh_s` ago at most.

        *audio_description_path* counts where it has the form `<movie_id>[/<language>]` and
        something is published there, else *movie_id*. The language is *language* where it is
        given, else the path's, else the only or the first one published.

        Raises TrackNotFoundError, TrackFormatError, StorageError.
        """
        known = self.known_offer(movie_id, audio_description_path, language)
        if known is not None:
            return known
        asked = (movie_id, audio_description_path, language)
        now = self._monotonic()
        offer = await self._offer(movie_id, audio_description_path, language)
        self._offers[asked] = now + self._fresh_s, offer
        self._offers.move_to_end(asked)
        if len(self._offers) > _CACHED_OFFERS:
            self._offers.popitem(last=False)
        return offer

    def known_offer(
        self, movie_id: str, audio_description_path: str | None, language: str | None
    ) -> Offer | None:
        """What `offer` gives, where that needs no asking; None where it does."""
        known = self._offers.get((movie_id, audio_description_path, language))
        return known[1] if known is not None and self._monotonic() < known[0] else None

    async def _offer(
        self, movie_id: str, audio_description_path: str | None, language: str | None
    ) -> Offer:
        movie, preferred = _parse_path(audio_description_path)
        published = {} if movie is None else await self._published(movie)
        if movie is None or not published:
            movie, preferred = check_id("movie_id", movie_id), None
            published = await self._published(movie)
        if language is not None:
            wanted = check_language(language)
        elif preferred in published:
            wanted = preferred
        elif published:
            wanted = next(iter(published))
        else:
            raise TrackNotFoundError(movie)
        pointer = published.get(wanted)
        if pointer is None:
            raise TrackNotFoundError(movie, wanted)
        key = current_key(movie, wanted)
        version = self._current(key, pointer).version
        if version is None:
            raise TrackNotFoundError(movie, wanted)
        return Offer(await self.track(movie, wanted, version), list(published))

    async def languages(self, movie_id: str) -> list[str]:
        """Languages in which a track is published for *movie_id* and not withdrawn, sorted."""
        return list(await self._published(check_id("movie_id", movie_id)))

    async def track(self, movie_id: str, language: str, version: str) -> Track:
        """One version of a track; raises TrackNotFoundError, TrackFormatError, StorageError."""
        prefix = track_prefix(movie_id, language, version)
        try:
            return self._cached(prefix) or await self._loads.get(prefix)
        except ObjectNotFoundError as error:
            raise TrackNotFoundError(movie_id, language) from error

    def _cached(self, prefix: str) -> Track | None:
        track = self._tracks.get(prefix)
        if track is not None:
            self._tracks.move_to_end(prefix)
        return track

    async def _load(self, prefix: str) -> Track:
        # Who waited while it was loaded for others finds it here.
        cached = self._cached(prefix)
        if cached is not None:
            return cached
        key = f"{prefix}/track.json"
        track = load_track(await self._storage.read(key), key)
        if track.prefix != prefix:
            raise TrackFormatError(key, f"describes {track.prefix}, so it was put in a wrong place")
        self._tracks[prefix] = track
        if len(self._tracks) > _CACHED_TRACKS:
            self._tracks.popitem(last=False)
        return track

    async def _published(self, movie_id: str) -> dict[str, bytes]:
        """current.json of each language that is not withdrawn, sorted by language.

        One that cannot be read counts as published, so that asking for it says what is wrong with
        it, and the other languages of the film are heard all the same.
        """
        found = await self._looks.get(f"tracks/{movie_id}")
        return {
            language: pointer
            for language, pointer in found.items()
            if is_language(language)
            and not self._is_withdrawn(current_key(movie_id, language), pointer)
        }

    async def _read_pointers(self, prefix: str) -> Mapping[str, bytes]:
        if isinstance(self._storage, ReadsBelow):
            return await self._storage.read_below(prefix, _POINTER)
        found = {}
        for language in await self._storage.folders(prefix):
            if not is_language(language):
                continue
            try:
                found[language] = await self._storage.read(f"{prefix}/{language}/{_POINTER}")
            except ObjectNotFoundError:
                # The first version is on its way in.
                continue
        return found

    def _is_withdrawn(self, key: str, pointer: bytes) -> bool:
        try:
            return self._current(key, pointer).version is None
        except TrackFormatError:
            return False

    def _current(self, key: str, pointer: bytes) -> Current:
        """What a pointer says; the same bytes say the same. Raises TrackFormatError."""
        known = self._pointers.get((key, pointer))
        if known is None:
            known = self._pointers[key, pointer] = load_current(pointer, key)
            if len(self._pointers) > _CACHED_POINTERS:
                self._pointers.popitem(last=False)
        return known


def _parse_path(path: str | None) -> tuple[str | None, str | None]:
    """Movie and language of an audio_description_path, or None where it is of another form."""
    if path is None:
        return None, None
    movie, _, language = path.partition("/")
    if not is_id(movie):
        return None, None
    if not language:
        return movie, None
    try:
        return movie, check_language(language)
    except InvalidIdError:
        return None, None
