"""Serving an application of aiohttp for a bench, until SIGTERM."""

from __future__ import annotations

import asyncio
import signal

from aiohttp import web


async def serve(app: web.Application, name: str) -> None:
    """Serve *app* on a free port of loopback, and say where, as demo/services waits for it."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        print(f"{name} listens on http://{host}:{port}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()
