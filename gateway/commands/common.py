"""What the commands share: the --config option, the clock, and failures said in one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from catalog.errors import CatalogError
from gateway.errors import GatewayError
from gateway.settings import check_environment
from media.settings import SettingsError
from media.tokens import SigningKeyError

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="config.toml; else $TELL_CONFIG, else ./config.toml."),
]

EnvironmentOption = Annotated[
    str | None,
    typer.Option(
        "--environment", help="Only of this partners table in config.toml, such as local."
    ),
]


def environment_of(option: str | None) -> str | None:
    """What EnvironmentOption says; raises SettingsError where that cannot be a table's name."""
    if option is None:
        return None
    try:
        return check_environment(option)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def clock_of(context: typer.Context) -> Callable[[], datetime]:
    """The clock that the entry point named."""
    clock: Callable[[], datetime] = context.find_root().obj
    return clock


@contextmanager
def failures() -> Iterator[None]:
    """Say in one line what a person can mend; anything else is a bug and shows its traceback."""
    try:
        yield
    except (SettingsError, SigningKeyError, GatewayError, CatalogError) as error:
        typer.echo(f"tell: {error}", err=True)
        raise typer.Exit(1) from error
