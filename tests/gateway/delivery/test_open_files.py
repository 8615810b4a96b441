"""Files that are held open."""

from __future__ import annotations

import os
from pathlib import Path

from gateway.delivery.open_files import OpenFiles
from tests.gateway.town import Seconds


def made(folder: Path, name: str, size: int = 100) -> str:
    """A file of that size."""
    path = folder / name
    path.write_bytes(bytes(size))
    return str(path)


def test_a_file_is_opened_once_and_the_oldest_is_closed(tmp_path: Path) -> None:
    """Never more descriptors than the limit; none is left at the end."""
    before = _descriptors()
    files = OpenFiles(2, Seconds())
    first = files.get(made(tmp_path, "a"))
    assert first is not None
    assert files.get(str(tmp_path / "a")) is first
    for name in "bcd":
        assert files.get(made(tmp_path, name)) is not None
    assert len(files) == 2
    assert _descriptors() == before + 2
    files.close()
    assert _descriptors() == before


def test_what_is_removed_replaced_or_cut_is_seen_a_second_later(tmp_path: Path) -> None:
    """It is opened anew; where that cannot be, there is none."""
    clock = Seconds()
    files = OpenFiles(8, clock)
    path = Path(made(tmp_path, "a"))
    first = files.get(str(path))
    clock.now += 1
    assert files.get(str(path)) is first
    os.truncate(path, 50)
    clock.now += 1
    second = files.get(str(path))
    assert second is not None
    assert second.size_bytes == 50
    made(tmp_path, "new", 70)
    (tmp_path / "new").replace(path)
    clock.now += 1
    third = files.get(str(path))
    assert third is not None
    assert third.size_bytes == 70
    path.unlink()
    clock.now += 1
    assert files.get(str(path)) is None
    assert len(files) == 0
    files.close()


def test_only_a_byte_that_is_there_is_near(tmp_path: Path) -> None:
    """Behind the end there is nothing to send."""
    files = OpenFiles(8, Seconds())
    file = files.get(made(tmp_path, "a"))
    assert file is not None
    assert file.is_near(99)
    assert not file.is_near(100)
    files.close()


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
