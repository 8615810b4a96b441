"""Which files of a work folder are finished, so that a second run need not make them again.

Beside a finished file stands a note, `<name>.done`: what the file was made from, and its digest. It
is written last and replaced as a whole, so a run that was killed leaves either none or a true one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from packager.digest import file_sha256

_SUFFIX = ".done"


def write_done(path: Path, key: str, result: str = "") -> None:
    """Note that *path* is finished; *key* says what it was made from. Raises OSError.

    *result* is kept with it: what a later stage found out about the file.
    """
    note = json.dumps({"key": key, "sha256": file_sha256(path), "result": result})
    staged = _note(path).with_suffix(".part")
    with staged.open("w", encoding="utf-8") as out:
        out.write(note)
        out.flush()
        # The file itself was written before; a note that outlives it would vouch for nothing.
        os.fsync(out.fileno())
    staged.replace(_note(path))


def is_done(path: Path, key: str) -> bool:
    """Whether *path* is finished, was made from what *key* says, and is still as it was."""
    return done_result(path, key) is not None


def done_result(path: Path, key: str) -> str | None:
    """Return the result that was noted for *path*; None where it is not finished."""
    try:
        note = json.loads(_note(path).read_text(encoding="utf-8"))
        same = note["key"] == key and note["sha256"] == file_sha256(path)
        return str(note["result"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        # No note, half of one by another program's hand, or no file: it is made again.
        return None


def finished_names(folder: Path) -> list[str]:
    """Names of the files in *folder* that have a note, whatever they were made from."""
    return sorted(note.name.removesuffix(_SUFFIX) for note in folder.glob(f"*{_SUFFIX}"))


def remove_unfinished(path: Path) -> None:
    """Take away *path* and its note, so that it can be made again. Raises OSError."""
    _note(path).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _note(path: Path) -> Path:
    return path.with_name(f"{path.name}{_SUFFIX}")
