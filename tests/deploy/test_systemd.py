"""The units in deploy/systemd: what they start exists, and the timer starts it each day."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli import app
from gateway.settings import ServerSettings
from gateway.workers.supervisor import GRACE_S

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"


def unit(name: str) -> configparser.ConfigParser:
    """A unit file; systemd.syntax(7) is an INI file with case-sensitive keys."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # as its manual says
    parser.read_string((UNITS / name).read_text("utf-8"))
    return parser


def test_the_backup_service_runs_a_command_that_there_is() -> None:
    """Its command line is one that `tell` takes, and what it writes is for its owner's eyes."""
    service = unit("tell-backup.service")["Service"]
    program, command, *options = shlex.split(service["ExecStart"])
    assert Path(program).name == "tell"
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    assert [option for option in options if option.startswith("--")] == ["--config"]
    assert "--config" in shown.output
    assert service["UMask"] == "0077"
    assert service["Type"] == "oneshot"


def test_the_backup_timer_is_daily() -> None:
    """Once a day, also after a night in which the machine was off; it starts the service."""
    timer = unit("tell-backup.timer")
    assert timer["Timer"]["OnCalendar"].startswith("*-*-* ")
    assert timer["Timer"]["Persistent"] == "true"
    assert timer["Install"]["WantedBy"] == "timers.target"
    # Without Unit= a timer starts the service of its own name (systemd.timer(5)).
    assert "Unit" not in timer["Timer"]
    assert (UNITS / "tell-backup.service").is_file()


def test_the_gateway_service_runs_a_command_that_there_is() -> None:
    """Its command line is one that `tell` takes, and what it says of itself is what Tell does."""
    service = unit("tell.service")["Service"]
    program, command, *options = shlex.split(service["ExecStart"])
    assert Path(program).name == "tell"
    shown = CliRunner().invoke(app, [command, "--help"])
    assert shown.exit_code == 0
    named = [option for option in options if option.startswith("--")]
    assert named == ["--config", "--workers"]
    for option in named:
        assert option in shown.output
    # A reload needs somebody to take over.
    assert int(options[options.index("--workers") + 1]) >= 2
    assert service["ExecReload"].endswith("-HUP $MAINPID")
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    # SIGTERM to the supervisor alone: its workers end when they have finished.
    assert service["KillMode"] == "mixed"


def test_the_gateway_service_leaves_time_to_drain() -> None:
    """Longer than the supervisor waits for its workers, by the defaults."""
    limit_s = 2 * ServerSettings().drain_s + GRACE_S
    assert int(unit("tell.service")["Service"]["TimeoutStopSec"]) > limit_s
