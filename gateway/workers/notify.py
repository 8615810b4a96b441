"""Telling systemd how the service is (sd_notify(3)): datagrams to a socket that it names."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

# Two signs of life in each period: one may be late.
_SIGNS_IN_A_PERIOD = 2
_MICROSECONDS = 1_000_000
# A change of state is worth a wait where systemd has ten words of ours unread (unix(7),
# max_dgram_qlen); what is said again soon is not.
_STATE_WAITS_S = 1.0


class Notifier:
    """Says it where *environ* names a socket, and does nothing elsewhere.

    `watchdog_s` is how often a sign of life is wanted, in seconds, None for never.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = _address(environ.get("NOTIFY_SOCKET", ""))
        self.watchdog_s = _watchdog_s(environ) if self._address else None

    def ready(self) -> None:
        """Requests are answered: at the start, and again after `reloading`."""
        self._send("READY=1", _STATE_WAITS_S)

    def reloading(self) -> None:
        """A rolling restart begins."""
        # CLOCK_MONOTONIC, as systemd compares it with its own (sd_notify(3), RELOADING=1).
        now_us = time.monotonic_ns() // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now_us}", _STATE_WAITS_S)

    def stopping(self) -> None:
        """Nothing new is taken."""
        self._send("STOPPING=1", _STATE_WAITS_S)

    def alive(self) -> None:
        """The sign of life for its watchdog."""
        self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def _send(self, message: str, waits_s: float = 0.0) -> None:
        if self._address is None:
            return
        # Who does not listen misses it: a service must not end for that.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.settimeout(waits_s)
            line.sendto(message.encode(), self._address)


def without_notify(environ: Mapping[str, str]) -> dict[str, str]:
    """What a child gets: the watchdog and the socket are its parent's."""
    mine = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}
    return {name: value for name, value in environ.items() if name not in mine}


def _address(name: str) -> str | None:
    if name.startswith("/"):
        return name
    # An abstract socket: its name begins with a zero byte (unix(7)).
    return f"\0{name[1:]}" if name.startswith("@") else None


def _watchdog_s(environ: Mapping[str, str]) -> float | None:
    """From WATCHDOG_USEC, where it is meant for this process (sd_watchdog_enabled(3))."""
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    period = environ.get("WATCHDOG_USEC", "")
    if not period.isascii() or not period.isdigit() or int(period) == 0:
        return None
    return int(period) / _MICROSECONDS / _SIGNS_IN_A_PERIOD
