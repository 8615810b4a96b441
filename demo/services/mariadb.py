"""A real MariaDB server: its own folder, a Unix socket and a loopback port, no root."""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncmy

from demo.services import DemoError, free_port

PROGRAM = "mariadbd"
INSTALLER = "mariadb-install-db"
PATIENCE_S = 60
# As durable as the program is told to be: what dies here is a process and not the machine, so the
# waits for the disk are left out where a test does not ask for them.
_CHEAP = ("--innodb-flush-method=nosync",)
_SMALL = (
    "--innodb-buffer-pool-size=48M",
    "--innodb-log-file-size=16M",
    "--performance-schema=off",
    "--skip-name-resolve",
    "--aria-pagecache-buffer-size=1M",
    "--key-buffer-size=1M",
)


class MariaServer:
    """A server process over *folder*, which outlives it: started, killed and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._data = folder / "data"
        self._tmp = folder / "tmp"
        self._tmp.mkdir()
        self._log = folder / "mariadbd.log"
        self.socket = folder / "s"
        self.port = free_port()
        self._options = options
        self._process: subprocess.Popen[str] | None = None
        # Databases that were made, with the tables and the version that they had then.
        self._made: dict[str, object] = {}

    def install(self, installed: Path | None = None) -> None:
        """Make the system tables, or copy those of *installed* (see `install_into`)."""
        if installed is None:
            install_into(self._data)
        else:
            shutil.copytree(installed, self._data)

    def start(self) -> None:
        """Start it and wait until it takes connections; raises DemoError."""
        self._process = subprocess.Popen(
            [
                *(PROGRAM, "--no-defaults", f"--user={getpass.getuser()}"),
                *(f"--datadir={self._data}", f"--socket={self.socket}"),
                *(f"--port={self.port}", "--bind-address=127.0.0.1"),
                *(f"--pid-file={self._data}/pid", f"--tmpdir={self._tmp}", *_SMALL, *self._options),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self._process, ready), daemon=True).start()
        if not ready.wait(PATIENCE_S) or self._process.poll() is not None:
            raise DemoError(f"mariadbd did not start:\n{self._log.read_text()[-2000:]}")

    def kill(self) -> None:
        """SIGKILL: what it had not written is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None

    def url(self, database: str, *, tcp: bool = False) -> str:
        """Address of a database for Tell and AMC-clone."""
        if tcp:
            return f"mariadb://root@127.0.0.1:{self.port}/{database}"
        return f"mariadb://root@localhost/{database}?unix_socket={self.socket}"

    async def execute(self, *statements: str, database: str | None = None) -> tuple[Any, ...]:
        """Run statements as root; returns the rows of the last one."""
        connection = await asyncmy.connect(
            user="root", unix_socket=str(self.socket), database=database, autocommit=True
        )
        try:
            async with connection.cursor() as cursor:
                for statement in statements:
                    await cursor.execute(statement)
                return tuple(await cursor.fetchall())
        finally:
            await connection.ensure_closed()

    async def let_in(self, user: str, password: str, database: str) -> str:
        """Give a new *user* with a password the whole of *database*; returns its URL, by TCP."""
        who = f"'{user}'@'127.0.0.1'"
        await self.execute(
            f"CREATE OR REPLACE USER {who} IDENTIFIED BY '{password}'",
            f"GRANT ALL ON `{database}`.* TO {who}",
        )
        secret = quote(password, safe="")
        return f"mariadb://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    async def shut_out(self, user: str) -> None:
        """Take the user away, with the connections that there are."""
        await self.execute(f"DROP USER '{user}'@'127.0.0.1'", f"KILL USER '{user}'@'127.0.0.1'")

    async def fresh_database(self, name: str) -> str:
        """An empty database of that name without tables; returns its URL."""
        self._made.pop(name, None)
        await self.execute(
            f"DROP DATABASE IF EXISTS `{name}`",
            f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )
        return self.url(name)

    async def database(
        self, name: str, make: Callable[[str], Awaitable[None]], *, keep: frozenset[str]
    ) -> str:
        """A database with the tables of *make* and no rows but those of the tables in *keep*."""
        if name not in self._made or self._made[name] != await self._look(name):
            await make(await self.fresh_database(name))
            self._made[name] = await self._look(name)
            return self.url(name)
        tables = await self.execute("SHOW TABLES", database=name)
        await self.execute(
            "SET SESSION foreign_key_checks = 0",
            *(
                f"DELETE FROM `{table}`"  # noqa: S608  (a name that the server itself gave)
                for (table,) in tables
                if table not in keep
            ),
            database=name,
        )
        return self.url(name)

    async def _look(self, name: str) -> object:
        """What a test may have left otherwise than it found it."""
        tables = await self.execute("SHOW TABLES", database=name)
        triggers = await self.execute("SHOW TRIGGERS", database=name)
        version: tuple[Any, ...] = ()
        if ("alembic_version",) in tables:
            version = await self.execute("SELECT * FROM alembic_version", database=name)
        return tables, triggers, version

    async def follow(self, primary: MariaServer) -> None:
        """Become a replica of *primary*, from the first change in its binary log."""
        await self.execute(
            f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={primary.port}, "
            "MASTER_USER='root', MASTER_USE_GTID=slave_pos",
            "START SLAVE",
        )
        await self.catch_up(primary)

    async def catch_up(self, primary: MariaServer) -> None:
        """Wait until all that *primary* has committed is here too."""
        ((position,),) = await primary.execute("SELECT @@gtid_binlog_pos")
        ((result,),) = await self.execute(f"SELECT MASTER_GTID_WAIT('{position}', {PATIENCE_S})")
        assert result == 0

    def _listen(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        """Keep what the server says, and see when it is ready."""
        assert process.stderr is not None
        with self._log.open("a") as log, process.stderr:
            for line in process.stderr:
                log.write(line)
                log.flush()
                if "ready for connections" in line:
                    ready.set()
        # It has ended: nobody need wait for it any longer.
        ready.set()


def install_into(data: Path) -> None:
    """Make the system tables of a server in the folder *data*; raises DemoError with why not.

    Its temporary files have a folder of their own, so that several may be made at once.
    """
    data.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tell-mariadb-install-") as scratch:
        done = subprocess.run(
            [
                *(INSTALLER, "--no-defaults", f"--user={getpass.getuser()}"),
                *(f"--datadir={data}", f"--tmpdir={scratch}", "--skip-test-db"),
                *("--auth-root-authentication-method=normal", *_SMALL, *_CHEAP),
            ],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
    said = f"{done.stdout}\n{done.stderr}"
    if done.returncode != 0:
        raise DemoError(f"{INSTALLER} ended with {done.returncode}:\n{said[-4000:]}")


@contextmanager
def running_mariadb(
    *options: str, durable: bool = False, installed: Path | None = None
) -> Iterator[MariaServer]:
    """A server of its own, and its folder removed after it; *durable* waits for the disk.

    It begins with a copy of the system tables in *installed*, or makes them.
    """
    # A Unix socket's path has at most 107 characters, which pytest's folders can exceed.
    folder = Path(tempfile.mkdtemp(prefix="tell-mariadb-"))
    server = MariaServer(folder, *(() if durable else _CHEAP), *options)
    try:
        server.install(installed)
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
