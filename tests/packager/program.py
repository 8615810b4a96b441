"""`tell-package` as an operator starts it: a process of its own, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = [sys.executable, "-c", "from packager.cli import main; main()"]
REPOSITORY = Path(__file__).parents[2]
QUICK = {"TELL_PACKAGER__LADDER": '["opus-24k"]'}


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    """An environment without settings of this machine; unfinished work goes to `work`."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    # An empty settings file: the repository's own has nothing to say here.
    config = tmp_path / "config.toml"
    config.touch()
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("TELL_", "AWS_"))
    }
    return {**kept, "TMPDIR": str(work), "TELL_CONFIG": str(config), **more}


def run_program(
    tmp_path: Path,
    *arguments: str | Path,
    prefix: tuple[str, ...] = (),
    environ: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run it to its end; *prefix* stands before it in the command."""
    return subprocess.run(
        [*prefix, *PROGRAM, *map(str, arguments)],
        cwd=REPOSITORY,
        env=_environ(tmp_path, **(environ or {})),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


_environ = environ
