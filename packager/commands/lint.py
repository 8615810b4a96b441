"""`tell-package lint`: playlists and files against the rules of docs/lint.md."""

from __future__ import annotations

from typing import Annotated

import typer

from packager.commands.common import JsonOption, errors_told, run, set_up_log


def lint(
    target: Annotated[
        str, typer.Argument(metavar="URL|FOLDER", help="A playlist's address, or a version folder.")
    ],
    most_segments: Annotated[
        int | None, typer.Option(min=1, help="Read no more media segments of each playlist.")
    ] = None,
    timeout_s: Annotated[float, typer.Option(help="Seconds that one request may take.")] = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Check playlists and files against the rules that players rely on."""
    set_up_log(verbose=False)
    with errors_told(as_json=as_json):
        # Imported here: what it brings takes a moment that the other commands need not wait for.
        from packager.lint.run import lint as lint_target

        report = run(lint_target(target, most_segments=most_segments, timeout_s=timeout_s))
        typer.echo(report.json() if as_json else report.text(), nl=False)
        raise typer.Exit(report.exit_code)
