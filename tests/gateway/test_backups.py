from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from catalog.errors import DatabaseNotEmptyError, DumpError
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from catalog.store.schema import event_sequence, listeners, purchases
from gateway.backups import Backups
from gateway.errors import BackupDamagedError, BackupNotFoundError
from media.storage import LocalStorage, WritableStorage
from tests.catalog.rows import everything, fill
from tests.catalog.samples import EVENING, Clock
from tests.services.kinds import database_kinds
from tests.services.mariadb import MariaServer, tell_database
from tests.services.s3 import s3_server

CORRELATION_ID = "restored-from-backup"[:20]


@pytest.fixture
def clock() -> Clock:
    """Stands at EVENING until a test moves it."""
    return Clock(EVENING)


@pytest.fixture
def backups(tmp_path: Path, clock: Clock) -> Backups:
    """Backups in a local folder."""
    return Backups(LocalStorage(tmp_path / "saved"), clock)


@pytest.fixture(params=database_kinds())
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database with rows in every table, on both kinds."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/tell.db"
    else:
        url = await tell_database(request.getfixturevalue("mariadb_server"))
    opened = await Database.open(url)
    await fill(opened)
    async with opened.write() as connection:
        await connection.execute(
            update(purchases).where(purchases.c.id == 2).values(correlation_id=CORRELATION_ID)
        )
    yield opened
    await opened.close()


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Database]:
    """A new database to restore into."""
    opened = await Database.open(f"sqlite:///{tmp_path}/empty.db")
    yield opened
    await opened.close()


def files(folder: Path) -> list[Path]:
    """The files of the backups."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def rewrite(folder: Path, change: Callable[[bytes], bytes]) -> None:
    """Change what the one backup holds, and sign it anew, as someone who means harm would."""
    data, digest = files(folder)
    data.write_bytes(change(data.read_bytes()))
    digest.write_text(f"{hashlib.sha256(data.read_bytes()).hexdigest()}  {data.name}\n")


async def test_the_last_backup_is_restored_and_read(
    database: Database, empty: Database, backups: Backups, clock: Clock
) -> None:
    """The newest of two, restored into a new database: every row, and the ticket that it makes."""
    await backups.make(database)
    clock.move(days=1)
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM playback_states"))
    last = await backups.make(database)
    restored = await backups.restore(empty, None, force=False)
    assert restored.backup == last
    assert restored.rows["purchases"] == 3
    assert await everything(empty) == await everything(database)
    ticket = await Tickets(empty).by_correlation(CORRELATION_ID)
    assert ticket == await Tickets(database).by_correlation(CORRELATION_ID)


async def test_from_a_laptop_to_a_server(
    database: Database, backups: Backups, mariadb_server: MariaServer
) -> None:
    """A backup of either kind is restored into a MariaDB database."""
    before = await everything(database)
    await backups.make(database)
    server = await Database.open(await mariadb_server.fresh_database("restored"))
    await backups.restore(server, None, force=False)
    assert await everything(server) == before
    await server.close()


async def test_an_earlier_one_by_its_name(
    database: Database, backups: Backups, clock: Clock
) -> None:
    """Any can be chosen; what came since is gone, but its event numbers are not given again."""
    first = await backups.make(database)
    before = await everything(database)
    clock.move(days=1)
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM claims"))
        await connection.execute(update(event_sequence).values(last=7))
    await backups.make(database)
    assert [backup.taken_at for backup in await backups.all()] == [clock.now, first.taken_at]
    await backups.restore(database, first.name, force=True)
    assert await everything(database) == before
    async with database.read() as connection:
        last = await connection.scalar(select(event_sequence.c.last))
    assert last is not None
    assert last > 7


async def test_a_backup_while_others_write(
    database: Database, empty: Database, backups: Backups
) -> None:
    """Writers neither wait for it nor appear in it in part: each has both of its rows, or none."""
    begun, stop = asyncio.Event(), asyncio.Event()
    written = 0

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            async with database.write() as connection:
                for half in ("a", "b"):
                    await connection.execute(
                        listeners.insert().values(id=f"{half}{written}", created_at=EVENING)
                    )
            written += 1
            begun.set()

    writer = asyncio.create_task(write())
    await begun.wait()
    await backups.make(database)
    during = written
    stop.set()
    await writer
    assert during > 1
    await backups.restore(empty, None, force=False)
    async with empty.read() as connection:
        ids = set(await connection.scalars(select(listeners.c.id)))
    halves = [{name[1:] for name in ids if name[0] == half} for half in ("a", "b")]
    assert halves[0] == halves[1]
    assert halves[0]


async def test_rows_are_not_replaced_by_mistake(database: Database, backups: Backups) -> None:
    """A database with rows is left alone, and the message names the way."""
    await backups.make(database)
    async with database.write() as connection:
        await connection.execute(text("DELETE FROM claims"))
    before = await everything(database)
    with pytest.raises(DatabaseNotEmptyError, match="--force"):
        await backups.restore(database, None, force=False)
    assert await everything(database) == before


async def test_a_damaged_backup_is_refused_first(
    database: Database, backups: Backups, tmp_path: Path
) -> None:
    """One flipped bit: the digest tells, nothing is changed, and the message names the file."""
    await backups.make(database)
    data, _ = files(tmp_path / "saved")
    flipped = bytearray(data.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    data.write_bytes(flipped)
    before = await everything(database)
    with pytest.raises(BackupDamagedError, match=data.name):
        await backups.restore(database, None, force=True)
    assert await everything(database) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda packed: packed[:-9],
        lambda packed: b"no gzip at all",
        lambda packed: gzip.compress(gzip.decompress(packed)[:-40]),
        lambda packed: gzip.compress(gzip.decompress(packed).replace(b"purchases", b"purchased")),
    ],
    ids=["cut off", "no gzip", "without its end", "another table"],
)
async def test_what_cannot_be_read_changes_nothing(
    database: Database, backups: Backups, tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    """Even where the digest fits, a backup is restored as a whole or not at all."""
    await backups.make(database)
    rewrite(tmp_path / "saved", change)
    before = await everything(database)
    with pytest.raises(DumpError):
        await backups.restore(database, None, force=True)
    assert await everything(database) == before


async def test_none_and_unfinished_ones(
    database: Database, backups: Backups, tmp_path: Path
) -> None:
    """Without a digest it was never finished: it is no backup, and neither is another's file."""
    with pytest.raises(BackupNotFoundError, match="there is no backup"):
        await backups.restore(database, None, force=True)
    made = await backups.make(database)
    with pytest.raises(BackupNotFoundError, match="no backup tell-"):
        await backups.restore(database, "tell-20200101T000000000000Z.jsonl.gz", force=True)
    (tmp_path / "saved" / "database" / f"{made.name}.sha256").unlink()
    assert await backups.all() == []
    with pytest.raises(BackupNotFoundError):
        await backups.restore(database, made.name, force=True)


async def test_thirty_days_are_kept(
    empty: Database, backups: Backups, tmp_path: Path, clock: Clock
) -> None:
    """Those of the last thirty days stay to the microsecond, older ones go, and nothing else."""
    other = tmp_path / "saved" / "database" / "letter.txt"
    taken = []
    for _ in range(4):
        taken.append(await backups.make(empty))
        clock.move(days=15)
    other.write_text("mine")
    clock.move(days=-15)
    assert await backups.prune(timedelta(days=30)) == [taken[0].name]
    assert await backups.all() == [taken[3], taken[2], taken[1]]
    clock.move(seconds=0.000001)
    assert await backups.prune(timedelta(days=30)) == [taken[1].name]
    assert other.read_text() == "mine"
    assert len(files(tmp_path / "saved")) == 2 * 2 + 1


async def test_the_last_one_outlives_its_time(
    empty: Database, backups: Backups, clock: Clock
) -> None:
    """A Tell that stood still for a year still has a backup; an older, unfinished one goes."""
    first = await backups.make(empty)
    clock.move(days=1)
    last = await backups.make(empty)
    clock.move(days=365)
    assert await backups.prune(timedelta(days=30)) == [first.name]
    assert await backups.all() == [last]


@pytest.mark.xdist_group("s3")
async def test_in_a_bucket(tmp_path: Path, empty: Database, clock: Clock) -> None:
    """A real S3 server keeps them as a folder does: made, found, damaged, restored, removed."""
    source = await Database.open(f"sqlite:///{tmp_path}/tell.db")
    await fill(source)
    with s3_server(tmp_path / "s3") as server:
        storage: WritableStorage = server.storage("backups", "tell")
        backups = Backups(storage, clock)
        first = await backups.make(source)
        clock.move(days=31)
        last = await backups.make(source)
        assert [backup.name for backup in await backups.all()] == [last.name, first.name]
        assert await backups.prune(timedelta(days=30)) == [first.name]
        assert (await backups.restore(empty, None, force=False)).backup == last
        assert await everything(empty) == await everything(source)
        await storage.replace(f"database/{last.name}", b"something else")
        with pytest.raises(BackupDamagedError, match="s3://backups/tell"):
            await backups.restore(empty, None, force=True)
    await source.close()
