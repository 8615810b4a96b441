"""`tell-package verify`: a published track, read, decoded and compared again, any day."""

from __future__ import annotations

from typing import Annotated

import typer

from media.storage import WritableStorage
from packager.commands.common import (
    ConfigOption,
    JsonOption,
    RootOption,
    VerboseOption,
    World,
    command_world,
    print_json,
    run,
    say,
)
from packager.commands.exits import Exit
from packager.errors import NotPublishedError
from packager.progress import shown_progress
from packager.publishing.catalogue import Entry, entries, find, read_version


def verify(
    context: typer.Context,
    movie_id: Annotated[
        str | None, typer.Argument(metavar="[MOVIE_ID]", help="The movie; every track if absent.")
    ] = None,
    language: Annotated[str | None, typer.Option(help="Its language; every one if absent.")] = None,
    version: Annotated[
        str | None, typer.Option(help="An earlier version instead of the current one.")
    ] = None,
    config: ConfigOption = None,
    media_root: RootOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Read published files again: digests, structure, sound, loudness. Bit rot is named."""
    if version is not None and (movie_id is None or language is None):
        raise typer.BadParameter("name the movie and --language too", param_hint="--version")
    with command_world(context, config, media_root, as_json=as_json, verbose=verbose) as world:
        checked, problems = run(_verify(world, movie_id, language, version))
        if as_json:
            print_json({"verified": checked, "problems": problems})
        else:
            for problem in problems:
                say(
                    f"error: {problem['code']}: {problem['where']}: {problem['what']}\n"
                    f"mend: {problem['mend']}"
                )
            for name in checked:
                bad = sum(problem["track"] == name for problem in problems)
                typer.echo(f"{name}: {f'{bad} wrong' if bad else 'right'}")
        if problems:
            raise typer.Exit(Exit.CHECK)


async def _verify(
    world: World, movie_id: str | None, language: str | None, version: str | None
) -> tuple[list[str], list[dict[str, str]]]:
    """Names of the versions that were checked, and what is wrong with them."""
    # Imported here: the arithmetic that they bring takes a moment that `list` need not wait for.
    from packager.ffmpeg import find_tools
    from packager.verification.published import verify_published
    from packager.work import work_parent

    tools = find_tools(world.settings.packager)
    parent = work_parent(world.settings.packager.work_dir)
    checked: list[str] = []
    problems: list[dict[str, str]] = []
    with shown_progress(say, world.clocks.monotonic_s) as progress:
        for entry in await _chosen(world.storage, movie_id, language):
            track = entry.track
            if version is not None:
                track = await read_version(world.storage, entry.movie_id, entry.language, version)
            name = f"{entry.movie_id}/{entry.language}"
            if track is None:
                if entry.problem is not None:
                    checked.append(name)
                    problems.append(
                        {
                            "track": name,
                            "code": "description-damaged",
                            "where": name,
                            "what": entry.problem,
                            "mend": "roll back, or package its source again",
                        }
                    )
                continue
            name = f"{name} version {track.version}"
            checked.append(name)
            found = await verify_published(world.storage, track, tools, progress, parent)
            problems.extend(
                {
                    "track": name,
                    "code": each.code,
                    "where": each.where,
                    "what": each.what,
                    "mend": each.mend,
                }
                for each in found
            )
    return checked, problems


async def _chosen(
    storage: WritableStorage, movie_id: str | None, language: str | None
) -> list[Entry]:
    """The tracks to verify; raises NotPublishedError where a named one is not there."""
    if movie_id is not None and language is not None:
        return [await find(storage, movie_id, language)]
    found = await entries(storage, movie_id)
    if movie_id is not None and not found:
        raise NotPublishedError(movie_id, "has no track in this storage", "see `tell-package list`")
    return [each for each in found if language is None or each.language == language]
