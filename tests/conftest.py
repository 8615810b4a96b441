"""What every test stands on."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.services.mariadb import MariaServer, require_mariadb, running_mariadb
from tests.services.redis import RedisServer, require_redis, running_redis

# A run in the background inherits an ignored SIGINT (POSIX shell 2.11), and so would every process
# that a test starts: Ctrl-C would press nothing. What is caught here has its default there.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaServer]:
    """A real MariaDB server for all tests of this process; databases of it are each test's own."""
    require_mariadb()
    with running_mariadb() as server:
        yield server


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A real Redis server of this test's own, which it may kill and start again."""
    require_redis()
    with running_redis() as server:
        yield server
