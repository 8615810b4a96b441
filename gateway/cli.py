"""The `tell` command: the entry point that names the real clock and the real environment."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from gateway.commands import backup, keys, privacy, purchases, screenings, serve

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def tell(context: typer.Context) -> None:
    """Tell: audio description in sync with the film."""
    context.obj = _now


for command in (serve, keys, purchases, screenings, privacy, backup):
    command.register(app)


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
