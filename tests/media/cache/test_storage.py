"""Reading a bucket through the cache, on a real S3 server with a front that can fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from demo.services.s3_front import Front, s3_front
from media.cache.filling import BLOCK_BYTES
from media.errors import ObjectNotFoundError, RangeError, StorageError
from media.library import Library
from media.s3 import S3Storage
from media.storage import LocalStorage
from tests.media.cache.world import Cache, Clock, Noise
from tests.services.s3 import CREDENTIALS, S3Server, s3_server, utc_now

pytestmark = pytest.mark.xdist_group("s3")

NOISE = Noise()
KEY = NOISE.key()
DATA = NOISE.bytes["aac-64k"]
SEGMENT = 48_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server that holds the track."""
    with s3_server(tmp_path_factory.mktemp("cache") / "server") as running:
        asyncio.run(NOISE.publish(running.storage("films")))
        yield running


@dataclass
class World:
    """A bucket behind a front, and the folder of a cache."""

    front: Front
    far: S3Storage
    folder: Path
    clock: Clock

    @asynccontextmanager
    async def cache(self, **options: int) -> AsyncIterator[Cache]:
        """A running cache; another one later is the same after a restart."""
        cache = Cache(self.far, self.folder, self.clock, **options)
        await cache.storage.start()
        try:
            yield cache
        finally:
            await cache.storage.stop()


@pytest.fixture
async def world(server: S3Server, tmp_path: Path) -> AsyncIterator[World]:
    """A front of this test's own, and an empty cache."""
    async with s3_front(server.endpoint) as (front, endpoint):
        settings = server.settings(endpoint=endpoint, timeout_s=1.0)
        far = S3Storage("films", "films", settings, CREDENTIALS, utc_now)
        yield World(front, far, tmp_path / "cache", Clock())


async def filled(cache: Cache) -> None:
    """Hear a segment, and wait until the rendition came whole."""
    assert await cache.storage.read_range(KEY, 5000, SEGMENT) == DATA[5000 : 5000 + SEGMENT]
    await cache.until("filled")


async def test_a_rendition_that_was_heard_is_kept_whole(world: World) -> None:
    """The first segment brings the rest; then nothing is asked any more, the file can be sent."""
    async with world.cache() as cache:
        await filled(cache)
        path = cache.storage.path(NOISE.sha256())
        assert path.read_bytes() == DATA
        assert cache.storage.may_use(str(path))
        asked = len(world.front.asked)
        for start in (0, BLOCK_BYTES - 10, len(DATA) - 100):
            piece = await cache.storage.read_range(KEY, start, SEGMENT)
            assert piece == DATA[start : start + SEGMENT]
        with pytest.raises(RangeError):
            await cache.storage.read_range(KEY, len(DATA), 1)
        assert len(world.front.asked) == asked
        # Of the other renditions nothing came.
        assert not cache.storage.may_use(str(cache.storage.path(NOISE.sha256("aac-32k"))))
        assert cache.storage.used_bytes() < 2 * len(DATA)


async def test_a_hundred_who_ask_make_one_fetch_of_each_block(world: World) -> None:
    """All come at once, before anything is there, and for pieces over two blocks."""
    async with world.cache() as cache:
        start = BLOCK_BYTES - SEGMENT // 2
        pieces = await asyncio.gather(
            *(cache.storage.read_range(KEY, start, SEGMENT) for _ in range(100))
        )
        assert set(pieces) == {DATA[start : start + SEGMENT]}
        await cache.until("filled")
    assert len(world.front.ranges()) == len(set(world.front.ranges())) == 4
    assert sum(path.endswith("/track.json") for path, _ in world.front.asked) == 1


async def test_without_the_bucket_what_is_kept_plays_on(world: World) -> None:
    """After a restart too: the pointer, the track and its bytes; and what is not kept is told."""
    async with world.cache() as cache:
        await Library(cache.storage).resolve("one-week", None, None)
        await filled(cache)
    world.front.mode = "busy"
    async with world.cache() as cache:
        track = await Library(cache.storage).resolve("one-week", None, None)
        assert track.version == NOISE.track.version
        # Not before this process knows that it is what it was.
        path = str(cache.storage.path(NOISE.sha256()))
        assert not cache.storage.may_use(path)
        assert await cache.storage.read_range(KEY, 7, SEGMENT) == DATA[7 : 7 + SEGMENT]
        assert cache.storage.may_use(path)
        with pytest.raises(StorageError):
            await cache.storage.read_range(NOISE.key("aac-32k"), 0, SEGMENT)
        with pytest.raises(StorageError):
            await Library(cache.storage).resolve("unknown-film", None, None)


async def test_a_bucket_that_stalls_holds_nobody_up_who_can_be_answered(world: World) -> None:
    """The pointer of before is told after a moment, once; and what is published shows later."""
    async with world.cache() as cache:
        library = Library(cache.storage)
        await library.resolve("one-week", None, None)
        world.front.mode = "stalled"
        world.clock.advance(2)
        assert (await library.resolve("one-week", None, None)).version == NOISE.track.version
        assert world.front.waits.is_set()
        asked = len(world.front.asked)
        # It is not asked again at once.
        await library.resolve("one-week", None, None)
        assert len(world.front.asked) == asked
        await cache.until("stale")
        world.front.mode = "well"
        world.front.goes_on.set()


async def test_a_file_that_changed_on_the_disk_is_fetched_anew(world: World) -> None:
    """One bit is enough: it is found out before a byte of it is told, and mended."""
    async with world.cache() as cache:
        await filled(cache)
        path = cache.storage.path(NOISE.sha256())
    changed = bytearray(DATA)
    changed[2_000_000] ^= 4
    path.write_bytes(changed)
    async with world.cache() as cache:
        piece = await cache.storage.read_range(KEY, 1_999_000, SEGMENT)
        assert piece == DATA[1_999_000 : 1_999_000 + SEGMENT]
        await cache.until("filled")
        assert cache.counted["damaged"] == 1
        assert path.read_bytes() == DATA


async def test_what_does_not_have_its_digest_is_never_kept(world: World) -> None:
    """Bytes that change on the way are told as the bucket tells them, and leave no file."""
    world.front.mode = "damaging"
    async with world.cache() as cache:
        with capture_logs() as logs:
            await cache.storage.read_range(KEY, 0, SEGMENT)
            await cache.until("wrong")
            await cache.storage.read_range(KEY, 0, SEGMENT)
        assert [line["kind"] for line in logs if line["log_level"] == "warning"] == ["wrong"]
        assert cache.counted["passed"] == 1
        assert not cache.storage.path(NOISE.sha256()).exists()
        assert not cache.storage.may_use(str(cache.storage.path(NOISE.sha256())))
        world.front.mode = "well"
        world.clock.advance(61)
        await filled(cache)


async def test_a_bucket_that_fails_in_between_is_asked_for_the_rest_alone(world: World) -> None:
    """What came is heard meanwhile, and no block comes twice."""
    async with world.cache() as cache:
        await cache.storage.read(f"{NOISE.track.prefix}/track.json")
        world.front.mode = "stalled"
        first = asyncio.create_task(cache.storage.read_range(KEY, 0, SEGMENT))
        await world.front.waits.wait()
        # The first block is let through, and no other.
        world.front.mode = "busy"
        world.front.goes_on.set()
        assert await first == DATA[:SEGMENT]
        await cache.until("interrupted")
        assert await cache.storage.read_range(KEY, SEGMENT, SEGMENT) == DATA[SEGMENT : 2 * SEGMENT]
        with pytest.raises(StorageError):
            await cache.storage.read_range(KEY, BLOCK_BYTES, SEGMENT)
        world.front.mode = "well"
        world.front.asked.clear()
        world.clock.advance(2)
        await filled(cache)
    assert len(world.front.ranges()) == 3


async def test_where_there_is_no_room_all_is_passed_through(world: World) -> None:
    """The log says it once; those who ask for the same still share one request."""
    async with world.cache(limit_bytes=1_000_000) as cache:
        with capture_logs() as logs:
            pieces = await asyncio.gather(
                *(cache.storage.read_range(KEY, 0, SEGMENT) for _ in range(20))
            )
            assert set(pieces) == {DATA[:SEGMENT]}
            world.clock.advance(11)
            await cache.storage.read_range(KEY, 0, SEGMENT)
        assert [line["kind"] for line in logs if "kind" in line] == ["full"]
        await cache.until("full", 2)
        assert len(world.front.ranges()) == 2
        assert cache.storage.used_bytes() < 1_000_000


async def test_a_folder_that_cannot_be_written_costs_no_sound(world: World) -> None:
    """A file stands where the folder should be: it is said, and the bucket answers."""
    world.folder.write_text("not a folder")
    async with world.cache() as cache:
        assert await cache.storage.read_range(KEY, 9, SEGMENT) == DATA[9 : 9 + SEGMENT]
        assert (await Library(cache.storage).resolve("one-week", None, None)).movie_id == "one-week"
        await cache.until("disk")
        assert cache.storage.used_bytes() == 0


async def test_what_another_process_removed_is_fetched_again(world: World) -> None:
    """A file that made room for others is missed by nobody."""
    async with world.cache() as cache:
        await filled(cache)
        cache.storage.path(NOISE.sha256()).unlink()
        assert await cache.storage.read_range(KEY, 3, SEGMENT) == DATA[3 : 3 + SEGMENT]
        await cache.until("filled", 2)


async def test_a_newer_version_shows_within_a_second(tmp_path: Path) -> None:
    """What is current is asked again and again, and kept for no longer."""
    shelf, clock = LocalStorage(tmp_path / "far"), Clock()
    await NOISE.publish(shelf)
    cache = Cache(shelf, tmp_path / "cache", clock)
    await cache.storage.start()
    library = Library(cache.storage)
    assert (await library.resolve("one-week", None, None)).version == NOISE.track.version
    newer = Noise(seed=2)
    await newer.publish(shelf)
    clock.advance(1)
    assert (await library.resolve("one-week", None, None)).version == newer.track.version
    with pytest.raises(ObjectNotFoundError):
        await cache.storage.read("tracks/one-week/en/absent.json")
    await cache.storage.stop()
