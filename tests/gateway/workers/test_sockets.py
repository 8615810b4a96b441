"""The sockets of several workers: one port, and a queue that outlives who read from it."""

from __future__ import annotations

import socket

import pytest

from gateway.errors import ListenError
from gateway.settings import ServerSettings
from gateway.workers.sockets import bind_all


def test_all_listen_on_one_port_and_all_get_connections() -> None:
    """The kernel spreads them."""
    sockets = bind_all(ServerSettings(port=0), 3)
    try:
        (port,) = {each.getsockname()[1] for each in sockets}
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
        taken = [_accept_all(each) for each in sockets]
        assert sum(taken) == 200
        # One of three at random gets fewer than 20 of 200 once in a billion runs.
        assert min(taken) >= 20
        for client in clients:
            client.close()
    finally:
        for each in sockets:
            each.close()


def _accept_all(listener: socket.socket) -> int:
    count = 0
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return count
        connection.close()
        count += 1


def test_a_port_that_another_program_has_is_an_error() -> None:
    """Also where that is a Tell with workers, which would share it."""
    sockets = bind_all(ServerSettings(port=0), 2)
    port = sockets[0].getsockname()[1]
    try:
        with pytest.raises(ListenError, match=f"port {port}"):
            bind_all(ServerSettings(port=port), 2)
    finally:
        for each in sockets:
            each.close()
    # And it is free as soon as they are closed.
    for each in bind_all(ServerSettings(port=port), 2):
        each.close()
