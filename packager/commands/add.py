"""`tell-package add`: from a master to the current track."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from media.storage import LocalStorage
from packager.commands.common import (
    ConfigOption,
    JsonOption,
    LanguageOption,
    RootOption,
    VerboseOption,
    World,
    command_world,
    finding_data,
    print_json,
    run,
    say,
)
from packager.commands.present import track_data
from packager.errors import ReportError, SourceRefusedError
from packager.order import TrackOrder
from packager.progress import shown_progress
from packager.source.timing import parse_conform, parse_timecode


def add(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(help="The sound: WAV or what else ffmpeg reads.")],
    movie_id: Annotated[str, typer.Option(help="The movie's id, as the cinema's tickets name it.")],
    language: LanguageOption = "en",
    title: Annotated[
        str | None, typer.Option(help="Title shown; the movie's id if absent.")
    ] = None,
    audio_track: Annotated[
        str | None,
        typer.Option(
            metavar="LANGUAGE|NUMBER",
            help="Which audio track of a film file; else the one for the visually impaired.",
        ),
    ] = None,
    conform: Annotated[
        str | None,
        typer.Option(
            metavar="RATE:RATE",
            help="The source's frame rate and the film's: 25:24 or 24000/1001:24. Pitch stays.",
        ),
    ] = None,
    film_starts_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Where in the source the film begins: 00:00:08.000 cuts a leader."
        ),
    ] = None,
    track_offset: Annotated[
        float, typer.Option(help="Seconds of the film before the sound's first sample.")
    ] = 0.0,
    running_time: Annotated[
        str | None, typer.Option(metavar="TIME", help="The film's length, to compare: 1:52:03.")
    ] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="Let a finding pass; may be given again. Is recorded."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the HTML report here too.", dir_okay=False)
    ] = None,
    config: ConfigOption = None,
    media_root: RootOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Check SOURCE, encode it to the whole ladder, verify it and make it the current track."""
    if not math.isfinite(track_offset):
        raise typer.BadParameter("write a number of seconds", param_hint="--track-offset")
    if report is not None and not report.absolute().parent.is_dir():
        raise typer.BadParameter("its folder does not exist", param_hint="--report")
    with command_world(context, config, media_root, as_json=as_json, verbose=verbose) as world:
        order = TrackOrder(
            source=source,
            movie_id=movie_id,
            language=language,
            title=movie_id if title is None else title,
            track_offset_s=track_offset,
            conform=None if conform is None else parse_conform(conform),
            film_starts_at_s=0.0 if film_starts_at is None else parse_timecode(film_starts_at),
            audio_track=audio_track,
            running_time_s=None if running_time is None else parse_timecode(running_time),
            accepted=frozenset(accept or ()),
        )
        try:
            run(_add(world, order, report, as_json=as_json))
        except SourceRefusedError as error:
            _tell_findings(error)
            raise


async def _add(world: World, order: TrackOrder, report: Path | None, *, as_json: bool) -> None:
    # Imported here: the arithmetic that they bring takes a moment that `list` need not wait for.
    from packager.ffmpeg import find_tools
    from packager.pipeline import package
    from packager.publishing.publish import REPORT_NAME
    from packager.report.page import render_report
    from packager.report.summary import summary

    settings = world.settings.packager
    tools = find_tools(settings)
    with shown_progress(say, world.clocks.monotonic_s) as progress:
        packaged = await package(
            order, world.storage, tools, settings, progress, clock=world.clocks.now
        )
    track = packaged.track
    where = world.storage.where(track.prefix)
    reports = [world.storage.where(f"{track.prefix}/{REPORT_NAME}")]
    if report is not None:
        page = render_report(
            track,
            packaged.assessment,
            files_at(world, track.prefix, report),
            settings.quality.target_lufs,
        )
        _write(report, page)
        reports.append(str(report))
    if as_json:
        print_json(
            {
                "published": track_data(track),
                "before": packaged.before,
                "findings": [finding_data(each) for each in packaged.assessment.findings],
                "where": where,
                "reports": reports,
            }
        )
        return
    typer.echo(summary(track, packaged.assessment.findings, packaged.before, where), nl=False)
    typer.echo(f"  report    {reports[-1]}")


def files_at(world: World, prefix: str, page: Path) -> str | None:
    """What stands before a file's name in the address that *page* has for it; None for a bucket."""
    if not isinstance(world.storage, LocalStorage):
        return None
    folder = os.path.relpath(world.storage.path(prefix).absolute(), page.absolute().parent)
    return f"{quote(folder)}/"


def _write(path: Path, page: bytes) -> None:
    try:
        path.write_bytes(page)
    except OSError as error:
        raise ReportError(str(path), error.strerror or str(error)) from error


def _tell_findings(error: SourceRefusedError) -> None:
    from packager.report.summary import finding_line

    for finding in error.findings:
        say(finding_line(finding))
