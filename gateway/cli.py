"""The `tell` command: the entry point that names the real clock and the real environment."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated

import typer

from gateway.commands import backup, keys, privacy, purchases, screenings, serve
from media.endings import run_to_the_end

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _say_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"tell {version('tell-ad')}")
        raise typer.Exit


@app.callback()
def tell(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say it, and end."),
    ] = False,
) -> None:
    """Tell: audio description in sync with the film."""
    context.obj = _now


for command in (serve, keys, purchases, screenings, privacy, backup):
    command.register(app)


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Entry point of the console script."""
    run_to_the_end(app)


if __name__ == "__main__":
    main()
