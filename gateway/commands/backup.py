"""`tell backup` and `tell restore`: save the database, and bring it back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import typer

from catalog.listeners.privacy import told_count
from catalog.store.database import Database
from gateway.backups import Backup, Backups, Restored
from gateway.commands.common import ConfigOption, clock_of, failures
from gateway.databases import open_database
from gateway.errors import BackupError
from gateway.logs import configure_logging
from gateway.settings import GatewaySettings, check_backup_place, read_settings
from media.errors import MediaError
from media.settings import SettingsError
from media.storages import open_storage

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the commands to `tell`."""
    app.command()(backup)
    app.command()(restore)


def backup(
    context: typer.Context,
    to: Annotated[
        str | None, typer.Option(help="A folder or s3://<bucket>/<prefix>, in place of backups.to.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Save the database while Tell runs, and remove backups that are past their time."""
    with failures():
        settings = _settings(config)
        place = _place(settings, to)
        backups = _backups(settings, place, clock_of(context))

        async def work(database: Database) -> tuple[Backup, list[str]]:
            made = await backups.make(database)
            return made, await backups.prune(timedelta(days=settings.backups.keep_days))

        made, removed = _run(place, _with_database(settings, work))
        typer.echo(f"{backups.where(made.name)}: {_size(made)}, SHA-256 {made.sha256}")
        for name in removed:
            typer.echo(f"{backups.where(name)}: older than {settings.backups.keep_days} days, gone")


def restore(
    context: typer.Context,
    from_: Annotated[
        str | None,
        typer.Option("--from", help="A folder or s3://<bucket>/<prefix>, in place of backups.to."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Which; without it the newest.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Put it in the place of what the database holds.")
    ] = False,
    list_only: Annotated[
        bool, typer.Option("--list", help="Only say which backups there are.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Bring the database back to a backup, all of it or nothing. Stop `tell serve` first."""
    with failures():
        settings = _settings(config)
        place = _place(settings, from_)
        backups = _backups(settings, place, clock_of(context))
        if list_only:
            for each in _run(place, backups.all()):
                typer.echo(
                    f"{backups.where(each.name)}: {_size(each)}, {each.taken_at.isoformat()}"
                )
            return

        async def work(database: Database) -> Restored:
            return await backups.restore(database, name, force=force)

        restored = _run(place, _with_database(settings, work))
        typer.echo(f"{backups.where(restored.backup.name)}: restored")
        for table, rows in restored.rows.items():
            typer.echo(f"  {table}: {told_count(rows)}")


def _settings(config: ConfigOption) -> GatewaySettings:
    # A backup tells who cannot see: whatever this process writes is for its owner's eyes.
    os.umask(0o077)
    settings = read_settings(config, os.environ)
    configure_logging(settings.logging)
    return settings


def _place(settings: GatewaySettings, option: str | None) -> str:
    try:
        return check_backup_place(settings.backups.to if option is None else option)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _backups(settings: GatewaySettings, place: str, clock: Callable[[], datetime]) -> Backups:
    media = settings.media.model_copy(update={"root": place})
    return Backups(open_storage(media, os.environ, clock), clock)


async def _with_database(settings: GatewaySettings, work: Callable[[Database], Awaitable[T]]) -> T:
    database = await open_database(settings.database)
    try:
        return await work(database)
    finally:
        await database.close()


def _run(place: str, work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end; a storage that fails is a BackupError."""
    try:
        return asyncio.run(work)
    except MediaError as error:
        raise BackupError(f"{place}: {error}") from error


def _size(made: Backup) -> str:
    return f"{made.size_bytes:,} bytes"
