"""/healthz and /readyz."""

from __future__ import annotations

import asyncio
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
        "serving",
        "background",
        "webhook-keys",
        "partner.local",
        "breaker.local",
        "clock.local",
    ]
    assert all(check["ok"] for check in ready["checks"].values())


WORKERS = {
    "intake": ("serving", "unready"),
    "event feed": ("serving", "unready"),
    "entitlements": ("serving", "unready"),
    "polling": ("background", "degraded"),
    "clock watch": ("background", "degraded"),
    "enrichment": ("background", "degraded"),
    "housekeeping": ("background", "degraded"),
    "webhook keys": ("background", "degraded"),
    "media keys": ("background", "degraded"),
}


@pytest.mark.parametrize("worker", WORKERS)
async def test_a_dead_worker_is_told_of(town: Town, worker: str) -> None:
    """Whatever ended it: by its name, and as a 503 where requests go wrong without it."""
    (task,) = [each for each in asyncio.all_tasks() if each.get_name() == worker]
    task.cancel()
    await asyncio.wait([task])
    async with town.tell.get("/readyz") as answer:
        ready = await answer.json()
    check, status = WORKERS[worker]
    assert answer.status == (503 if status == "unready" else 200)
    assert ready["status"] == status
    assert ready["checks"][check]["detail"] == f"dead, so restart: {worker}"


async def test_a_clock_that_is_not_measured_any_more_degrades(town: Town) -> None:
    """Its bound grows with age, in the metrics too; beyond a second its stamps are worth little."""
    await town.amc.close()
    town.clock.advance(hours=3)
    check = json.loads(await town.text("/readyz"))["checks"]["clock.local"]
    # 100 ppm of three hours, and the little that the bound was before.
    assert (check["ok"], check["needed"]) == (False, False)
    assert check["detail"].startswith("+0.000 s ± 1.08")
    bound = 'tell_partner_clock_bound_seconds{environment="local"} 1.08'
    assert bound in await town.text("/metrics")


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
