"""The `tell` command: the entry point that names the real clock and the real environment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from catalog.database import Database
from catalog.errors import CatalogError
from gateway.errors import GatewayError
from gateway.logs import configure_logging
from gateway.secrets import init_keys, load_secrets, new_webhook_key
from gateway.server import serve as run_server
from gateway.settings import GatewaySettings, check_environment, read_settings
from media.settings import SettingsError
from media.tokens import SigningKeyError

app = typer.Typer(
    help="Tell: audio description in sync with the film.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="Make the key files.", no_args_is_help=True)
app.add_typer(keys, name="keys")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="config.toml; else $TELL_CONFIG, else ./config.toml."),
]


@app.command()
def serve(
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="In place of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="In place of server.port.", min=0)] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    with _failures():
        settings = _with_address(read_settings(config, os.environ), host, port)
        configure_logging(settings.logging)
        secrets = load_secrets(settings)
        asyncio.run(run_server(settings, secrets, _now, _announce))


@app.command()
def migrate(config: ConfigOption = None) -> None:
    """Bring the database's tables to this version, and make it where there is none."""
    with _failures():
        settings = read_settings(config, os.environ)
        configure_logging(settings.logging)
        asyncio.run(_migrate(settings))
        typer.echo("The database is of this version.")


@keys.command("init")
def keys_init(config: ConfigOption = None) -> None:
    """Make the signing keys, and webhook secrets for each partner, where they are missing."""
    with _failures():
        settings = read_settings(config, os.environ)
        for path, made in init_keys(Path(settings.secrets.dir), settings.partners):
            typer.echo(f"{path}: {'made' if made else 'is there already, kept'}")


@keys.command("new")
def keys_new(
    environment: Annotated[str, typer.Argument(help="As in [partners.<environment>].")],
    config: ConfigOption = None,
) -> None:
    """Make the webhook secrets of one AMC-clone environment."""
    with _failures():
        settings = read_settings(config, os.environ)
        try:
            name = check_environment(environment)
        except ValueError as error:
            raise SettingsError(str(error)) from error
        typer.echo(f"{new_webhook_key(Path(settings.secrets.dir), name)}: made")


async def _migrate(settings: GatewaySettings) -> None:
    database = await Database.open(settings.database.url)
    await database.close()


def _with_address(settings: GatewaySettings, host: str | None, port: int | None) -> GatewaySettings:
    given = {"host": host, "port": port}
    server = {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update={"server": settings.server.model_copy(update=server)})


def _now() -> datetime:
    return datetime.now(UTC)


def _announce(address: str) -> None:
    typer.echo(f"Tell listens on {address}")


@contextmanager
def _failures() -> Iterator[None]:
    """Say in one line what a person can mend; anything else is a bug and shows its traceback."""
    try:
        yield
    except (SettingsError, SigningKeyError, GatewayError, CatalogError) as error:
        typer.echo(f"tell: {error}", err=True)
        raise typer.Exit(1) from error


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
