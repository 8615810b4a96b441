"""How much of the processors' time others had, on a machine that is shared with them.

A sound card that is computed stands still meanwhile, and what is heard of it tells of the machine.
"""

from __future__ import annotations

from pathlib import Path

_STAT = Path("/proc/stat")
_STEAL = 7
# From here on a second of sound may be late by what nobody but the machine has done.
STOLEN_LIMIT = 0.05


class Stolen:
    """Counts from where it is made."""

    def __init__(self) -> None:
        self._before = _ticks()

    def share(self) -> float:
        """Of all time since then, 0 to 1; 0 where the system does not tell."""
        passed = [now - before for now, before in zip(_ticks(), self._before, strict=True)]
        return passed[_STEAL] / sum(passed) if any(passed) else 0.0


def _ticks() -> list[int]:
    """User, nice, system, idle, iowait, irq, softirq and steal of all processors (proc(5))."""
    try:
        first, _, _ = _STAT.read_text("ascii").partition("\n")
    except OSError:
        return [0] * (_STEAL + 1)
    return [int(field) for field in first.split()[1 : _STEAL + 2]]
