"""Tokens that were found good: a key that is dropped meanwhile takes them with it."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from pathlib import Path

import pytest

from gateway import keys
from media.tokens import Keyring, StreamClaims
from media.track import Track
from tests.gateway.town import PATIENCE_S, Town

OTHER_KEYS = Keyring([("s9", bytes(32))])


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Nothing of this is in a database."""
    return f"sqlite:///{tmp_path}/tell.db"


async def test_a_key_dropped_while_a_token_is_checked_opens_nothing_later(
    town_with_own_tracks: Town, track: Track
) -> None:
    """The request that waited for the storage is answered; by the same token, no other one is."""
    town = town_with_own_tracks
    app = town.tell.app
    assert app is not None
    # Sold and not claimed, so that nobody has read the track yet.
    sold = await town.sell(await town.show())
    await town.is_enriched(sold.correlation_id)
    standing = await app[keys.ENTITLEMENTS].known(sold.correlation_id)
    assert standing.ticket.screening is not None
    token = app[keys.TOKENS].stream_token(
        StreamClaims(
            *(sold.correlation_id, standing.ticket.screening.id),
            *(track.movie_id, track.language, track.version),
            town.clock.now + timedelta(hours=2),
        )
    )

    async def ask() -> int:
        url, headers = f"/stream/{token}/aac-64k.mp4", {"Range": "bytes=0-9"}
        async with town.tell.get(url, headers=headers) as answer:
            return answer.status

    described = town.folder / "media" / track.prefix / "track.json"
    text = described.read_bytes()
    described.unlink()
    # Who reads a pipe waits for its writer, and the writer for its reader.
    os.mkfifo(described)
    asked = asyncio.create_task(ask())
    try:
        async with asyncio.timeout(PATIENCE_S):
            pipe = await asyncio.to_thread(described.open, "wb")
            with pipe:
                app[keys.TOKENS].use_media(OTHER_KEYS)
                app[keys.PASSES].forget_all()
                pipe.write(text)
            assert await asked == 206
            assert await ask() == 403
    finally:
        # Nobody waits on for a writer that has failed.
        os.close(os.open(described, os.O_RDWR))
        asked.cancel()
