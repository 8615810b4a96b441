"""/healthz and /readyz."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from catalog.errors import DatabaseError
from gateway.health import Probe, ProbeError, Readiness
from tests.gateway.town import Town


async def fine() -> None:
    """A part that works."""


async def broken() -> None:
    """A part that says what is wrong."""
    raise ProbeError("out of order")


async def no_database() -> None:
    """A part that fails with an error of its own."""
    raise DatabaseError("sqlite:////secret/path: no such file")


@pytest.mark.parametrize(
    ("needed", "other", "status"),
    [
        (fine, fine, "ready"),
        (fine, broken, "degraded"),
        (broken, fine, "unready"),
        (broken, broken, "unready"),
        (no_database, fine, "unready"),
    ],
)
async def test_a_needed_part_decides(needed: object, other: object, status: str) -> None:
    """Another part's failure is shown and costs nothing."""
    probes = {"a": Probe(needed, needed=True), "b": Probe(other, needed=False)}  # type: ignore[arg-type]  # parametrize knows no types
    ready = await Readiness(probes).check()
    assert ready.status == status
    assert "secret" not in ready.model_dump_json()


async def test_all_parts_of_a_running_tell_are_ready(town: Town) -> None:
    """Database, storage, keys and partner, each by its name."""
    assert json.loads(await town.text("/healthz")) == {"status": "ok"}
    ready = json.loads(await town.text("/readyz"))
    assert ready["status"] == "ready"
    assert list(ready["checks"]) == [
        "database",
        "storage",
        "webhook-keys",
        "partner.local",
        "breaker.local",
    ]
    assert all(check["ok"] for check in ready["checks"].values())


async def test_a_partner_that_is_down_only_degrades(town: Town) -> None:
    """Purchases are still taken and tracks still play."""
    await town.amc.close()
    ready = json.loads(await town.text("/readyz"))
    assert ready["status"] == "degraded"
    assert ready["checks"]["partner.local"] == {
        "ok": False,
        "needed": False,
        "detail": "cannot be reached",
    }


async def test_a_storage_that_is_gone_is_503(town_with_own_tracks: Town) -> None:
    """Requests should go to another replica; the process is alive all the same."""
    town = town_with_own_tracks
    shutil.rmtree(Path(town.settings.media.root))
    async with town.tell.get("/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["checks"]["storage"]["ok"] is False
    await town.text("/healthz")
