"""Running AMC-clone: bind, say where, serve until told to stop, and leave nothing open."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import structlog
from aiohttp import web

from amc_clone.errors import ListenError

# Requests that still run at the end get so long; those that wait for Tell are let go at once.
_DRAIN_S = 5.0

_log = structlog.get_logger(__name__)


async def serve(
    app: web.Application, host: str, port: int, announce: Callable[[str], None]
) -> None:
    """Serve *app* until SIGTERM or SIGINT; *announce* gets the address once it answers.

    With *port* 0 the system chooses one. Raises ListenError, and DatabaseError where the database
    cannot be opened.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Our own log line names the route: aiohttp's would hold every purchase_id.
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_DRAIN_S)
    try:
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ListenError(host, port, error.strerror or str(error)) from error
        address = _address(runner)
        announce(address)
        _log.info("listening", address=address)
        await stop.wait()
        _log.info("stopping")
    finally:
        await runner.cleanup()


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
