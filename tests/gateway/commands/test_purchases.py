"""`tell purchases` and `tell forget`, beside a running gateway."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from typer.testing import CliRunner

from catalog.store import schema
from gateway import keys
from gateway.cli import app
from tests.gateway.processes import write_config
from tests.gateway.town import Sold, Town


@pytest.fixture
def config(town: Town) -> Path:
    """The town's config.toml."""
    return write_config(town.folder / "config.toml", town.settings)


@pytest.fixture(autouse=True)
def logging_of_before() -> Iterator[None]:
    """The commands set up logging for a process of their own; the town's goes to stderr too."""
    root, settings = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**settings)


async def run(config: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, run beside the town in another thread."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--config", str(config)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


async def tell(config: Path, *arguments: str) -> str:
    """Stdout of a command that succeeds."""
    code, out, err = await run(config, *arguments)
    assert code == 0, err
    return out


async def failing(config: Path, *arguments: str) -> str:
    """What a command says that fails."""
    code, out, err = await run(config, *arguments)
    assert (code, out) == (1, "")
    return err


async def park(town: Town) -> Sold:
    """A purchase for a showing that AMC-clone does not have, parked after an hour of 404."""
    screening = await town.show()
    body = town.notice(screening) | {"showtime_id": "st-unknown"}
    data = json.dumps(body).encode()
    async with town.tell.post("/tell/purchase", data=data, headers=town.sign(data)) as answer:
        told = await answer.json()
    await settle(town)
    town.clock.advance(hours=2)
    await settle(town)
    return Sold(told["correlation_id"], told["listen_url"].partition("#")[2], data)


async def settle(town: Town) -> None:
    """All that is due is done."""
    enrichment = town.tell.app[keys.ENRICHMENT]
    enrichment.kick()
    await enrichment.idle()


async def listed(config: Path, *options: str) -> list[dict[str, Any]]:
    """The JSON of `tell purchases list`."""
    found: list[dict[str, Any]] = json.loads(
        await tell(config, "purchases", "list", "--json", *options)
    )
    return found


async def test_parked_purchases_are_listed_and_tried_again(town: Town, config: Path) -> None:
    """An operator sees what is wrong and since when; retried, the purchase waits like a new one."""
    sold = await park(town)
    good = await town.sell(await town.show())
    await town.is_enriched(good.correlation_id)
    (parked,) = await listed(config, "--state", "parked")
    assert parked["correlation_id"] == sold.correlation_id
    assert (parked["state"], parked["failure_code"]) == ("parked", "screening-unknown")
    assert parked["failing_since"] == "2027-03-05T19:30:00+00:00"
    header, line = (await tell(config, "purchases", "list")).splitlines()
    assert line.split()[:5] == [sold.correlation_id, "local", "parked", "st-unknown", "2"]
    assert line.endswith("screening-unknown: the partner answered 404")
    assert header.index("since") == line.index("2027-03-05 19:30Z")
    assert 'tell_purchases_parked_total{code="screening-unknown"} 1.0' in await town.text(
        "/metrics"
    )
    out = await tell(config, "purchases", "retry", sold.correlation_id)
    assert out == f"{sold.correlation_id}: will be looked up again\n"
    await settle(town)
    (waiting,) = await listed(config)
    assert (waiting["state"], waiting["attempts"]) == ("accepted", 1)
    town.clock.advance(hours=2)
    await settle(town)
    assert await listed(config, "--environment", "other") == []
    out = await tell(config, "purchases", "retry", "--all")
    assert out == f"{sold.correlation_id}: will be looked up again\n"
    assert await tell(config, "purchases", "retry", "--all") == "No purchase is parked.\n"


async def test_what_cannot_be_retried_is_said(town: Town, config: Path) -> None:
    """An unknown id, one that is a ticket already, and none."""
    sold = await town.sell(await town.show())
    await town.is_enriched(sold.correlation_id)
    assert "is enriched" in await failing(config, "purchases", "retry", "purchase-1")
    assert "no purchase p-9" in await failing(config, "purchases", "retry", "p-9")
    assert "--all" in await failing(config, "purchases", "retry")


async def test_a_listener_and_a_purchase_are_forgotten(town: Town, config: Path) -> None:
    """The gateway goes on without them; no number tells how many tickets there were."""
    sold, _ = await town.ticket()
    other, _ = await town.ticket()
    async with town.tell.app[keys.DATABASE].read() as connection:
        listener = await connection.scalar(
            select(schema.claims.c.listener_id).order_by(schema.claims.c.id)
        )
    out = await tell(config, "forget", str(listener))
    assert out == "Erased: the listener and her tickets.\n"
    assert await town.purchases() == 1
    out = await tell(config, "forget", "--purchase", other.correlation_id)
    assert out == "Erased: 1 purchase.\n"
    assert [await town.count(table) for table in (schema.purchases, schema.listeners)] == [0, 0]
    assert "no purchase" in await failing(config, "forget", "--purchase", sold.correlation_id)
    assert "--purchase" in await failing(config, "forget")
