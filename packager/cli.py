"""`tell-package`: the operator's command line.

Exit codes: 0 published; 1 a fault of ours (with a traceback); 2 a wrong argument or setting;
3 the source is refused; 4 a rendition could not be encoded or did not pass its check; 5 the storage
or the work folder is full or failed; 6 ffmpeg is missing; 130 stopped by Ctrl-C, 143 by SIGTERM.
Errors go to stderr with their code, the log (with `--verbose`) too; stdout has the result alone.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from media.errors import InvalidIdError
from media.settings import SettingsError, load_settings
from media.storage import LocalStorage
from media.track import Track
from packager.errors import (
    EncodeError,
    PackagerError,
    PublishError,
    SourceError,
    ToolMissingError,
    VerifyError,
    WorkFolderError,
)
from packager.ffmpeg import find_tools
from packager.pipeline import TrackOrder, add_track
from packager.progress import PlainProgress, Progress, TerminalProgress
from packager.settings import PackagerSection, PackagerSettings, config_path

_USAGE = 2
_INTERRUPTED = 130
_TERMINATED = 143
# The first class that fits; a PackagerError that is none of these is of the encoder's kind.
_EXIT_CODES: tuple[tuple[type[PackagerError], int], ...] = (
    (SourceError, 3),
    (EncodeError, 4),
    (VerifyError, 4),
    (PublishError, 5),
    (WorkFolderError, 5),
    (ToolMissingError, 6),
    (PackagerError, 4),
)

app = typer.Typer(
    help="Package audio description and publish it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _program() -> None:
    """Package audio description and publish it."""


@app.command()
def add(
    source: Annotated[Path, typer.Argument(help="The sound: WAV or what else ffmpeg reads.")],
    movie_id: Annotated[str, typer.Option(help="The movie's id, as the cinema's tickets name it.")],
    language: Annotated[str, typer.Option(help="Language of the narration (BCP 47).")] = "en",
    title: Annotated[
        str | None, typer.Option(help="Title shown; the movie's id if absent.")
    ] = None,
    track_offset: Annotated[
        float, typer.Option(help="Seconds of the film before the sound's first sample.")
    ] = 0.0,
    config: Annotated[
        Path | None, typer.Option(help="Settings; else $TELL_CONFIG, else ./config.toml.")
    ] = None,
    media_root: Annotated[
        Path | None, typer.Option(help="Storage folder instead of media.root.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show each command that is run, on stderr.")
    ] = False,
) -> None:
    """Encode SOURCE to the whole ladder, verify it and make it the movie's current track."""
    if not math.isfinite(track_offset):
        raise typer.BadParameter("write a number of seconds", param_hint="--track-offset")
    _set_up_log(verbose=verbose)
    with _errors_told():
        settings = load_settings(PackagerSettings, config_path(config, os.environ), os.environ)
        order = TrackOrder(
            source=source,
            movie_id=movie_id,
            language=language,
            title=movie_id if title is None else title,
            track_offset_s=track_offset,
        )
        root = Path(settings.media.root) if media_root is None else media_root
        track = asyncio.run(_add_until_signal(order, root, settings.packager))
    _show(track)


async def _add_until_signal(order: TrackOrder, root: Path, settings: PackagerSection) -> Track:
    """Package, and take SIGTERM as Ctrl-C is taken: stop the children, leave nothing, end."""
    tools = find_tools(settings)
    storage = LocalStorage(root)
    console = Console(stderr=True)
    terminated = False
    work = asyncio.current_task()

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        if work is not None:
            work.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        if console.is_terminal:
            with TerminalProgress(console) as bars:
                return await add_track(order, storage, tools, settings, bars)
        lines: Progress = PlainProgress(_say, time.monotonic)
        return await add_track(order, storage, tools, settings, lines)
    except asyncio.CancelledError:
        if terminated:
            raise typer.Exit(_TERMINATED) from None
        raise


@contextmanager
def _errors_told() -> Iterator[None]:
    """Turn errors into a message for people and an exit code for machines."""
    try:
        yield
    except PackagerError as error:
        _say(f"error: {error.code}: {error.where}: {error.what}\nmend: {error.mend}")
        code = next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
        raise typer.Exit(code) from error
    except (SettingsError, InvalidIdError) as error:
        _say(f"error: {error.code}: {error}")
        raise typer.Exit(_USAGE) from error
    except KeyboardInterrupt as error:
        _say("stopped; nothing was published")
        raise typer.Exit(_INTERRUPTED) from error


def _show(track: Track) -> None:
    table = Table("rendition", "codec", "average kbit/s", "peak kbit/s", "MB", box=None)
    for rendition in track.renditions:
        table.add_row(
            rendition.name,
            rendition.codecs,
            f"{rendition.average_bps / 1000:.1f}",
            f"{rendition.peak_bps / 1000:.1f}",
            f"{rendition.size_bytes / 1e6:.2f}",
        )
    minutes, rest_s = divmod(track.duration_s, 60)
    console = Console()
    console.print(
        f"published {track.movie_id}/{track.language} version {track.version}, "
        f"{minutes:.0f} min {rest_s:.1f} s, begins at {track.track_offset_s:g} s of the film",
        highlight=False,
        soft_wrap=True,
    )
    console.print(table)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _set_up_log(*, verbose: bool) -> None:
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


def main() -> None:
    """Run the command line."""
    app()
