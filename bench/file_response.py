"""The peer of bench/ranges.py: the same files by aiohttp's own FileResponse, and the same token.

`python -m bench.file_response <signing.keys> <folder of the track>` serves until SIGTERM.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from media.tokens import Keyring, Tokens


async def main(keys: Path, folder: Path) -> None:
    """Verify each token and answer by FileResponse; no database, no log, no metrics."""
    tokens = Tokens(Keyring.load(keys))

    async def send(request: web.Request) -> web.FileResponse:
        tokens.read_stream_token(request.match_info["token"], datetime.now(UTC))
        return web.FileResponse(folder / f"{request.match_info['rendition']}.mp4")

    app = web.Application()
    app.router.add_get("/stream/{token}/{rendition:[a-z0-9]+-[0-9]+k}.mp4", send)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        print(f"FileResponse listens on http://{host}:{port}", flush=True)
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
