"""`tell forget`: erase a listener, or a purchase, with all that is known of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from catalog.listeners.privacy import Privacy
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


def register(app: typer.Typer) -> None:
    """Add the command to `tell`."""
    app.command("forget")(forget)


def forget(
    context: typer.Context,
    listener: Annotated[str, typer.Argument(help="The listener's id.")] = "",
    purchase: Annotated[
        str, typer.Option("--purchase", help="A correlation_id, or the partner's purchase_id.")
    ] = "",
    environment: EnvironmentOption = None,
    config: ConfigOption = None,
) -> None:
    """Erase a listener with her tickets, or one purchase whoever holds it, now and for good."""
    with failures():
        if bool(listener) == bool(purchase):
            raise SettingsError("name a listener, or a purchase by --purchase")
        if listener and environment is not None:
            raise SettingsError("--environment goes with --purchase alone")
        name = environment_of(environment)
        settings = read_settings(config, os.environ)
        configure_logging(settings.logging)
        typer.echo(asyncio.run(_forget(settings, clock_of(context), listener, purchase, name)))


async def _forget(
    settings: GatewaySettings,
    clock: Callable[[], datetime],
    listener: str,
    purchase: str,
    environment: str | None,
) -> str:
    """Erase, and say what was erased."""
    database = await open_database(settings.database)
    try:
        privacy = Privacy(database, clock)
        if purchase:
            erased = await privacy.forget_purchase(purchase, environment)
            return f"Erased: {erased} {'purchase' if erased == 1 else 'purchases'}."
        forgotten = await privacy.forget_listener(listener)
    finally:
        await database.close()
    # No number: how many tickets she had is nobody's business.
    kept = " Tickets that others hold too are theirs now." if forgotten.kept else ""
    return f"Erased: the listener and her tickets.{kept}"
