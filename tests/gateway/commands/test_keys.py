"""`tell keys`: webhook secrets made, shown once, rotated, revoked, taken in."""

from __future__ import annotations

import asyncio
import logging
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from catalog.keys.webhook_keys import KeyStore
from catalog.keys.webhooks import load_secret_file, new_secret, read_secret
from catalog.store.database import Database
from gateway.cli import app
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
