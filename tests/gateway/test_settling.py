"""What a gateway has read at its start is no work for Python's collector any more."""

from __future__ import annotations

import gc
from pathlib import Path

from gateway import keys
from gateway.app import create_app
from gateway.secrets import load_secrets
from gateway.server import RunningGateway
from tests.gateway.town import HandClock, town_settings


async def test_what_was_made_at_the_start_is_not_looked_through_again(
    tmp_path: Path, clock: HandClock
) -> None:
    """Once the tickets are read; what is made later is looked through as ever."""
    settings = town_settings(tmp_path, tmp_path / "media", "http://127.0.0.1:9")
    app = create_app(settings, clock=clock, secrets=load_secrets(settings))
    gateway = RunningGateway(app, settings.server)
    await gateway.start()
    try:
        assert gc.get_freeze_count() == 0
        await gateway.settle()
        assert gc.get_freeze_count() > 10_000
        assert not any(app[keys.ENTITLEMENTS] is each for each in gc.get_objects())
        later: list[list[str]] = [["new"]]
        assert any(later is each for each in gc.get_objects())
    finally:
        # Other tests run in this process.
        gc.unfreeze()
        await gateway.close()
