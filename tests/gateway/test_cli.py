"""The `tell` command."""

from __future__ import annotations

from pathlib import Path

from catalog.store.database import Database
from gateway.settings import GatewaySettings, read_settings
from tests.gateway.processes import run_tell, write_config
from tests.gateway.town import town_settings


def config(folder: Path) -> tuple[Path, GatewaySettings]:
    """A config.toml in *folder*, with the settings that it holds."""
    settings = town_settings(folder, folder / "media", "http://127.0.0.1:9")
    return write_config(folder / "config.toml", settings), settings


def test_what_these_tests_write_is_read_back(tmp_path: Path) -> None:
    """The configuration of the processes is the one that was meant."""
    path, settings = config(tmp_path)
    assert read_settings(path, {}) == settings


async def test_key_files_are_made_once_and_kept(tmp_path: Path) -> None:
    """`init` says what it made, and a second time that all of it is there."""
    path, settings = config(tmp_path)
    for file in Path(settings.secrets.dir).iterdir():
        file.unlink()
    code, out, _ = await run_tell("keys", "init", "--config", str(path))
    assert (code, out.count(": made")) == (0, 5)
    code, out, _ = await run_tell("keys", "init", "--config", str(path))
    assert (code, out.count("kept")) == (0, 5)


async def test_migrate_makes_the_database(tmp_path: Path) -> None:
    """And a second time changes nothing."""
    path, settings = config(tmp_path)
    for _ in range(2):
        code, out, err = await run_tell("migrate", "--config", str(path))
        assert (code, err) == (0, ""), err
        assert "database" in out
    database = await Database.open(settings.database.url)
    await database.ping()
    await database.close()


async def test_serve_says_in_one_line_what_is_wrong(tmp_path: Path) -> None:
    """A missing key, an unknown setting, a database that cannot be: exit code 1, no traceback."""
    path, settings = config(tmp_path)
    signing = Path(settings.secrets.dir) / "signing.keys"
    kept = signing.read_text()
    signing.unlink()
    code, out, err = await run_tell("serve", "--config", str(path))
    assert (code, out) == (1, "")
    assert err.startswith("tell: ")
    assert "tell keys init" in err
    signing.touch(mode=0o600)
    signing.write_text(kept)
    text = path.read_text()
    path.write_text(text.replace("sqlite:///", "oracle:///"))
    code, out, err = await run_tell("serve", "--config", str(path))
    assert (code, out) == (1, "")
    assert "database.url" in err
    assert "Traceback" not in err
    path.write_text(text + "\n[severe]\n")
    code, out, err = await run_tell("serve", "--config", str(path))
    assert (code, out) == (1, "")
    assert "severe" in err
