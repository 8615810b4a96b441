"""`tell serve` and `tell migrate`: run the gateway, and bring its database to this version."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Annotated

import typer

from gateway.commands.common import ConfigOption, clock_of, failures
from gateway.databases import open_database
from gateway.logs import configure_logging
from gateway.secrets import load_secrets
from gateway.server import serve as run_server
from gateway.settings import GatewaySettings, read_settings
from gateway.workers.control import Post
from gateway.workers.supervisor import Supervisor, own_command
from gateway.workers.worker import work


def register(app: typer.Typer) -> None:
    """Add the commands to `tell`."""
    app.command()(serve)
    app.command()(migrate)
    app.command(hidden=True)(worker)


def serve(
    context: typer.Context,
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="In place of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="In place of server.port.", min=0)] = None,
    workers: Annotated[
        int | None, typer.Option(help="In place of server.workers.", min=1, max=64)
    ] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    with failures():
        settings = _with(read_settings(config, os.environ), host=host, port=port, workers=workers)
        configure_logging(settings.logging)
        secrets = load_secrets(settings)
        if settings.server.workers == 1:
            asyncio.run(run_server(settings, secrets, clock_of(context), _announce, os.environ))
            return
        command = [*own_command(sys.argv[1:], sys.orig_argv, sys.executable), "worker"]
        if config is not None:
            command += ["--config", str(config)]
        asyncio.run(Supervisor(settings, command, os.environ, _announce).run())


def worker(context: typer.Context, post: str, config: ConfigOption = None) -> None:
    """Answer requests; `tell serve` alone starts this, and says in *post* where."""
    with failures():
        settings = read_settings(config, os.environ)
        configure_logging(settings.logging)
        secrets = load_secrets(settings)
        clock = clock_of(context)
        asyncio.run(work(settings, secrets, clock, os.environ, Post.load(post)))


def migrate(config: ConfigOption = None) -> None:
    """Bring the database's tables to this version, and make it where there is none."""
    with failures():
        settings = read_settings(config, os.environ)
        configure_logging(settings.logging)
        asyncio.run(_migrate(settings))
        typer.echo("The database is of this version.")


async def _migrate(settings: GatewaySettings) -> None:
    database = await open_database(settings.database)
    await database.close()


def _with(settings: GatewaySettings, **given: str | int | None) -> GatewaySettings:
    server = {name: value for name, value in given.items() if value is not None}
    return settings.model_copy(update={"server": settings.server.model_copy(update=server)})


def _announce(address: str) -> None:
    typer.echo(f"Tell listens on {address}")
