"""Running the gateway: bind, say where, serve until told to stop, and leave nothing open."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from aiohttp import web

from catalog.workers import spawn
from gateway.app import create_app
from gateway.delivery.protocol import Runner
from gateway.errors import ListenError
from gateway.keys import ENTITLEMENTS, EVENT_FEED, PUBLIC_URL
from gateway.secrets import Secrets
from gateway.settings import GatewaySettings, ServerSettings
from gateway.workers.notify import Notifier

log = structlog.get_logger(__name__)

BACKLOG = 1024
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (recognised, not bound)
# A player asks every six seconds: who has not asked for so long is not in the middle of anything.
# Nor is an nginx in front, which lets go of its own idle connections sooner (keepalive_timeout of
# the upstreams in deploy/nginx): where we were first, a POST could just be on its way into one,
# which nginx does not send again (RFC 9110 9.2.2).
IDLE_S = 45.0
_LOOK_EVERY_S = 0.1
_LEAST_DRAIN_S = 0.001


async def serve(
    settings: GatewaySettings,
    secrets: Secrets,
    clock: Callable[[], datetime],
    announce: Callable[[str], None],
    environ: Mapping[str, str],
) -> None:
    """Serve in this process until SIGTERM or SIGINT.

    *announce* is given the address once requests are answered. *environ* holds the credentials of
    an S3 storage. Raises ListenError, and DatabaseError where the database cannot be opened.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if not os.isatty(0):
        # Nobody could take over. A terminal that is closed still ends what was started from it.
        loop.add_signal_handler(signal.SIGHUP, _not_reloaded)
    notifier = Notifier(environ)
    app = create_app(settings, clock=clock, secrets=secrets, environ=environ)
    gateway = RunningGateway(app, settings.server)
    listener = bind(settings.server)
    try:
        address = address_of(listener)
        # Before the first request can come, since a purchase is answered with it.
        if not settings.server.public_url or settings.server.port == 0:
            app[PUBLIC_URL].value = address
        await gateway.start()
        await gateway.accept(listener)
        settling = spawn(gateway.settle(), "settling")
        announce(address)
        notifier.ready()
        log.info("listening", address=address, public_url=app[PUBLIC_URL].value)
        async with _signs_of_life(notifier):
            await stop.wait()
        settling.cancel()
        notifier.stopping()
        log.info("stopping", drain_s=settings.server.drain_s)
    finally:
        await gateway.close()
        listener.close()


class RunningGateway:
    """A gateway that answers on as many listening sockets as it is given.

    Made before the application is started.
    """

    def __init__(self, app: web.Application, settings: ServerSettings) -> None:
        self._app = app
        # The middleware writes the access log: aiohttp's would hold every token.
        self._runner = Runner(
            app,
            access_log=None,
            handle_signals=False,
            # The library takes 0 for no limit at all.
            shutdown_timeout=max(settings.drain_s, _LEAST_DRAIN_S),
        )
        self._retiring = False
        app.on_response_prepare.append(self._say_farewell)

    async def start(self) -> None:
        """Start every part; raises DatabaseError and what else parts may raise."""
        await self._runner.setup()

    async def settle(self) -> None:
        """Keep Python's collector from what stays: it would go through all of it again and again.

        What was made until all tickets of the next hours are read is as good as for ever; to look
        through it takes a tenth of a second, in which nobody is answered. For a process that is a
        gateway and nothing else.
        """
        await self._app[ENTITLEMENTS].has_read_ahead()
        gc.freeze()

    async def accept(self, listener: socket.socket) -> web.BaseSite:
        """Take connections from *listener*, until the site is stopped, which closes it."""
        door = self._runner.door(listener, BACKLOG)
        await door.start()
        return door

    async def retire(self, limit_s: float) -> None:
        """Take no connection more, and see those that there are to their ends, for *limit_s*.

        Each is closed with its next answer, which says so: a client that is told does not send
        another request into a closing connection, and none fails. Event streams end at once, and
        their listeners come back elsewhere.
        """
        for site in list(self._runner.sites):
            await site.stop()
        self._retiring = True
        self._runner.rest()
        self._app[EVENT_FEED].close()
        now = asyncio.get_running_loop().time
        end, idle_until = now() + limit_s, now() + min(limit_s, IDLE_S)
        while now() < end:
            # Before the first look: what was just taken shows among the connections a little later.
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._runner.is_empty:
                break
            if now() >= idle_until:
                self._runner.close_idle()

    async def close(self) -> None:
        """Let running answers finish; take no request more; stop every part.

        They have `drain_s`, and downloads `download_drain_s`.
        """
        await self._runner.cleanup()

    async def _say_farewell(self, _request: web.Request, response: web.StreamResponse) -> None:
        if self._retiring:
            # RFC 9112 9.6.
            response.force_close()
            response.headers["Connection"] = "close"


@asynccontextmanager
async def _signs_of_life(notifier: Notifier) -> AsyncIterator[None]:
    """Tell the watchdog again and again that the loop turns."""

    async def give(every_s: float) -> None:
        while True:
            notifier.alive()
            await asyncio.sleep(every_s)

    giving = None
    if notifier.watchdog_s is not None:
        giving = spawn(give(notifier.watchdog_s), "watchdog")
    try:
        yield
    finally:
        if giving is not None:
            giving.cancel()


def _not_reloaded() -> None:
    log.warning("not_reloaded", mend="set server.workers to 2 or more")


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
