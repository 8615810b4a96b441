"""Running the gateway: bind, say where, serve until told to stop, and leave nothing open."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog
from aiohttp import web

from gateway.app import create_app
from gateway.delivery.protocol import Runner
from gateway.errors import ListenError
from gateway.keys import PUBLIC_URL
from gateway.secrets import Secrets
from gateway.settings import GatewaySettings, ServerSettings

log = structlog.get_logger(__name__)

_BACKLOG = 1024
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (recognised, not bound)


async def serve(
    settings: GatewaySettings,
    secrets: Secrets,
    clock: Callable[[], datetime],
    announce: Callable[[str], None],
    environ: Mapping[str, str],
) -> None:
    """Serve until SIGTERM or SIGINT; *announce* is given the address once requests are answered.

    *environ* holds the credentials of an S3 storage.

    Raises ListenError, and DatabaseError where the database cannot be opened.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = create_app(settings, clock=clock, secrets=secrets, environ=environ)
    # The middleware writes the access log: aiohttp's would hold every token.
    runner = Runner(
        app, access_log=None, handle_signals=False, shutdown_timeout=settings.server.drain_s
    )
    listener = bind(settings.server)
    try:
        address = address_of(listener)
        # Before the first request can come, since a purchase is answered with it.
        if not settings.server.public_url or settings.server.port == 0:
            app[PUBLIC_URL].value = address
        await runner.setup()
        await web.SockSite(runner, listener, backlog=_BACKLOG).start()
        announce(address)
        log.info("listening", address=address, public_url=app[PUBLIC_URL].value)
        await stop.wait()
        log.info("stopping", drain_s=settings.server.drain_s)
    finally:
        await runner.cleanup()
        listener.close()


def bind(settings: ServerSettings) -> socket.socket:
    """Bind the address of the settings; raises ListenError."""
    try:
        info = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, kind, protocol, _, address = info[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(settings.host, settings.port, error.strerror or str(error)) from error
    try:
        # A restart must not wait for the old connections to time out (SO_REUSEADDR, socket(7)).
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ListenError(settings.host, settings.port, error.strerror or str(error)) from error
    return listener


def address_of(listener: socket.socket) -> str:
    """URL under which this machine reaches a bound socket."""
    host, port = listener.getsockname()[:2]
    host = _ANY_ADDRESS.get(host, host)
    # RFC 3986 3.2.2: an IPv6 address stands in brackets.
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
