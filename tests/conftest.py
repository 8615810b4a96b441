"""What every test stands on."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from catalog.store.database import Database
from tests.services.kinds import database_kinds
from tests.services.mariadb import MariaServer, install_into, require_mariadb, running_mariadb
from tests.services.once import made_once
from tests.services.redis import RedisServer, require_redis, running_redis
from tests.skips import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]

# A run in the background inherits an ignored SIGINT (POSIX shell 2.11), and so would every process
# that a test starts: Ctrl-C would press nothing. What is caught here has its default there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Examples are slow to draw and to run where other tests take the processor, which is no fault of
# theirs. A test that says its own settings starts from these.
settings.register_profile("tell", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tell")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked so runs on both kinds of database."""
    if metafunc.definition.get_closest_marker("both_databases") is not None:
        metafunc.parametrize("database_kind", database_kinds())


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Packed or broken bytes never name a test: gzip packs the hour in, and workers must agree."""
    return argname if isinstance(val, bytes) and not val.decode("latin-1").isprintable() else None


@pytest.fixture
def database_kind() -> str:
    """What a running service's database is, where a test does not say that it must run on both."""
    return database_kinds()[0]


@pytest.fixture(scope="session")
def new_tell_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with Tell's tables and no rows, to copy: migrating takes six times as long."""

    def make(folder: Path) -> None:
        async def migrate() -> None:
            await (await Database.open(f"sqlite:///{folder / 'tell.db'}")).close()

        asyncio.run(migrate())

    return made_once(tmp_path_factory, "tell", make) / "tell.db"


@pytest.fixture(scope="session")
def installed_mariadb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a MariaDB server as it is installed, to copy; no server runs on it."""
    require_mariadb()
    return made_once(tmp_path_factory, "mariadb", install_into)


@pytest.fixture(scope="session")
def mariadb_server(installed_mariadb: Path) -> Iterator[MariaServer]:
    """A real MariaDB server for all tests of this process; databases of it are each test's own."""
    with running_mariadb(installed=installed_mariadb) as server:
        yield server


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A real Redis server of this test's own, which it may kill and start again."""
    require_redis()
    with running_redis() as server:
        yield server
