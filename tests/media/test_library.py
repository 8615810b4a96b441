"""Finding the current track, on a real folder."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from media.errors import InvalidIdError, TrackFormatError, TrackNotFoundError
from media.library import Library
from media.storage import LocalStorage
from media.track import Current, Track, current_key, dump_current, dump_track
from tests.media.tracks import make_track

NOW = datetime(2027, 3, 5, 19, 30, tzinfo=UTC)


@pytest.fixture(name="storage")
def _storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "media")


async def put(storage: LocalStorage, **changes: object) -> Track:
    """Publish a track's description with some fields changed."""
    track = make_track(fragments=6).model_copy(update=changes)
    await storage.replace(f"{track.prefix}/track.json", dump_track(track))
    await storage.replace(
        current_key(track.movie_id, track.language), dump_current(Current(version=track.version))
    )
    return track


class CountedStorage(LocalStorage):
    """Counts what is read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.read_keys: list[str] = []

    async def read(self, key: str) -> bytes:
        """Read and count."""
        self.read_keys.append(key)
        return await super().read(key)


async def test_a_crowd_reads_a_track_once(tmp_path: Path) -> None:
    """Hundreds of phones after a restart: its description takes long to read."""
    storage = CountedStorage(tmp_path / "media")
    track = await put(storage)
    library = Library(storage)
    found = await asyncio.gather(*(library.resolve("one-week", None, None) for _ in range(200)))
    assert found == [track] * 200
    assert storage.read_keys == [f"{track.prefix}/track.json"]


async def test_a_movie_is_found_by_its_id(storage: LocalStorage) -> None:
    """Without a path the movie_id and the only language decide."""
    track = await put(storage)
    assert await Library(storage).resolve("one-week", None, None) == track


@pytest.mark.parametrize(
    ("path", "language", "found"),
    [
        ("other-cut/es", None, ("other-cut", "es")),
        ("other-cut", None, ("other-cut", "es")),
        ("other-cut/fr", None, ("other-cut", "es")),
        ("other-cut/es", "es", ("other-cut", "es")),
        ("nothing-here/en", None, ("one-week", "en")),
        ("https://elsewhere.example/x.mp3", None, ("one-week", "en")),
        ("../../etc/passwd", None, ("one-week", "en")),
        ("..", None, ("one-week", "en")),
        ("", None, ("one-week", "en")),
    ],
)
async def test_the_path_counts_where_it_is_one_of_ours(
    storage: LocalStorage, path: str, language: str | None, found: tuple[str, str]
) -> None:
    """A path of another form, or to nothing, falls back to the movie_id."""
    await put(storage)
    await put(storage, movie_id="other-cut", language="es")
    track = await Library(storage).resolve("one-week", path, language)
    assert (track.movie_id, track.language) == found


async def test_the_wanted_language_is_given_or_refused(storage: LocalStorage) -> None:
    """A language that is not published is never replaced by another in silence."""
    await put(storage)
    await put(storage, language="es")
    library = Library(storage)
    assert await library.languages("one-week") == ["en", "es"]
    assert (await library.resolve("one-week", None, "es")).language == "es"
    with pytest.raises(TrackNotFoundError, match="one-week/de"):
        await library.resolve("one-week", None, "de")


async def test_nothing_published(storage: LocalStorage) -> None:
    """An unknown film, and a folder that was never made, are told as not described."""
    with pytest.raises(TrackNotFoundError) as caught:
        await Library(storage).resolve("unknown", None, None)
    assert caught.value.code == "not-described"


async def test_a_climbing_id_never_reaches_the_storage(storage: LocalStorage) -> None:
    """Ids that could leave the folder are refused by name."""
    library = Library(storage)
    with pytest.raises(InvalidIdError):
        await library.resolve("../secret", None, None)
    with pytest.raises(InvalidIdError):
        await library.track("one-week", "en", "..")


async def test_a_new_version_is_seen_at_once_and_the_old_one_stays(storage: LocalStorage) -> None:
    """Publishing switches the current version; the old one still opens for who holds a token."""
    old = await put(storage)
    library = Library(storage)
    assert (await library.resolve("one-week", None, None)).version == old.version
    new = await put(storage, version="f" * 16, title="One Week, mended")
    assert (await library.resolve("one-week", None, None)) == new
    assert await library.track("one-week", "en", old.version) == old


async def test_a_damaged_or_misplaced_description_is_named(storage: LocalStorage) -> None:
    """What is not a track, or lies under another's name, is refused with its place."""
    track = await put(storage)
    key = f"{track.prefix}/track.json"
    await storage.replace(key, b'{"format":2}')
    with pytest.raises(TrackFormatError, match="format"):
        await Library(storage).resolve("one-week", None, None)
    await storage.replace(key, dump_track(track.model_copy(update={"movie_id": "two"})))
    with pytest.raises(TrackFormatError, match="wrong place"):
        await Library(storage).resolve("one-week", None, None)


async def test_a_withdrawn_track_is_not_described(storage: LocalStorage) -> None:
    """Nobody gets it any more, but who holds a token for a version still hears it."""
    track = await put(storage)
    spanish = await put(storage, language="es")
    library = Library(storage)
    withdrawn = Current(version=track.version).switched(None, NOW)
    await storage.replace(current_key("one-week", "en"), dump_current(withdrawn))
    assert await library.languages("one-week") == ["es"]
    assert await library.resolve("one-week", None, None) == spanish
    with pytest.raises(TrackNotFoundError, match="one-week/en"):
        await library.resolve("one-week", None, "en")
    assert await library.track("one-week", "en", track.version) == track


async def test_a_damaged_pointer_hides_no_other_language(storage: LocalStorage) -> None:
    """It is named when its own language is asked for; the others are heard."""
    await put(storage)
    await put(storage, language="es")
    await storage.replace(current_key("one-week", "es"), b"{}")
    library = Library(storage)
    assert (await library.resolve("one-week", None, None)).language == "en"
    with pytest.raises(TrackFormatError, match=r"es/current\.json"):
        await library.resolve("one-week", None, "es")


async def test_what_is_current_is_known_for_a_while(storage: LocalStorage) -> None:
    """As long as it is told; what is missing is looked for each time."""
    now = 0.0
    library = Library(storage, fresh_s=1.0, monotonic=lambda: now)
    with pytest.raises(TrackNotFoundError):
        await library.resolve("one-week", None, None)
    first = await put(storage)
    assert await library.resolve("one-week", None, None) == first
    second = await put(storage, version="0123456789abcdee")
    assert second != first
    now = 0.99
    assert await library.resolve("one-week", None, None) == first
    assert await library.resolve("one-week", "one-week/en", None) == second
    now = 1.0
    assert await library.resolve("one-week", None, None) == second
