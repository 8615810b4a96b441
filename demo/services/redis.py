"""A real Redis server: a loopback port of its own, nothing on the disk, no root."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from demo.services import DemoError, free_port

PROGRAM = "redis-server"
PATIENCE_S = 30


class RedisServer:
    """A server process at `url`: started, killed and started again, and empty each time."""

    def __init__(self, password: str = "") -> None:
        self._password = password
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        """Address for Tell."""
        who = f":{quote(self._password, safe='')}@" if self._password else ""
        return f"redis://{who}127.0.0.1:{self._port}/0"

    def start(self) -> None:
        """Start it and wait until it takes connections; raises DemoError."""
        self._process = subprocess.Popen(
            [
                *(PROGRAM, "--port", str(self._port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--daemonize", "no"),
                *(("--requirepass", self._password) if self._password else ()),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        ready = threading.Event()
        threading.Thread(target=_listen, args=(self._process, ready), daemon=True).start()
        if not ready.wait(PATIENCE_S) or self._process.poll() is not None:
            raise DemoError(f"{PROGRAM} did not start")

    def stall(self) -> None:
        """SIGSTOP: connections stay open, and nothing is answered."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT, after `stall`."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: connections break and new ones are refused."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE_S)
            self._process = None


@contextmanager
def running_redis(password: str = "") -> Iterator[RedisServer]:
    """A server that is ended afterwards, and asks for *password* where one is given."""
    server = RedisServer(password)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _listen(process: subprocess.Popen[str], ready: threading.Event) -> None:
    """See when the server is ready, and keep its pipe from filling up."""
    assert process.stdout is not None
    with process.stdout:
        for line in process.stdout:
            if "Ready to accept connections" in line:
                ready.set()
    # It has ended: nobody need wait for it any longer.
    ready.set()
