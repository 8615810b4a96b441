"""`tell keys`: make the key files, and the webhook secrets that the partners sign with.

In place of an environment, `media` names the keys of sound's addresses (media_keys.py).
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from catalog.keys.webhook_keys import KeyStore, WebhookKey
from catalog.keys.webhooks import new_secret, read_secret
from catalog.models import Screening
from catalog.purchases.tickets import Tickets
from catalog.store.database import Database
from gateway.commands import media_keys
from gateway.commands.common import ConfigOption, clock_of, failures
from gateway.logs import configure_logging
from gateway.secrets import (
    init_keys,
    load_master,
    load_private_secrets,
    webhook_text,
    write_private,
)
from gateway.settings import GatewaySettings, check_environment, read_settings
from media.settings import SettingsError

T = TypeVar("T")

_SPAN = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

EnvironmentArgument = Annotated[
    str,
    typer.Argument(
        help="Name of its partners table in config.toml, such as local; or media, for Tell's own "
        "keys of sound's addresses."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Write the secret to this new file (0600), and show it nowhere."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `tell`."""
    keys = typer.Typer(
        help="Make the key files and the partners' webhook secrets.", no_args_is_help=True
    )
    keys.command("init")(keys_init)
    keys.command("new")(keys_new)
    keys.command("list")(keys_list)
    keys.command("rotate")(keys_rotate)
    keys.command("revoke")(keys_revoke)
    keys.command("prune")(keys_prune)
    keys.command("import")(keys_import)
    app.add_typer(keys, name="keys")


def keys_init(config: ConfigOption = None) -> None:
    """Make the signing keys, the master key, and each partner's secret, where they are missing."""
    with failures():
        settings = read_settings(config, os.environ)
        for path, made in init_keys(settings.secrets, settings.partners):
            typer.echo(f"{path}: {'made' if made else 'is there already, kept'}")


def keys_new(
    context: typer.Context,
    environment: EnvironmentArgument,
    out: OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a webhook secret beside those that are good, and show it this once."""
    with failures():
        settings, name = _settings(config, environment)
        _hand_out(context, settings, name, out, lambda store, secret: store.add(name, secret))


def keys_rotate(
    context: typer.Context,
    environment: EnvironmentArgument,
    overlap: Annotated[
        str, typer.Option(help="So long the old ones stay good: 30m, 12h, 7d; 0s ends them now.")
    ] = "7d",
    out: OutOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a webhook secret and let the old ones retire; show the new one this once.

    Of media, the next of two steps: make a key that all gateways learn, then sign by it.
    """
    with failures():
        settings, name = _settings(config, environment, media=True)
        if name == media_keys.MEDIA:
            if out is not None:
                raise SettingsError("media keys are for Tell alone: there is nothing for --out")
            media_keys.rotate(settings, clock_of(context)())
            return
        span = _span(overlap)
        _hand_out(
            context, settings, name, out, lambda store, secret: store.rotate(name, secret, span)
        )


def keys_list(
    context: typer.Context,
    environment: Annotated[str | None, typer.Argument(help="All of them without one.")] = None,
    config: ConfigOption = None,
) -> None:
    """List webhook secrets by name: what each is good for, never what it is."""
    with failures():
        settings, name = _settings(config, environment, media=True)
        if name == media_keys.MEDIA:
            media_keys.show(settings)
            return
        clock = clock_of(context)
        keys = _with_store(settings, clock, lambda store: store.keys(name or None))
        if not keys:
            typer.echo("There is no webhook key; make one with `tell keys new <environment>`.")
        for key in keys:
            typer.echo(_line(key, clock()))


def keys_revoke(
    context: typer.Context,
    environment: EnvironmentArgument,
    key: Annotated[str, typer.Argument(help="Its name in `tell keys list`, such as w1.")],
    config: ConfigOption = None,
) -> None:
    """End a webhook secret, or a media key, now: running gateways refuse it within seconds."""
    with failures():
        settings, name = _settings(config, environment, media=True)
        if name == media_keys.MEDIA:
            media_keys.revoke(settings, key)
            return
        clock = clock_of(context)

        async def revoke(store: KeyStore) -> bool:
            await store.revoke(name, key)
            return any(each.verifies(clock()) for each in await store.keys(name))

        left = _with_store(settings, clock, revoke)
        typer.echo(f"{name} {key}: revoked")
        if not left:
            typer.echo(
                f"{name} has no good key now: what it sends is refused until "
                f"`tell keys new {name}`",
                err=True,
            )


def keys_prune(
    context: typer.Context,
    environment: Annotated[str, typer.Argument(help="media: the others end by their dates.")],
    config: ConfigOption = None,
) -> None:
    """Drop the media keys whose last token has died."""
    with failures():
        settings, name = _settings(config, environment, media=True)
        if name != media_keys.MEDIA:
            raise SettingsError(f"{name}: only media is pruned; webhook secrets end by themselves")
        configure_logging(settings.logging)

        async def sold(before: datetime, ends_after: datetime) -> list[Screening]:
            async with _opened(settings) as database:
                return await Tickets(database).sold_screenings(before, ends_after)

        media_keys.prune(
            settings,
            clock_of(context)(),
            lambda before, ends_after: asyncio.run(sold(before, ends_after)),
        )


def keys_import(
    context: typer.Context,
    environment: EnvironmentArgument,
    file: Annotated[Path, typer.Argument(help="whsec_ lines, as in webhook-<environment>.keys.")],
    config: ConfigOption = None,
) -> None:
    """Take the secrets of a file into the database, those that it does not know yet."""
    with failures():
        settings, name = _settings(config, environment)
        secrets = load_private_secrets(file)
        names = _with_store(
            settings, clock_of(context), lambda store: store.import_secrets(name, secrets)
        )
        for each in names:
            typer.echo(f"{name} {each}: imported")
        if not names:
            typer.echo(f"{file}: all of it is known already")


def _hand_out(
    context: typer.Context,
    settings: GatewaySettings,
    environment: str,
    out: Path | None,
    keep: Callable[[KeyStore, bytes], Awaitable[str]],
) -> None:
    """Make a secret, *keep* it, and show it once: in the file, or on stdout where there is none."""
    text = new_secret()
    secret = read_secret(text)
    if out is not None:
        # First: a secret that is kept and cannot be handed out would be lost.
        write_private(out, webhook_text(text))
    try:
        key = _with_store(settings, clock_of(context), lambda store: keep(store, secret))
    except BaseException:
        if out is not None:
            out.unlink(missing_ok=True)
        raise
    if out is not None:
        typer.echo(f"{environment} {key}: made, in {out}")
        return
    typer.echo(f"{environment} {key}: made; this is shown once:", err=True)
    typer.echo(text)


def _with_store(
    settings: GatewaySettings,
    clock: Callable[[], datetime],
    work: Callable[[KeyStore], Awaitable[T]],
) -> T:
    configure_logging(settings.logging)
    master = load_master(settings.secrets)

    async def run() -> T:
        async with _opened(settings) as database:
            return await work(KeyStore(database, master, clock))

    return asyncio.run(run())


@asynccontextmanager
async def _opened(settings: GatewaySettings) -> AsyncIterator[Database]:
    database = await Database.open(settings.database.url)
    try:
        yield database
    finally:
        await database.close()


def _settings(
    config: Path | None, environment: str | None, *, media: bool = False
) -> tuple[GatewaySettings, str]:
    """The settings, and the environment's name once it is one, or *media*; raises SettingsError."""
    settings = read_settings(config, os.environ)
    if environment is None:
        return settings, ""
    if environment == media_keys.MEDIA and not media:
        raise SettingsError("media has no webhook secret: see `tell keys rotate media`")
    try:
        return settings, check_environment(environment)
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise SettingsError(f"--overlap {text[:20]!r}: write a number and s, m, h or d, such as 7d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _line(key: WebhookKey, now: datetime) -> str:
    state = key.state(now)
    told = f"{key.environment}  {key.name}  {state}  made {_minute(key.created_at)}"
    if key.revoked_at is not None:
        return f"{told}, revoked {_minute(key.revoked_at)}"
    if key.retires_at is not None:
        return f"{told}, retires {_minute(key.retires_at)}"
    return told


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
