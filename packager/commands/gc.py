"""`tell-package gc`: what nobody needs any more is removed."""

from __future__ import annotations

from typing import Annotated

import typer

from packager.commands.common import (
    ConfigOption,
    JsonOption,
    RootOption,
    command_world,
    print_json,
    run,
    say,
)
from packager.publishing.garbage import sweep
from packager.report.wording import megabytes, plural
from packager.work import work_parent


def gc(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed, and remove nothing.")
    ] = False,
    config: ConfigOption = None,
    media_root: RootOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove what killed runs left behind, and versions older than [packager.gc] keeps."""
    with command_world(context, config, media_root, as_json=as_json) as world:
        settings = world.settings.packager
        done = run(
            sweep(
                world.storage,
                work_parent(settings.work_dir),
                settings.gc,
                world.clocks.now,
                dry_run=dry_run,
            )
        )
        if as_json:
            print_json(
                {
                    "removed": [
                        {"kind": each.kind, "where": each.where, "size_bytes": each.size_bytes}
                        for each in done.removed
                    ],
                    "passed_over": done.passed_over,
                    "dry_run": dry_run,
                }
            )
            return
        for each in done.removed:
            typer.echo(f"{each.kind}: {each.where} ({megabytes(each.size_bytes)} MB)")
        for text in done.passed_over:
            say(f"passed over: {text}")
        verb = "would be removed" if dry_run else "removed"
        typer.echo(f"{plural(len(done.removed), 'thing')} {verb}, {megabytes(done.size_bytes)} MB")
