"""What systemd is told, on a real socket."""

from __future__ import annotations

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from gateway.workers.notify import Notifier, without_notify


def test_each_state_is_one_datagram(tmp_path: Path) -> None:
    """In the words of sd_notify(3)."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        notifier = Notifier({"NOTIFY_SOCKET": str(path)})
        before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        notifier.ready()
        notifier.reloading()
        notifier.alive()
        notifier.status("2 of 2 workers answer")
        notifier.stopping()
        told = [systemd.recv(4096).decode() for _ in range(5)]
    state, _, stamp = told.pop(1).partition("\n")
    assert told == ["READY=1", "WATCHDOG=1", "STATUS=2 of 2 workers answer", "STOPPING=1"]
    assert state == "RELOADING=1"
    name, _, value = stamp.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before_us <= int(value) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_state_waits_until_there_is_room_for_it(tmp_path: Path) -> None:
    """Signs of life that nobody has read yet fill the socket; that Tell is ready is heard still."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(20)
        notifier = Notifier({"NOTIFY_SOCKET": str(path)})
        longest = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
        for _ in range(longest + 2):
            notifier.alive()
        saying = threading.Thread(target=notifier.ready)
        saying.start()
        heard = [systemd.recv(4096) for _ in range(longest + 1)]
        while b"READY=1" not in heard:
            heard.append(systemd.recv(4096))
        saying.join()
    assert heard[:longest] == [b"WATCHDOG=1"] * longest


def test_an_abstract_socket_is_found(tmp_path: Path) -> None:
    """Its zero byte is written as @."""
    name = f"tell-test-{os.getpid()}-{tmp_path.name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert systemd.recv(64) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative/path", "/nobody/listens/here"])
def test_without_systemd_nothing_happens(address: str) -> None:
    """A service that is started by hand, or whose listener went away, runs all the same."""
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready()
    notifier.stopping()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_signs_of_life_come_twice_in_a_period(
    environ: dict[str, str], expected: float | None
) -> None:
    """Where they are wanted of this process."""
    assert Notifier({"NOTIFY_SOCKET": "/run/notify", **environ}).watchdog_s == expected
    assert Notifier(environ).watchdog_s is None


def test_a_worker_does_not_speak_for_the_service() -> None:
    """Its environment names no socket."""
    environ = {"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "1", "PATH": "/bin"}
    assert without_notify(environ) == {"PATH": "/bin"}
