"""`tell-package rollback` and `withdraw`: which version listeners get, if any."""

from __future__ import annotations

from typing import Annotated

import typer

from packager.commands.common import (
    ConfigOption,
    JsonOption,
    LanguageOption,
    MovieArgument,
    RootOption,
    command_world,
    print_json,
    run,
    say,
)
from packager.commands.present import switched_data
from packager.publishing import restore


def rollback(
    context: typer.Context,
    movie_id: MovieArgument,
    language: LanguageOption = "en",
    to: Annotated[
        str | None,
        typer.Option(metavar="VERSION", help="Which version; else the one before the current."),
    ] = None,
    config: ConfigOption = None,
    media_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an earlier version current again, after reading all of it."""
    with command_world(context, config, media_root, as_json=as_json) as world:
        track, switched = run(
            restore.roll_back(
                world.storage,
                movie_id,
                language,
                to,
                world.clocks.now,
                lambda name: say(f"check {name}"),
            )
        )
        if as_json:
            print_json(switched_data(switched))
            return
        typer.echo(
            f"{movie_id}/{language} is at version {track.version} "
            f"(before: {switched.before or 'withdrawn'})"
        )


def withdraw(
    context: typer.Context,
    movie_id: MovieArgument,
    language: LanguageOption = "en",
    config: ConfigOption = None,
    media_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Offer a track to nobody from now on; who listens hears it to the end."""
    with command_world(context, config, media_root, as_json=as_json) as world:
        switched = run(restore.withdraw(world.storage, movie_id, language, world.clocks.now))
        if as_json:
            print_json(switched_data(switched))
            return
        if switched.before is None:
            typer.echo(f"{movie_id}/{language} was withdrawn before")
            return
        typer.echo(
            f"{movie_id}/{language} is withdrawn; `tell-package rollback {movie_id} "
            f"--language {language} --to {switched.before}` brings it back"
        )
