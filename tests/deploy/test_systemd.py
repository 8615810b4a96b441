"""The units in deploy/systemd: what they start exists, and the timer starts it each day."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.settings import GatewaySettings, ServerSettings
from gateway.workers.supervisor import GRACE_S
from media.settings import load_settings

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = ("tell.service", "tell-backup.service")
# What systemd calls a service that can do little beside its work; 10 is one without limits.
EXPOSED_AT_MOST = 2.5


def unit(name: str) -> configparser.ConfigParser:
    """A unit file: INI with case-sensitive keys, which may come again (systemd.syntax(7))."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
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
    limit_s = ServerSettings().longest_drain_s + GRACE_S
    assert int(unit("tell.service")["Service"]["TimeoutStopSec"]) > limit_s


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_where_it_must_and_becomes_nobody(name: str) -> None:
    """Its state folder alone; no right but its user's, and no system call that it does not need."""
    service = unit(name)["Service"]
    assert service["User"] == service["Group"] == service["StateDirectory"] == "tell"
    assert service["ProtectSystem"] == "strict"
    # systemd makes the state folder writable by itself.
    assert "ReadWritePaths" not in service
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == ""
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert service[key] == "true", key
    assert set(service["RestrictAddressFamilies"].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}
    text = (UNITS / name).read_text("utf-8")
    assert re.findall(r"^SystemCallFilter=(.*)$", text, flags=re.MULTILINE) == [
        "@system-service",
        "~@privileged @resources",
    ]


def test_the_gateway_service_has_files_enough() -> None:
    """More than the page of sizes counts for the listeners of one process."""
    limit = int(unit("tell.service")["Service"]["LimitNOFILE"])
    page = (UNITS.parents[1] / "docs" / "deployment.md").read_text("utf-8")
    assert f"`LimitNOFILE={limit}`" in page
    settings = GatewaySettings()
    assert limit > 2 * settings.events.max_connections + settings.delivery.open_files


def test_the_drop_in_gives_what_tell_then_reads() -> None:
    """Each credential has a setting that names it, and each such setting is one."""
    service = (UNITS / "tell.service.d" / "credentials.conf").read_text("utf-8")
    given = re.findall(r"^LoadCredential=([a-z.]+):/etc/tell/\1$", service, flags=re.MULTILINE)
    settings = dict(re.findall(r"^Environment=(TELL_[A-Z_]+)=%d/(\S+)$", service, re.MULTILINE))
    assert (
        sorted(settings.values())
        == sorted(given)
        == [
            "database.password",
            "master.key",
            "ops.token",
        ]
    )
    environ = {name: f"/run/credentials/{value}" for name, value in settings.items()}
    loaded = load_settings(GatewaySettings, None, environ)
    assert loaded.secrets.master_key == "/run/credentials/master.key"
    assert loaded.secrets.ops_token == "/run/credentials/ops.token"
    assert loaded.database.password_file == "/run/credentials/database.password"


@pytest.fixture
def analyze() -> str:
    """Path of systemd-analyze; skips aloud where there is none."""
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here")
    return program


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root folder in which the units, and what they start, lie where an operator puts them."""
    units = tmp_path / "etc" / "systemd" / "system"
    shutil.copytree(UNITS, units)
    for name in ("opt/tell/.venv/bin/tell", "bin/kill"):
        program = tmp_path / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    # Units of systemd's own that these name.
    for name in ("network-online.target", "timers.target", "multi-user.target", "sysinit.target"):
        (units / name).write_text("[Unit]\n")
    return tmp_path


@pytest.mark.parametrize("name", [*SERVICES, "tell-backup.timer"])
def test_systemd_finds_nothing_wrong(analyze: str, machine: Path, name: str) -> None:
    """No unknown key, no value that is none, no program that is not there."""
    done = subprocess.run(
        [analyze, "verify", "--man=no", f"--root={machine}", name],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", SERVICES)
def test_systemd_calls_it_well_kept(analyze: str, machine: Path, name: str) -> None:
    """What a service could do to its machine, as systemd counts it."""
    done = subprocess.run(
        [analyze, "security", "--offline=true", f"--root={machine}", "--no-pager", name],
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSED_AT_MOST
