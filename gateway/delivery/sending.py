"""Sending a piece of a file in one go, without the event loop's waiting for it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from contextlib import suppress

from gateway.delivery.courier import Packet


def send_packet(packet: Packet, transport: asyncio.Transport, line: socket.socket | None) -> None:
    """Send by *line*, what it does not take at once is copied and sent later by its *transport*.

    Where there is none, everything goes through the transport.
    """
    sent = 0
    if line is not None and not transport.get_write_buffer_size():
        try:
            sent = _send_at_once(line, packet)
        except OSError:
            # The client went away; the loop finds that out by itself.
            transport.abort()
            return
    body_sent = max(0, sent - len(packet.head))
    if sent < len(packet.head):
        transport.write(packet.head[sent:])
    if body_sent < packet.size:
        rest = os.pread(packet.descriptor, packet.size - body_sent, packet.first + body_sent)
        transport.write(rest)
        if len(rest) < packet.size - body_sent:
            # Cut off under our hands: the client sees a short answer, and asks again.
            transport.abort()


def _send_at_once(line: socket.socket, packet: Packet) -> int:
    """Send what the socket takes now; how many bytes. Raises OSError where the client is gone."""
    sent = 0
    if sys.platform == "linux":
        # Full: what is left waits in the transport.
        with suppress(BlockingIOError):
            # Head and body leave in the same segments of TCP (MSG_MORE of send(2)).
            sent = line.send(packet.head, socket.MSG_MORE)
            if sent == len(packet.head):
                sent += os.sendfile(line.fileno(), packet.descriptor, packet.first, packet.size)
    return sent
