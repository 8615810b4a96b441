"""The `amc-clone` command: the entry point that names the real clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from amc_clone.app import create_app
from amc_clone.database import Database
from amc_clone.errors import AmcError
from amc_clone.logs import configure_logging
from amc_clone.sale_client import buy
from amc_clone.seeding import DEFAULT_SEED, Seeded
from amc_clone.seeding import seed as seed_database
from amc_clone.server import serve as run_server
from amc_clone.webhooks import load_signing_secret

app = typer.Typer(
    help="AMC-clone: a simulated cinema chain that sells tickets and tells Tell.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DatabaseOption = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="AMC_CLONE_DATABASE",
        help="An SQLite file, or mariadb://user:password@host:3306/name.",
        # A URL in the environment may hold a password.
        show_envvar=False,
    ),
]
# Where the README's commands begin: one machine, Tell and AMC-clone on their own default ports.
_DATABASE = "var/amc-clone.db"
_TELL_URL = "http://127.0.0.1:8080"
_OWN_URL = "http://127.0.0.1:8081"
SeedNumberOption = Annotated[int, typer.Option(help="Another number draws up another schedule.")]


@app.command()
def serve(
    key_id: Annotated[str, typer.Option(help="Sent as x-api-key: names our secrets at Tell.")],
    secret_file: Annotated[
        Path, typer.Option(help="whsec_<base64>, one a line, # for comments; the last one signs.")
    ],
    database: DatabaseOption = _DATABASE,
    tell_url: Annotated[str, typer.Option(help="Where Tell listens.")] = _TELL_URL,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.", min=0, max=65535)] = 8081,
    seed: Annotated[
        bool, typer.Option("--seed", help="First add the chain and two weeks of screenings.")
    ] = False,
    seed_number: SeedNumberOption = DEFAULT_SEED,
) -> None:
    """Sell tickets until SIGTERM or Ctrl-C."""
    configure_logging()
    with _failures():
        application = create_app(
            database_url=database,
            tell_url=tell_url,
            key_id=key_id,
            secret=load_signing_secret(secret_file),
            clock=_now,
            seed_data=seed,
            seed_number=seed_number,
        )
        asyncio.run(run_server(application, host, port, _announce))


@app.command()
def seed(
    database: DatabaseOption = _DATABASE, seed_number: SeedNumberOption = DEFAULT_SEED
) -> None:
    """Add what is missing of the chain and of two weeks of screenings around now."""
    configure_logging()
    with _failures():
        added = asyncio.run(_seed(database, seed_number))
        typer.echo(
            f"Added {added.theaters} theaters, {added.movies} movies "
            f"and {added.screenings} screenings."
        )


@app.command()
def sell(
    showtime_id: Annotated[str, typer.Option(help="The screening to sell a ticket for.")],
    url: Annotated[str, typer.Option(help="Where AMC-clone listens.")] = _OWN_URL,
    wait_s: Annotated[
        float, typer.Option(help="How long to wait for Tell's answer.", min=0)
    ] = 30.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole purchase as JSON.")
    ] = False,
) -> None:
    """Sell one ticket through a running service and print its listen link.

    The exit code is 2 when the ticket is sold and Tell has not answered yet, or has refused it.
    """
    with _failures():
        purchase = asyncio.run(buy(url, showtime_id, wait_s))
    if as_json:
        typer.echo(json.dumps(purchase))
    elif purchase["listen_url"] is not None:
        typer.echo(purchase["listen_url"])
    else:
        typer.echo(
            f"sold, but Tell's answer is {purchase['status']}; "
            f"see {url.rstrip('/')}{purchase['page']}",
            err=True,
        )
    if purchase["listen_url"] is None:
        raise typer.Exit(2)


async def _seed(database: str, seed_number: int) -> Seeded:
    opened = await Database.open(database)
    try:
        return await seed_database(opened, _now(), seed_number)
    finally:
        await opened.close()


def _now() -> datetime:
    return datetime.now(UTC)


def _announce(address: str) -> None:
    typer.echo(f"AMC-clone listens on {address}")


@contextmanager
def _failures() -> Iterator[None]:
    """Say in one line what a person can mend; anything else is a bug and shows its traceback."""
    try:
        yield
    except AmcError as error:
        typer.echo(f"amc-clone: {error}", err=True)
        raise typer.Exit(1) from error


def main() -> None:
    """Entry point of the console script."""
    app()
