"""Ports for servers that cannot choose their own."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from demo import services
from demo.services import DemoError, free_port


def test_a_free_port_is_none_that_a_connection_is_given() -> None:
    """Else one that goes out could take it before the server comes to it."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    ports = [free_port() for _ in range(100)]
    assert all(1024 < port < lowest for port in ports)
    assert len(set(ports)) > 90


def test_a_port_that_is_taken_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all are, that is said."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        monkeypatch.setattr(services, "_LOWEST_PORT", taken.getsockname()[1])
        monkeypatch.setattr(services, "_PORTS", 1)
        with pytest.raises(DemoError, match=r"no port is free on 127\.0\.0\.1: Address already"):
            free_port()
    assert free_port() == services._LOWEST_PORT
