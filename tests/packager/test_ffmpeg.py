"""Finding the tools, and commands that never outlive us."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from packager.errors import ToolFailedError, ToolMissingError
from packager.ffmpeg import Run, Tools, find_tools, read_all
from packager.settings import PackagerSection


def test_tools_are_found_without_settings(tools: Tools) -> None:
    """Both programs are there, as paths that can be run."""
    assert os.access(tools.ffmpeg, os.X_OK)
    assert os.access(tools.ffprobe, os.X_OK)


def test_configured_tool_wins(tmp_path: Path, tools: Tools) -> None:
    """A configured path is used as it stands."""
    mine = tmp_path / "ffmpeg"
    mine.symlink_to(tools.ffmpeg)
    assert find_tools(PackagerSection(ffmpeg=str(mine))).ffmpeg == str(mine)


@pytest.mark.parametrize("name", ["/nowhere/ffprobe", "pyproject.toml"])
def test_configured_tool_that_cannot_run_is_an_error(name: str) -> None:
    """A configured path that is absent, or no program, names its key."""
    with pytest.raises(ToolMissingError, match=r"mend packager\.ffprobe"):
        find_tools(PackagerSection(ffprobe=name))


async def test_failing_command_quotes_its_last_lines() -> None:
    """The error carries the exit code and the end of stderr."""
    with pytest.raises(ToolFailedError) as caught:
        await read_all(
            "master.wav",
            ["sh", "-c", "i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i >&2; done; exit 3"],
        )
    assert caught.value.returncode == 3
    assert caught.value.last_lines == tuple(str(line) for line in range(13, 21))


async def test_output_and_errors_of_any_length_pass() -> None:
    """Neither pipe blocks the other, however much is written to both."""
    script = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"
    assert len(await read_all("master.wav", ["sh", "-c", script])) == 3_000_000


async def test_leaving_early_ends_the_command() -> None:
    """A command that writes for ever is terminated and reaped when its context is left."""
    async with Run("master.wav", ["cat", "/dev/zero"]) as run:
        async for block in run.blocks():
            assert block
            break
        pid = run.pid
    assert not Path(f"/proc/{pid}").exists()


async def test_command_that_will_not_end_is_killed() -> None:
    """Where SIGTERM is ignored, the grace passes and SIGKILL follows."""
    script = "trap '' TERM; echo ready; while :; do read -r line < /dev/zero; done"
    async with Run("master.wav", ["bash", "-c", script], grace_s=0.05) as run:
        async for block in run.blocks():
            assert block == b"ready\n"
            break
        pid = run.pid
    assert not Path(f"/proc/{pid}").exists()


async def test_cancelled_command_is_reaped() -> None:
    """Cancelling whoever waits for a command ends the command."""
    started = asyncio.Event()
    pids: list[int] = []

    async def wait_for_output() -> None:
        async with Run("master.wav", ["cat", "/dev/zero"]) as run:
            pids.append(run.pid)
            async for _ in run.blocks():
                started.set()

    task = asyncio.ensure_future(wait_for_output())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not Path(f"/proc/{pids[0]}").exists()
