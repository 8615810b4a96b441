"""The peer of bench/ranges.py: the same files by aiohttp's own FileResponse, and the same token.

`python -m bench.file_response <signing.keys> <folder of the track>` serves until SIGTERM.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from bench.serving import serve
from media.tokens import Keyring, Tokens


async def main(keys: Path, folder: Path) -> None:
    """Verify each token and answer by FileResponse; no database, no log, no metrics."""
    tokens = Tokens(Keyring.load(keys))

    async def send(request: web.Request) -> web.FileResponse:
        tokens.read_stream_token(request.match_info["token"], datetime.now(UTC))
        return web.FileResponse(folder / f"{request.match_info['rendition']}.mp4")

    app = web.Application()
    app.router.add_get("/stream/{token}/{rendition:[a-z0-9]+-[0-9]+k}.mp4", send)
    await serve(app, "FileResponse")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
