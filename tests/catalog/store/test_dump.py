from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from catalog import migrations
from catalog.errors import DatabaseNotEmptyError, DumpError, DumpVersionError
from catalog.store.database import Database
from catalog.store.dump import check_empty, dump, load, read_header, skip_events
from catalog.store.dump_upgrade import upgraded
from tests.catalog.rows import everything, fill
from tests.catalog.samples import EVENING
from tests.catalog.store.test_database import MAKE_LISTENER, listener_count
from tests.catalog.test_migrations import MAKE_OLD_PURCHASE


@pytest.fixture
async def other(tmp_path: Path) -> AsyncIterator[Database]:
    """An empty database to load into."""
    opened = await Database.open(f"sqlite:///{tmp_path}/other.db")
    yield opened
    await opened.close()


async def lines_of(database: Database) -> list[bytes]:
    """A dump of the database."""
    async with database.read() as connection:
        return [line async for line in dump(connection, EVENING)]


async def load_into(database: Database, lines: list[bytes]) -> dict[str, int]:
    """Load a dump."""
    rest = iter(lines)
    read_header(rest)
    async with database.write() as connection:
        return await load(connection, rest)


async def test_every_row_of_every_table_comes_back(database: Database, other: Database) -> None:
    """A dump of either kind of database, loaded into the other kind and back, is the same."""
    await fill(database)
    before = await everything(database)
    assert all(rows for rows in before.values())
    lines = await lines_of(database)
    counts = await load_into(other, lines)
    assert await everything(other) == before
    assert counts["purchases"] == 3
    assert await load_into(database, await lines_of(other)) == counts
    assert await everything(database) == before
    assert await lines_of(database) == lines


async def test_a_dump_is_one_moment(database: Database) -> None:
    """What others write while it is being read is not in it."""
    await fill(database)
    lines: list[bytes] = []
    async with database.read() as connection:
        async for line in dump(connection, EVENING):
            if not lines:
                async with database.write() as writer:
                    await writer.execute(MAKE_LISTENER, {"id": "late"})
            lines.append(line)
    assert await listener_count(database) == 4
    assert json.loads(lines[-1])["end"]["listeners"] == 3
    assert not any(b"late" in line for line in lines)


async def test_loading_takes_the_place_of_what_was_there(
    database: Database, other: Database
) -> None:
    """Rows that the dump has not are gone afterwards."""
    await fill(other, rows=1)
    await fill(database)
    await load_into(database, await lines_of(other))
    assert await everything(database) == await everything(other)


async def test_a_dump_that_is_cut_off_changes_nothing(database: Database) -> None:
    """Wherever it ends, and whatever stands in its lines: the rows stay as they were."""
    await fill(database)
    before = await everything(database)
    lines = await lines_of(database)
    broken = [
        lines[:-1],
        lines[: len(lines) // 2],
        [*lines[:20], lines[20][:-5], *lines[21:]],
        [*lines[:2], b"[1]\n", *lines[2:]],
        [lines[0], b"[1, 2]\n", *lines[1:]],
        [*lines[:-1], b'{"table": "seats", "columns": ["id"]}\n', lines[-1]],
        [*lines[:-1], b'{"table": "movies", "columns": ["id", "year"]}\n', lines[-1]],
        # The same row twice.
        [line for line in lines for _ in range(2 if line.startswith(b"[") else 1)],
        [lines[0]],
    ]
    for each in broken:
        with pytest.raises(DumpError):
            await load_into(database, each)
    assert await everything(database) == before


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (b"", DumpError),
        (b"hello\n", DumpError),
        (b"[]\n", DumpError),
        (b'{"format": "tell-database", "version": 2}\n', DumpVersionError),
        (b'{"format": "tell-database", "version": 1, "revision": "0001"}\n', DumpError),
    ],
)
def test_a_first_line_that_is_none_of_ours(first: bytes, error: type[DumpError]) -> None:
    """Another file, or a later form, is refused by its first line."""
    with pytest.raises(error):
        read_header(iter([first] if first else []))


async def test_rows_are_noticed_before_they_are_lost(database: Database) -> None:
    """A new database is empty; one row in any table makes it one that is not."""
    async with database.read() as connection:
        await check_empty(connection)
    async with database.write() as connection:
        await connection.execute(MAKE_LISTENER, {"id": "a"})
    async with database.read() as connection:
        with pytest.raises(DatabaseNotEmptyError, match="listeners has rows"):
            await check_empty(connection)


async def test_event_numbers_are_never_given_twice(database: Database) -> None:
    """After a load the next event has a number that nobody has seen."""
    async with database.write() as connection:
        await skip_events(connection, 1000)
        assert await connection.scalar(text("SELECT last FROM event_sequence")) == 1000


async def test_a_dump_of_earlier_tables_is_brought_to_these(
    database: Database, tmp_path: Path
) -> None:
    """Saved before an upgrade of Tell, loaded after it: the migrations have run on its rows."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/old.db")
    async with engine.begin() as connection:
        await connection.run_sync(migrations.upgrade, "0001")
        await connection.execute(MAKE_OLD_PURCHASE)
        old = [line async for line in dump(connection, EVENING)]
    await engine.dispose()
    rest = iter(old)
    header = read_header(rest)
    assert header.revision == "0001"
    (tmp_path / "scratch").mkdir()
    lines = [line async for line in upgraded(header, rest, tmp_path / "scratch")]
    assert read_header(iter(lines)).revision == migrations.head()
    assert read_header(iter(lines)).taken_at == EVENING
    assert (await load_into(database, lines))["purchases"] == 1
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT purchase_id FROM purchases")) == "p-1"
        assert await connection.scalar(text("SELECT last FROM event_sequence")) == 0


async def test_a_dump_of_later_tables_is_refused(tmp_path: Path) -> None:
    """Nothing here knows what its tables mean."""
    head = {"format": "tell-database", "version": 1, "revision": "9999"}
    lines = iter([json.dumps({**head, "taken_at": EVENING.isoformat()}).encode()])
    with pytest.raises(DumpVersionError, match="made by a later Tell"):
        async for _ in upgraded(read_header(lines), lines, tmp_path):
            pass
