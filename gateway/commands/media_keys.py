"""`tell keys ... media`: rotate the keys that sign the addresses of sound, while people listen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import typer

from catalog.models import Screening
from catalog.screenings.timeline import listening_ends
from gateway.errors import SecretsError
from gateway.live_media_keys import LOOK_EVERY_S
from gateway.media_keys import MediaKey, add, change, drop, media_path, read_media_keys, switch
from gateway.secrets import check_private
from gateway.settings import GatewaySettings

# Where the commands take the name of an environment, this stands for these keys.
MEDIA = "media"
# By then each running gateway that sees the file has looked at it, even a busy one.
_KNOWN_AFTER_S = 2 * LOOK_EVERY_S


def rotate(settings: GatewaySettings, now: datetime) -> None:
    """The next step of a rotation; raises SecretsError, SigningKeyError."""
    path = _path(settings)
    if not any(key.waits for key in read_media_keys(path)):
        made = change(path, add)[-1]
        typer.echo(
            f"media {made.key_id}: made; it signs nothing yet. Where replicas have copies of "
            f"{path}, copy it now; then run `tell keys rotate media` again."
        )
        return
    since_s = now.timestamp() - path.stat().st_mtime
    if since_s < _KNOWN_AFTER_S:
        raise SecretsError(
            f"{path} was changed {since_s:.0f} s ago and a running gateway may not have seen it: "
            f"wait {_KNOWN_AFTER_S - since_s:.0f} s"
        )
    for key in change(path, lambda keys: switch(keys, now)):
        if key.signs:
            typer.echo(f"media {key.key_id}: signs from now on")
        elif not key.waits:
            typer.echo(
                f"media {key.key_id}: verifies until its last token has died; then "
                "`tell keys prune media` drops it"
            )


def show(settings: GatewaySettings) -> None:
    """List the keys by id: what each is good for, never what it is."""
    keys = read_media_keys(_path(settings))
    for key in keys:
        typer.echo(f"media  {key.key_id}  {_state(key)}")
    if not any(key.signs for key in keys):
        typer.echo("media  the last key of signing.keys signs")


def revoke(settings: GatewaySettings, key_id: str) -> None:
    """Drop a key now: what it signed opens nothing any more. Raises SecretsError."""
    change(_path(settings), lambda keys: drop(keys, [key_id]))
    typer.echo(f"media {key_id}: dropped; running gateways refuse it within {LOOK_EVERY_S:g} s")


def prune(
    settings: GatewaySettings,
    now: datetime,
    sold: Callable[[datetime, datetime], Sequence[Screening]],
) -> None:
    """Drop the keys whose last token has died.

    *sold* gives the screenings that were sold before the first instant and end after the second.
    Raises SecretsError, DatabaseError.
    """
    path = _path(settings)
    dead = []
    for key in read_media_keys(path):
        if key.until is None:
            continue
        dies = dies_at(key.until, settings, lambda until: sold(until, now - timedelta(days=2)))
        if dies <= now:
            dead.append(key.key_id)
        else:
            typer.echo(f"media {key.key_id}: stays; its last token dies {_minute(dies)}")
    if dead:
        change(path, lambda keys: drop(keys, dead))
    for key_id in dead:
        typer.echo(f"media {key_id}: dropped")


def dies_at(
    until: datetime, settings: GatewaySettings, sold: Callable[[datetime], Sequence[Screening]]
) -> datetime:
    """When the last token can die that a key signed which signed *until* then.

    An access token lives by itself, a stream token as long as its screening is open.
    """
    margin = settings.tokens.margin_after_credits
    ends = [listening_ends(screening, margin) for screening in sold(until)]
    return max([until + settings.tokens.access_ttl, *ends])


def _path(settings: GatewaySettings) -> Path:
    path = media_path(Path(settings.secrets.dir))
    if path.exists():
        check_private(path, mend="make it with `tell keys rotate media`")
    return path


def _state(key: MediaKey) -> str:
    if key.waits:
        return "waits: verifies, and signs after the next `tell keys rotate media`"
    if key.until is not None:
        return f"retired: signed until {_minute(key.until)}, verifies"
    return "signs"


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
