"""The listening sockets of several workers: one for each, on one port.

They share the port by SO_REUSEPORT (socket(7)), by which the kernel spreads connections evenly;
from one shared socket a busy worker takes nearly all. But with SO_REUSEPORT a socket that is closed
takes the connections in its queue with it. So the supervisor makes them, keeps them open as long as
it runs, and hands them down: a worker comes and goes, its queue stays.
"""

from __future__ import annotations

import socket

from gateway.errors import ListenError
from gateway.server import BACKLOG, bind
from gateway.settings import ServerSettings


def bind_all(settings: ServerSettings, count: int) -> list[socket.socket]:
    """*count* listening sockets on the address of the settings; raises ListenError."""
    # Without SO_REUSEPORT: a port that another program (or another Tell) has is an error.
    with bind(settings) as probe:
        family, address = probe.family, probe.getsockname()
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            each = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(each)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            each.bind(address)
        for each in sockets:
            each.listen(BACKLOG)
            each.setblocking(False)
    except OSError as error:
        for each in sockets:
            each.close()
        raise ListenError(settings.host, address[1], error.strerror or str(error)) from error
    return sockets
