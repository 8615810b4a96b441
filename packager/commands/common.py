"""What all commands share: their options, the settings, the storage, and how errors are told."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import structlog
import typer
from pydantic import ValidationError

from media.errors import InvalidIdError, StorageError, TrackFormatError
from media.settings import MediaSettings, SettingsError, load_settings
from media.storage import WritableStorage
from media.storages import open_storage
from packager.commands.exits import Exit, exit_code
from packager.errors import PackagerError, SourceRefusedError
from packager.report.wording import clock_time
from packager.settings import PackagerSettings, config_path

_T = TypeVar("_T")

MovieArgument = Annotated[
    str, typer.Argument(metavar="MOVIE_ID", help="The movie's id, as the cinema's tickets name it.")
]
LanguageOption = Annotated[str, typer.Option(help="Language of the narration (BCP 47).")]
ConfigOption = Annotated[
    Path | None, typer.Option(help="Settings; else $TELL_CONFIG, else ./config.toml.")
]
RootOption = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER|URL", help="Storage instead of media.root: a folder or s3://bucket/prefix."
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print the result, and an error too, as one JSON object.")
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", help="Show each command that is run, on stderr.")
]


@dataclass(frozen=True, slots=True)
class Clocks:
    """The real clocks, which packager/cli.py alone names: instants in UTC, and seconds of work."""

    now: Callable[[], datetime]
    monotonic_s: Callable[[], float]


@dataclass(frozen=True, slots=True)
class World:
    """What a command works with."""

    settings: PackagerSettings
    storage: WritableStorage
    clocks: Clocks


def open_world(context: typer.Context, config: Path | None, media_root: str | None) -> World:
    """Read the settings and open the storage that they or *media_root* name.

    Raises SettingsError.
    """
    settings = load_settings(PackagerSettings, config_path(config, os.environ), os.environ)
    media = settings.media if media_root is None else _with_root(settings.media, media_root)
    clocks: Clocks = context.obj
    return World(settings, open_storage(media, os.environ, clocks.now), clocks)


@contextmanager
def command_world(
    context: typer.Context,
    config: Path | None,
    media_root: str | None,
    *,
    as_json: bool,
    verbose: bool = False,
) -> Iterator[World]:
    """Everything around a command: its log, its world, and how its errors are told."""
    set_up_log(verbose=verbose)
    with errors_told(as_json=as_json):
        yield open_world(context, config, media_root)


def _with_root(media: MediaSettings, root: str) -> MediaSettings:
    try:
        return MediaSettings.model_validate({**media.model_dump(), "root": root})
    except ValidationError as error:
        raise SettingsError(f"--media-root: {error.errors()[0]['msg']}") from error


@contextmanager
def errors_told(*, as_json: bool) -> Iterator[None]:
    """Turn errors into a message for people, an object for machines, and an exit code."""
    try:
        yield
    except PackagerError as error:
        code = exit_code(error)
        say(_text(error))
        if as_json:
            print_json({"error": _data(error), "exit_code": int(code)})
        raise typer.Exit(code) from error
    except (SettingsError, InvalidIdError) as error:
        _tell_plain(error.code, str(error), Exit.USAGE, as_json=as_json)
        raise typer.Exit(Exit.USAGE) from error
    except TrackFormatError as error:
        _tell_plain(error.code, str(error), Exit.CHECK, as_json=as_json)
        raise typer.Exit(Exit.CHECK) from error
    except StorageError as error:
        _tell_plain(StorageError.code, str(error), Exit.STORAGE, as_json=as_json)
        raise typer.Exit(Exit.STORAGE) from error
    except KeyboardInterrupt as error:
        say("stopped; the track that was current still is")
        raise typer.Exit(Exit.INTERRUPTED) from error


def _text(error: PackagerError) -> str:
    lines = [f"error: {error.code}: {error.where}: {error.what}", f"mend: {error.mend}"]
    return "\n".join(lines)


def _data(error: PackagerError) -> dict[str, Any]:
    data: dict[str, Any] = {
        "code": error.code,
        "where": error.where,
        "what": error.what,
        "mend": error.mend,
    }
    if isinstance(error, SourceRefusedError):
        data["findings"] = [finding_data(finding) for finding in error.findings]
    return data


def finding_data(finding: Any) -> dict[str, Any]:
    """A finding of the quality check as JSON."""
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "at_s": finding.at_s,
        "until_s": finding.until_s,
        "at": None if finding.at_s is None else clock_time(finding.at_s),
        "what": finding.what,
        "mend": finding.mend,
        "accepted": finding.accepted,
    }


def _tell_plain(code: str, message: str, exit_with: Exit, *, as_json: bool) -> None:
    say(f"error: {code}: {message}")
    if as_json:
        print_json({"error": {"code": code, "what": message}, "exit_code": int(exit_with)})


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run *work* and take SIGTERM as Ctrl-C is taken: stop the children, leave nothing, end."""
    return asyncio.run(_until_signal(work))


async def _until_signal(work: Coroutine[Any, Any, _T]) -> _T:
    terminated = False
    task = asyncio.current_task()

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        if task is not None:
            task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await work
    except asyncio.CancelledError:
        if terminated:
            raise typer.Exit(Exit.TERMINATED) from None
        raise


def say(text: str) -> None:
    """Write a line to stderr: stdout has the result alone."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def print_json(data: Mapping[str, Any]) -> None:
    """Write the one object of `--json` to stdout."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, default=str) + "\n")


def set_up_log(*, verbose: bool) -> None:
    """Send the log to stderr: warnings, and with *verbose* each command too."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.INFO if verbose else logging.WARNING
        ),
        # Asked at each line: while bars are shown, rich stands in for stderr.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
