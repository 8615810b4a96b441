"""`tell screenings`: look at starts, and correct them where the cinema does not."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from catalog.instants import parse_instant
from catalog.models import Screening, StartSource
from catalog.screenings.corrections import NOTE_CHARS, Corrections, Listed, RecordedStart
from gateway.commands.common import ConfigOption, clock_of, failures
from gateway.databases import open_database
from gateway.settings import read_settings
from media.settings import SettingsError

T = TypeVar("T")
_BEHIND = timedelta(hours=4)
# A person presses when she sees the first frame.
_START_BOUND_MS = 1_000
# "Six minutes late" is said to the minute.
_DELAY_BOUND_MS = 60_000

Environment = Annotated[
    str, typer.Argument(help="Name of its partners table in config.toml, such as local.")
]
Showtime = Annotated[str, typer.Argument(help="The partner's showtime_id.")]
Note = Annotated[
    str | None, typer.Option(help="Why, for the history of the start. Name no listener.")
]


def register(app: typer.Typer) -> None:
    """Add the commands to `tell`."""
    screenings = typer.Typer(
        help="Look at starts, and correct them. What is said here stands above the cinema's word "
        "until it is cleared.",
        no_args_is_help=True,
    )
    screenings.command("list")(list_screenings)
    screenings.command("history")(history)
    screenings.command("start")(start)
    screenings.command("delay")(delay)
    screenings.command("clear")(clear)
    app.add_typer(screenings, name="screenings")


def list_screenings(
    context: typer.Context,
    environment: Annotated[str | None, typer.Option(help="Only this one.")] = None,
    hours: Annotated[float, typer.Option(help="So far ahead.", min=0.1, max=744)] = 24.0,
    config: ConfigOption = None,
) -> None:
    """Show screenings whose film starts soon, or started in the last four hours."""
    clock = clock_of(context)
    now = clock()

    async def work(corrections: Corrections) -> list[Listed]:
        return await corrections.between(now - _BEHIND, now + timedelta(hours=hours), environment)

    with failures():
        found = _run(config, clock, work)
        for each in found:
            screening = each.screening
            # One line each, for eyes, screen readers and grep alike.
            typer.echo(
                f"{_local(screening.movie_start, each.time_zone)}  {screening.showtime_id}  "
                f"{each.title}, {each.place_id}, auditorium {each.auditorium_number} "
                f"({screening.environment}): {screening.status}, {_word(screening)}"
            )
        if not found:
            typer.echo("No film starts in that time.")


def history(
    context: typer.Context,
    environment: Environment,
    showtime_id: Showtime,
    config: ConfigOption = None,
) -> None:
    """Show what was said of a start, by whom and when; all in UTC."""

    async def work(corrections: Corrections) -> list[RecordedStart]:
        return await corrections.history(environment, showtime_id)

    with failures():
        for each in _run(config, clock_of(context), work):
            source = each.source.value
            if each.revision is not None:
                source += f", revision {each.revision}"
            note = f": {each.note}" if each.note else ""
            typer.echo(
                f"{each.recorded_at:%Y-%m-%d %H:%M:%S}  starts {_instant(each.movie_start)} "
                f"{_bound(each.bound_ms)} ({source}){note}"
            )


def start(
    context: typer.Context,
    environment: Environment,
    showtime_id: Showtime,
    at: Annotated[
        str | None, typer.Option(help="RFC 3339, such as 2026-03-01T19:36:20Z; else now.")
    ] = None,
    bound_ms: Annotated[
        int, typer.Option(help="How far off that may be.", min=0, max=3_600_000)
    ] = _START_BOUND_MS,
    note: Note = None,
    config: ConfigOption = None,
) -> None:
    """The film starts now, or at the given instant."""
    clock = clock_of(context)
    with failures():
        movie_start = clock() if at is None else _parse(at)

        async def work(corrections: Corrections) -> Screening:
            return await corrections.start(
                environment, showtime_id, movie_start, bound_ms, _checked(note)
            )

        _say(_run(config, clock, work))


def delay(
    context: typer.Context,
    environment: Environment,
    showtime_id: Showtime,
    minutes: Annotated[float, typer.Argument(help="Later than it stands now; - is earlier.")],
    bound_ms: Annotated[
        int, typer.Option(help="How far off that may be.", min=0, max=3_600_000)
    ] = _DELAY_BOUND_MS,
    note: Note = None,
    config: ConfigOption = None,
) -> None:
    """The film starts so many minutes later."""

    async def work(corrections: Corrections) -> Screening:
        return await corrections.delay(
            environment, showtime_id, timedelta(minutes=minutes), bound_ms, _checked(note)
        )

    with failures():
        _say(_run(config, clock_of(context), work))


def clear(
    context: typer.Context,
    environment: Environment,
    showtime_id: Showtime,
    note: Note = None,
    config: ConfigOption = None,
) -> None:
    """Let the cinema's word count again."""

    async def work(corrections: Corrections) -> Screening:
        return await corrections.clear(environment, showtime_id, _checked(note))

    with failures():
        _say(_run(config, clock_of(context), work))


def _run(
    config: Path | None,
    clock: Callable[[], datetime],
    work: Callable[[Corrections], Awaitable[T]],
) -> T:
    settings = read_settings(config, os.environ)

    async def run() -> T:
        database = await open_database(settings.database)
        try:
            return await work(Corrections(database, clock))
        finally:
            await database.close()

    return asyncio.run(run())


def _parse(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise SettingsError(f"--at {text[:40]!r} {error}; write 2026-03-01T19:36:20Z") from error


def _checked(note: str | None) -> str | None:
    if note is not None and len(note) > NOTE_CHARS:
        raise SettingsError(f"--note is longer than {NOTE_CHARS} characters; shorten it")
    return note


def _say(screening: Screening) -> None:
    typer.echo(
        f"{screening.showtime_id} starts {_instant(screening.movie_start)} {_word(screening)}. "
        "Listeners are being told."
    )


def _word(screening: Screening) -> str:
    who = {
        StartSource.SCHEDULE: "the schedule",
        StartSource.PARTNER_EVENT: "the cinema",
        StartSource.OPERATOR: "the operator",
    }[screening.movie_start_source]
    return f"{_bound(screening.movie_start_bound_ms)} by {who}"


def _bound(bound_ms: int) -> str:
    return f"± {bound_ms} ms" if bound_ms < 1000 else f"± {bound_ms / 1000:.1f} s"


def _instant(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _local(instant: datetime, time_zone: str) -> str:
    return f"{instant.astimezone(ZoneInfo(time_zone)):%a %H:%M:%S %Z}"
