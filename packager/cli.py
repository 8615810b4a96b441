"""`tell-package`: the operator's command line.

Exit codes are in packager/commands/exits.py and explained in docs/packaging.md. Errors go to stderr
with their code, the log (with `--verbose`) too; stdout has the result alone.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import typer

from media.endings import run_to_the_end
from packager.commands.add import add
from packager.commands.common import Clocks
from packager.commands.gc import gc
from packager.commands.lint import lint
from packager.commands.tracks import list_tracks, show
from packager.commands.verify import verify
from packager.commands.versions import rollback, withdraw

app = typer.Typer(
    help="Package audio description and publish it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _program(context: typer.Context) -> None:
    """Package audio description and publish it."""
    context.obj = Clocks(now=lambda: datetime.now(UTC), monotonic_s=time.monotonic)


app.command()(add)
app.command()(verify)
app.command()(lint)
app.command("list")(list_tracks)
app.command()(show)
app.command()(rollback)
app.command()(withdraw)
app.command()(gc)


def main() -> None:
    """Run the command line."""
    run_to_the_end(app)
