"""What a running server has cost, by the kernel's accounting; and where it listens."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit


def cpu_s(pid: int) -> float:
    """Processor time of a process and its children that run now (proc(5))."""
    ticks = 0
    waiting = [pid]
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        # After the name in brackets, which may hold spaces: fields 14 and 15 of the line.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
        for task in (folder / "task").iterdir():
            waiting += [int(child) for child in (task / "children").read_text().split()]
    return ticks / os.sysconf("SC_CLK_TCK")


def port_of(url: str) -> int:
    """Port of an address of ours."""
    port = urlsplit(url).port
    if port is None:
        raise ValueError(url)
    return port
