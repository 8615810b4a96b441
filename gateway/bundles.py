"""The app's modules joined into few files by the build (hatch_build.py), where these are current.

On a slow line each module costs a round trip, and packed together they are less than half as
large. A bundle counts only while every module is, byte for byte, what it was made of: who edits a
module gets the modules themselves at the next start, and never yesterday's app.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

FOLDER = "built"
_INDEX = "bundles.json"


@dataclass(frozen=True, slots=True)
class Bundles:
    """`files` by the names of the modules that they stand for, and all that is `joined` in them.

    A source map has the name of its bundle with `.map`.
    """

    files: dict[str, bytes]
    joined: frozenset[str]


def current_bundles(folder: Path) -> Bundles | None:
    """Return the bundles of the app in *folder*, None where there are none of these very modules.

    Raises ValueError where the build's own list cannot be read.
    """
    built = folder / FOLDER
    try:
        listed = json.loads((built / _INDEX).read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{built / _INDEX} is damaged; build the app anew: make app") from error
    sources: dict[str, str] = listed["sources"]
    for name, digest in sources.items():
        source = folder / name
        if not source.is_file() or hashlib.sha256(source.read_bytes()).hexdigest() != digest:
            return None
    return Bundles(
        {name: (built / name).read_bytes() for name in listed["files"]}, frozenset(sources)
    )
