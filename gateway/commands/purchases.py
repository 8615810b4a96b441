"""`tell purchases`: those that are no ticket yet, and another try for those that wait for you."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from catalog.models import PurchaseState
from catalog.purchases.parking import Parking, PurchaseStanding
from gateway.commands.common import (
    ConfigOption,
    EnvironmentOption,
    clock_of,
    environment_of,
    failures,
)
from gateway.databases import open_database
from gateway.logs import configure_logging
from gateway.settings import GatewaySettings, read_settings
from media.settings import SettingsError

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the commands to `tell`."""
    purchases = typer.Typer(
        help="See the purchases that are no ticket yet, and try parked ones again.",
        no_args_is_help=True,
    )
    purchases.command("list")(purchases_list)
    purchases.command("retry")(purchases_retry)
    app.add_typer(purchases, name="purchases")


def purchases_list(
    context: typer.Context,
    state: Annotated[
        PurchaseState | None,
        typer.Option(help="Without it those that are accepted or parked."),
    ] = None,
    environment: EnvironmentOption = None,
    limit: Annotated[int, typer.Option(help="At most so many, the oldest.", min=1)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    config: ConfigOption = None,
) -> None:
    """List purchases, the oldest first, with what is wrong and since when."""
    with failures():
        settings, name = _settings(config, environment)
        found = _with_parking(
            settings,
            clock_of(context),
            lambda parking: parking.standings(state, name, limit=limit),
        )
        if as_json:
            typer.echo(json.dumps([_json(each) for each in found], indent=2))
        elif found:
            typer.echo("\n".join(_lines(found)))
        else:
            typer.echo("There are none.")


def purchases_retry(
    context: typer.Context,
    purchase: Annotated[
        str, typer.Argument(help="Its correlation_id, or the partner's purchase_id.")
    ] = "",
    all_parked: Annotated[bool, typer.Option("--all", help="Every parked purchase.")] = False,
    environment: EnvironmentOption = None,
    config: ConfigOption = None,
) -> None:
    """Have purchases looked up again: a running gateway begins within seconds."""
    with failures():
        if bool(purchase) == all_parked:
            raise SettingsError("name one purchase, or write --all for every parked one")
        settings, name = _settings(config, environment)

        async def retry(parking: Parking) -> list[str]:
            if all_parked:
                return await parking.retry_all(name)
            return await parking.retry(purchase, name)

        retried = _with_parking(settings, clock_of(context), retry)
        for correlation_id in retried:
            typer.echo(f"{correlation_id}: will be looked up again")
        if not retried:
            typer.echo("No purchase is parked.")


def _settings(config: ConfigOption, environment: str | None) -> tuple[GatewaySettings, str | None]:
    settings = read_settings(config, os.environ)
    configure_logging(settings.logging)
    return settings, environment_of(environment)


def _with_parking(
    settings: GatewaySettings,
    clock: Callable[[], datetime],
    work: Callable[[Parking], Awaitable[T]],
) -> T:
    async def run() -> T:
        database = await open_database(settings.database)
        try:
            return await work(Parking(database, clock))
        finally:
            await database.close()

    return asyncio.run(run())


def _json(standing: PurchaseStanding) -> dict[str, object]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(standing).items()
    }


def _lines(found: list[PurchaseStanding]) -> list[str]:
    """A table for eyes and for grep: nothing is cut."""
    rows = [("correlation id", "environment", "state", "showtime", "tries", "since", "why")]
    rows += [
        (
            each.correlation_id,
            each.environment,
            each.state.value,
            each.showtime_id,
            str(each.attempts),
            f"{each.failing_since or each.accepted_at:%Y-%m-%d %H:%M}Z",
            f"{each.failure_code}: {each.failure_detail}" if each.failure_code else "",
        )
        for each in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
