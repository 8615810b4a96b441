"""The app's scripts as browsers get them: without what is written for their readers. Pure.

Nothing is renamed or joined, and each line keeps its number, so that an error of a phone points
into the source. Template literals over several lines would be changed: a test finds them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

# Comments that have their lines to themselves; a cast within a line stays.
_BLOCK = re.compile(rb"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(rb"^[ \t]*//.*$", re.MULTILINE)
_INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)
# ECMAScript 16.2.2: imports that are fetched before the module runs. A dynamic one has brackets.
_IMPORT = re.compile(rb'^import\b[^"(;]*"(\.{1,2}/[^"]+)"', re.MULTILINE)


def trimmed(source: bytes) -> bytes:
    """Return the script without comments and indentation, line by line the same."""
    bare = _BLOCK.sub(lambda found: b"\n" * found[0].count(b"\n"), source)
    return _INDENT.sub(b"", _LINE.sub(b"", bare))


def imported(entry: str, sources: Mapping[str, bytes]) -> list[str]:
    """Return *entry* and all that it imports, directly or not, by their names in *sources*.

    An import of what is not there is passed over: the browser will say so.
    """
    found = [entry]
    # The list grows while it is gone through.
    for name in found:
        for path in _IMPORT.findall(sources[name]):
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path.decode()))
            if target in sources and target not in found:
                found.append(target)
    return found
