"""`tell-package list` and `show`: what is published."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from media.track import Track
from packager.commands.common import (
    ConfigOption,
    JsonOption,
    LanguageOption,
    MovieArgument,
    RootOption,
    command_world,
    print_json,
    run,
)
from packager.commands.present import current_data, state, track_data
from packager.publishing.catalogue import Entry, entries, find
from packager.report.wording import clock_time, kbps, length, megabytes

_PIPE_WIDTH = 400


def list_tracks(
    context: typer.Context,
    movie_id: Annotated[
        str | None, typer.Argument(metavar="[MOVIE_ID]", help="Only this movie's tracks.")
    ] = None,
    config: ConfigOption = None,
    media_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the tracks of the storage."""
    with command_world(context, config, media_root, as_json=as_json) as world:
        found = run(entries(world.storage, movie_id))
        if as_json:
            print_json({"tracks": [_data(entry) for entry in found]})
            return
        table = Table(box=None)
        for name in ("movie", "language", "state", "version", "since", "length", "title"):
            table.add_column(name, no_wrap=name != "title", overflow="fold")
        for entry in found:
            table.add_row(entry.movie_id, entry.language, *_cells(entry))
        console = Console()
        if not console.is_terminal:
            # A pipe has no width: one line for each track, whatever its title.
            console.width = _PIPE_WIDTH
        console.print(table)


def show(
    context: typer.Context,
    movie_id: MovieArgument,
    language: LanguageOption = "en",
    config: ConfigOption = None,
    media_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the current version of a track, its ladder, and the versions before it."""
    with command_world(context, config, media_root, as_json=as_json) as world:
        entry = run(find(world.storage, movie_id, language))
        if as_json:
            print_json(_data(entry))
            return
        where = None if entry.track is None else world.storage.where(entry.track.prefix)
        typer.echo("\n".join(_lines(entry, where)))


def _data(entry: Entry) -> dict[str, object]:
    return {
        "movie_id": entry.movie_id,
        "language": entry.language,
        "state": state(entry),
        "current": None if entry.current is None else current_data(entry.current),
        "track": None if entry.track is None else track_data(entry.track),
    }


def _cells(entry: Entry) -> tuple[str, ...]:
    current, track = entry.current, entry.track
    since = ""
    if current is not None and current.since is not None:
        since = current.since.isoformat(sep=" ", timespec="minutes")
    return (
        state(entry),
        "" if current is None else current.version or "",
        since,
        "" if track is None else length(track.duration_s),
        "" if track is None else track.title,
    )


def _lines(entry: Entry, where: str | None) -> list[str]:
    name = f"{entry.movie_id}/{entry.language}"
    lines = [f"{name} is {state(entry)}"]
    current = entry.current
    if current is not None and current.since is not None:
        lines[0] += f" since {current.since.isoformat(sep=' ', timespec='seconds')}"
    if entry.track is not None:
        lines.extend(_track_lines(entry.track))
        lines.append(f"  files     {where}")
    for each in () if current is None else current.earlier:
        until = each.until.isoformat(sep=" ", timespec="seconds")
        lines.append(f"  earlier   {each.version} until {until}")
    return lines


def _track_lines(track: Track) -> list[str]:
    lines = [
        f"  version   {track.version}",
        f"  title     {track.title}",
        f"  sound     {length(track.duration_s)}, begins at {track.track_offset_s:g} s of the film",
        f"  source    {track.source.name}, sha256 {track.source.sha256}",
    ]
    if track.loudness is not None:
        lines.append(
            f"  loudness  {track.loudness.integrated_lufs:.1f} LUFS, "
            f"true peak {track.loudness.true_peak_dbtp:.1f} dBTP, gain {track.gain_db:+.1f} dB"
        )
    lines.extend(
        f"  {rendition.name:<9} {rendition.codecs}, average {kbps(rendition.average_bps)}, "
        f"peak {kbps(rendition.peak_bps)} kbit/s, {megabytes(rendition.size_bytes)} MB"
        for rendition in track.renditions
    )
    for finding in track.findings:
        at = "" if finding.at_s is None else f" at {clock_time(finding.at_s)}"
        accepted = ", accepted" if finding.accepted else ""
        lines.append(f"  finding   {finding.severity}{accepted}: {finding.code}{at}")
    return lines
