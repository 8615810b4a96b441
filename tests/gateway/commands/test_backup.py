"""`tell backup` and `tell restore`, run as processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.store.database import Database
from tests.catalog.rows import everything, fill
from tests.gateway.processes import run_tell


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config.toml of a Tell in *tmp_path*."""
    path = tmp_path / "config.toml"
    path.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/tell.db"\n[backups]\nto = "{tmp_path}/saved"\n'
    )
    return path


async def test_saved_listed_lost_and_restored(config: Path, tmp_path: Path) -> None:
    """The way of an operator, from the first backup to the day when the disk died."""
    database = await Database.open(f"sqlite:///{tmp_path}/tell.db")
    await fill(database)
    before = await everything(database)
    await database.close()
    code, out, err = await run_tell("backup", "--config", str(config))
    assert (code, err) == (0, "")
    path, _, rest = out.partition(": ")
    assert Path(path).is_file()
    assert "SHA-256 " in rest
    saved = list((tmp_path / "saved").rglob("*"))
    assert {each.stat().st_mode & 0o077 for each in saved} == {0}, "others can open it"
    code, out, _ = await run_tell("restore", "--list", "--config", str(config))
    assert code == 0
    assert out.startswith(path)
    code, _, err = await run_tell("restore", "--config", str(config))
    assert (code, "--force" in err) == (1, True)
    for file in tmp_path.glob("tell.db*"):
        file.unlink()
    code, out, err = await run_tell("restore", "--config", str(config))
    assert code == 0, err
    assert out.startswith(f"{path}: restored\n")
    assert "  purchases: 3\n" in out
    database = await Database.open(f"sqlite:///{tmp_path}/tell.db")
    assert await everything(database) == before
    await database.close()


async def test_what_a_person_can_mend_is_one_line(config: Path, tmp_path: Path) -> None:
    """No backup, a place that is none, a folder that cannot be written."""
    code, _, err = await run_tell("restore", "--config", str(config))
    assert (code, err.count("\n")) == (1, 1)
    assert "there is no backup" in err
    code, _, err = await run_tell("backup", "--to", "ftp://elsewhere", "--config", str(config))
    assert (code, err.count("\n")) == (1, 1)
    assert "neither a folder nor s3://" in err
    (tmp_path / "taken").write_text("")
    code, _, err = await run_tell("backup", "--to", f"{tmp_path}/taken", "--config", str(config))
    assert (code, err.count("\n")) == (1, 1)
    assert "taken" in err
