"""`tell keys`: webhook secrets made, shown once, rotated, revoked, taken in."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from catalog.keys.webhook_keys import KeyStore
from catalog.keys.webhooks import load_secret_file, new_secret, read_secret
from catalog.models import Screening, ScreeningStatus, StartSource
from catalog.store.database import Database
from gateway.cli import app
from gateway.commands.media_keys import dies_at
from gateway.media_keys import add, change, media_path, read_media_keys, switch
from gateway.secrets import load_master
from gateway.settings import GatewaySettings
from tests.gateway.processes import write_config
from tests.gateway.town import NOW, town_settings

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=\n")


class Keys:
    """The `tell keys` command with a config.toml of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings: GatewaySettings = town_settings(
            folder, folder / "media", "http://127.0.0.1:9"
        )
        self.config = write_config(folder / "config.toml", self.settings)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of `tell keys <arguments>`."""
        result = CliRunner().invoke(app, ["keys", *arguments, "--config", str(self.config)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout, result.stderr

    def good(self) -> dict[str, bytes]:
        """Name and secret of every key that is kept and not revoked."""

        async def read() -> dict[str, bytes]:
            database = await Database.open(self.settings.database.url)
            try:
                store = KeyStore(database, load_master(self.settings.secrets), lambda: NOW)
                return {each.key.name: each.secret.value for each in (await store.opened())[0]}
            finally:
                await database.close()

        return asyncio.run(read())


@pytest.fixture(autouse=True)
def logging_of_before() -> Iterator[None]:
    """The commands set up logging for a process of their own."""
    root, settings = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.configure(**settings)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """A fresh installation."""
    return Keys(tmp_path)


def test_a_new_secret_is_shown_once_and_kept_sealed(keys: Keys) -> None:
    """Stdout is the secret alone, so that it can be piped; the database never holds its bytes."""
    code, out, err = keys.run("new", "local")
    assert code == 0
    assert SECRET.fullmatch(out)
    assert "local w1" in err
    secret = read_secret(out.strip())
    assert keys.good() == {"w1": secret}
    code, listed, _ = keys.run("list")
    assert code == 0
    assert "local  w1  good" in listed
    assert "whsec" not in listed
    for file in keys.folder.glob("tell.db*"):
        assert secret not in file.read_bytes()
        assert out.strip().encode() not in file.read_bytes()


def test_a_secret_for_a_file_is_shown_nowhere(keys: Keys) -> None:
    """--out makes the partner's file for its owner alone, and never overwrites one."""
    path = keys.folder / "amc.keys"
    code, out, err = keys.run("new", "staging", "--out", str(path))
    assert (code, err) == (0, "")
    assert "whsec" not in out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keys.good()["w1"] == load_secret_file(path)[-1]
    before = path.read_bytes()
    code, out, err = keys.run("rotate", "staging", "--out", str(path))
    assert (code, out) == (1, "")
    assert "never overwritten" in err
    assert path.read_bytes() == before
    assert len(keys.good()) == 1, "what cannot be handed out is not kept"


def test_a_rotation_lets_the_old_secret_go_on_for_the_overlap(keys: Keys) -> None:
    """Seven days without a word, none with 0s; the new one is good beside it."""
    keys.run("new", "local")
    code, out, _ = keys.run("rotate", "local")
    assert code == 0
    assert SECRET.fullmatch(out)
    _, listed, _ = keys.run("list", "local")
    assert re.search(r"w1  retiring .* retires .*\n.*w2  good", listed)
    keys.run("rotate", "local", "--overlap", "0s")
    _, listed, _ = keys.run("list", "local")
    assert re.search(r"w1  retiring .*\n.*w2  retired .*\n.*w3  good", listed)


def test_a_revoked_secret_is_gone_and_the_last_one_is_warned_of(keys: Keys) -> None:
    """Exit code 0 and a word that nothing is good any more; an unknown name is an error."""
    keys.run("new", "local")
    code, out, err = keys.run("revoke", "local", "w1")
    assert (code, out) == (0, "local w1: revoked\n")
    assert "tell keys new local" in err
    assert keys.good() == {}
    _, listed, _ = keys.run("list", "local")
    assert "w1  revoked" in listed
    code, out, err = keys.run("revoke", "local", "w7")
    assert (code, out) == (1, "")
    assert "tell keys list local" in err


def test_a_file_of_before_is_taken_in_once(keys: Keys) -> None:
    """A second import knows all of it, and a revoked secret stays revoked."""
    path = keys.folder / "old.keys"
    path.touch(mode=0o600)
    path.write_text(f"{new_secret()}\n{new_secret()}\n")
    code, out, _ = keys.run("import", "local", str(path))
    assert (code, out) == (0, "local w1: imported\nlocal w2: imported\n")
    keys.run("revoke", "local", "w1")
    code, out, _ = keys.run("import", "local", str(path))
    assert code == 0
    assert "known" in out
    assert list(keys.good()) == ["w2"]
    path.chmod(0o644)
    code, out, err = keys.run("import", "local", str(path))
    assert (code, out) == (1, "")
    assert "chmod 600" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("new", "../evil"), "environment"),
        (("rotate", "local", "--overlap", "soon"), "7d"),
        (("list", "A"), "environment"),
    ],
)
def test_a_wrong_argument_is_said_in_one_line(
    keys: Keys, arguments: tuple[str, ...], says: str
) -> None:
    """Exit code 1, nothing on stdout, no traceback."""
    code, out, err = keys.run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("tell: ")
    assert says in err
    assert "Traceback" not in err


def test_another_master_key_is_said_and_shows_nothing(keys: Keys) -> None:
    """A listing needs no secret; making one beside those that cannot be opened is fine too."""
    _, out, _ = keys.run("new", "local")
    master = Path(keys.settings.secrets.dir) / "master.key"
    master.unlink()
    code, _, err = keys.run("list")
    assert code == 1
    assert "tell keys init" in err
    keys.run("init")
    code, listed, _ = keys.run("list")
    assert (code, "w1" in listed) == (0, True)
    assert out.strip() not in listed
    assert keys.good() == {}


def test_the_media_keys_are_rotated_in_steps(keys: Keys) -> None:
    """Made, then signing, then dropped; each key by its id, never its bytes."""
    path = media_path(Path(keys.settings.secrets.dir))
    hidden = path.read_text().splitlines()[-1].partition(":")[2]
    said = [keys.run("list", "media")]
    said.append(keys.run("rotate", "media"))
    assert "s2: made" in said[-1][1]
    # A running gateway may not have looked yet.
    early = keys.run("rotate", "media")
    assert early[0] == 1
    assert "wait" in early[2]
    os.utime(path, (1, 1))
    said.append(keys.run("rotate", "media"))
    assert "s2: signs from now on" in said[-1][1]
    assert "s1: verifies until" in said[-1][1]
    said.append(keys.run("list", "media"))
    assert [line.split()[1:3] for line in said[-1][1].splitlines()] == [
        ["s1", "retired:"],
        ["s2", "signs"],
    ]
    assert {code for code, _, _ in said} == {0}
    for _, out, err in [*said, early]:
        assert hidden not in out + err


def test_a_media_key_is_dropped_when_its_last_token_has_died(keys: Keys) -> None:
    """An access token lives ten minutes; a stream token as long as what was sold with it."""
    path = media_path(Path(keys.settings.secrets.dir))
    margin = keys.settings.tokens.margin_after_credits
    until = NOW - timedelta(hours=1)
    tomorrow = Screening(
        id=1,
        environment="local",
        showtime_id="st-1",
        previews_start=NOW,
        movie_start=NOW,
        credits_end=NOW + timedelta(days=1),
        status=ScreeningStatus.SCHEDULED,
        revision=1,
        movie_start_bound_ms=0,
        movie_start_source=StartSource.SCHEDULE,
    )
    assert dies_at(until, keys.settings, lambda _: []) == until + timedelta(minutes=10)
    assert dies_at(until, keys.settings, lambda _: [tomorrow]) == tomorrow.credits_end + margin
    change(path, add)
    change(path, lambda them: switch(them, datetime.now(UTC)))
    code, out, _ = keys.run("prune", "media")
    assert (code, "s1: stays" in out) == (0, True)
    change(path, lambda them: (replace(them[0], until=datetime(2020, 1, 1, tzinfo=UTC)), them[1]))
    code, out, _ = keys.run("prune", "media")
    assert (code, out) == (0, "media s1: dropped\n")
    assert [key.key_id for key in read_media_keys(path)] == ["s2"]


def test_a_leaked_media_key_is_dropped_at_once(keys: Keys) -> None:
    """Once another signs; the one that signs stays."""
    path = media_path(Path(keys.settings.secrets.dir))
    code, out, err = keys.run("revoke", "media", "s1")
    assert (code, out) == (1, "")
    assert "tell keys rotate media" in err
    keys.run("rotate", "media")
    os.utime(path, (1, 1))
    keys.run("rotate", "media")
    code, out, _ = keys.run("revoke", "media", "s1")
    assert (code, "s1: dropped" in out) == (0, True)
    assert [key.key_id for key in read_media_keys(path)] == ["s2"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("new", "media"),
        ("import", "media", "some.keys"),
        ("rotate", "media", "--out", "some.keys"),
        ("prune", "local"),
        ("revoke", "media", "s7"),
    ],
)
def test_what_the_media_keys_are_not_for_is_said(keys: Keys, arguments: tuple[str, ...]) -> None:
    """They are no webhook secrets; nothing is changed."""
    path = media_path(Path(keys.settings.secrets.dir))
    before = path.read_bytes()
    code, out, err = keys.run(*arguments)
    assert (code, out) == (1, "")
    assert "media" in err
    assert path.read_bytes() == before
