"""What a command costs: wall time, processor time and resident memory of it and its children."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_SAMPLE_S = 0.25


@dataclass(frozen=True, slots=True)
class Usage:
    """Costs of commands that ran one after the other; `memory_bytes` is the most at one moment."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_bytes: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.wall_s + other.wall_s,
            self.cpu_s + other.cpu_s,
            max(self.memory_bytes, other.memory_bytes),
        )

    def __str__(self) -> str:
        return (
            f"{self.wall_s:.1f} s, {self.cpu_s:.1f} s of CPU, "
            f"at most {self.memory_bytes / 1e6:.0f} MB resident"
        )


def run_measured(command: Sequence[str]) -> Usage:
    """Run *command* to its end; raises CalledProcessError with what it said.

    Memory is looked at four times a second, of all processes below it together (Linux's /proc).
    """
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    ) as process:
        said: list[bytes] = []
        assert process.stderr is not None
        stderr = process.stderr
        reader = threading.Thread(target=lambda: said.append(stderr.read()))
        reader.start()
        most_bytes = 0
        while True:
            most_bytes = max(most_bytes, resident_bytes(process.pid))
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(_SAMPLE_S)
        wall_s = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        reader.join()
    if process.returncode:
        print(b"".join(said).decode(errors="replace"))
        raise subprocess.CalledProcessError(process.returncode, command)
    # Of the process and of all children that it has waited for.
    return Usage(wall_s, usage.ru_utime + usage.ru_stime, most_bytes)


def resident_bytes(pid: int) -> int:
    """Resident memory of *pid* and all below it; a page that two of them share counts twice."""
    total = 0
    waiting = [pid]
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        try:
            pages = int((folder / "statm").read_text().split()[1])
            total += pages * os.sysconf("SC_PAGE_SIZE")
            for task in (folder / "task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, IndexError):
            continue  # it has ended meanwhile
    return total
