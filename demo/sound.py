"""A sound card that exists only while a test runs, and a recorder that knows the time.

A private PulseAudio daemon with one null sink: no configuration of the system is read or written,
no root is needed (and root does no harm), and it ends with the `with` block. Whatever is played
into the sink is captured from its monitor, each sample stamped on the host's clock.

How the stamps are made, and what they are worth. The null sink hands out a block of samples at
the instant at which the block's first sample sounds, paced by the host's monotonic clock (and, as
it rounds each block to microseconds, about 100 ppm fast: so the pace is measured, not assumed).
Every arrival of a block here is that instant *plus* some delay, never minus, but for a part of one
block that may come ahead. The lower envelope of (arrival - number / 48,000) over each second,
freed of its slope, is therefore the time of the samples. What is left is bounded by one block (the
recorder asks for 2 ms) and by how closely the seconds touch their common envelope, which is
measured: see `Recording.bound_s`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
from numpy.typing import NDArray

from demo.timecode import RATE_HZ, Samples

_PROGRAMS = ("pulseaudio", "parec")
# What the daemon says once its modules are loaded and its socket is open.
_READY = "Daemon startup complete."
_START_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 5.0
# The block that the recorder asks the sink for, and so about the largest lead of a stamp.
_BLOCK_S = 0.002
_BYTES_PER_SAMPLE = 4
_PRIORITY = -10
# The envelope is taken over stretches of this length, and smoothed over so many to each side.
_STRETCH_S = 1.0
_SMOOTH = 5


class SoundError(Exception):
    """The sound server did not start or died; the message has its last words."""

    code = "sound"


def available() -> str | None:
    """Return why sound cannot be captured here, None when it can."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)} (PulseAudio)" if missing else None


@dataclass(frozen=True, slots=True)
class Recording:
    """Captured sound, and when it sounded: `time_of` is true within `bound_s`.

    Times are seconds of the host's wall clock (time.time), which a server on this host reads too.
    """

    samples: Samples
    knots: tuple[NDArray[np.float64], NDArray[np.float64]]
    bound_s: float

    def time_of(self, position: float) -> float:
        """Host time, in seconds, at which the sample at *position* sounded."""
        positions, lags = self.knots
        return position / RATE_HZ + float(np.interp(position, positions, lags))

    def position_at(self, host_s: float) -> float:
        """Sample that sounded at *host_s*, a time of the host's clock."""
        positions, lags = self.knots
        return float(np.interp(host_s, positions / RATE_HZ + lags, positions))


class Recorder:
    """Records the sink's monitor from `start` to `stop`, in a thread of its own."""

    def __init__(self, environment: dict[str, str], source: str) -> None:
        self._environment = environment
        self._source = source
        self._process: subprocess.Popen[bytes] | None = None
        self._blocks: list[bytes] = []
        self._arrivals: list[tuple[int, float]] = []
        self._first = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, and return once sound (or silence) arrives. Raises SoundError."""
        self._process = subprocess.Popen(
            ["parec", "--raw", "--format=float32le", f"--rate={RATE_HZ}", "--channels=1",
             # The smaller the block, the smaller the bound of every stamp.
             f"--latency-msec={_BLOCK_S * 1000:.0f}", f"--process-time-msec={_BLOCK_S * 1000:.0f}",
             f"--device={self._source}"],
            env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
        )  # fmt: skip
        # As for the daemon below: the stamps are as good as the reader is prompt.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, _PRIORITY)
        self._thread = threading.Thread(target=self._read, name="recorder", daemon=True)
        self._thread.start()
        if not self._first.wait(_START_TIMEOUT_S):
            self._end()
            raise SoundError("the recorder got no sample from the sink's monitor")

    def so_far(self) -> Recording:
        """What is recorded up to now."""
        count = len(self._arrivals)
        blocks, arrivals = self._blocks[:count], self._arrivals[:count]
        samples = np.frombuffer(b"".join(blocks), dtype="<f4")
        return Recording(samples, *_timing(arrivals))

    def stop(self) -> Recording:
        """End, and return all of it."""
        self._end()
        return self.so_far()

    def _end(self) -> None:
        if self._process is not None:
            _stop(self._process)
        if self._thread is not None:
            # Its read ends with the process; only then may the pipe be closed.
            self._thread.join(_STOP_TIMEOUT_S)
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process is not None  # start() made it before this thread
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        count = 0
        rest = b""
        while data := os.read(descriptor, 1 << 16):
            arrived = time.time()
            data = rest + data
            whole = len(data) - len(data) % _BYTES_PER_SAMPLE
            data, rest = data[:whole], data[whole:]
            self._blocks.append(data)
            # The number of the block's first sample: it is the one that sounds on arrival.
            self._arrivals.append((count, arrived))
            count += whole // _BYTES_PER_SAMPLE
            self._first.set()


def _timing(
    arrivals: list[tuple[int, float]],
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], float]:
    """Knots (sample number, its time less number / 48,000) and the bound of all of them.

    The envelope of each second touches the true line only as well as the machine's load lets it;
    the spread of these envelopes says how well, so it is counted in the bound, beside one block.
    """
    # The first blocks come in a burst while the stream starts, and the last are flushed ahead of
    # their time when it ends: neither says anything about the pace.
    inner = [a for a in arrivals if RATE_HZ // 4 < a[0] < arrivals[-1][0] - RATE_HZ // 10]
    settled = np.array(inner or arrivals, dtype=np.float64)
    numbers, lags = settled[:, 0], settled[:, 1] - settled[:, 0] / RATE_HZ
    stretch = (numbers / RATE_HZ / _STRETCH_S).astype(int)
    lowest = [
        members[np.argmin(lags[members])]
        for members in np.split(np.arange(len(stretch)), np.flatnonzero(np.diff(stretch)) + 1)
    ]
    positions, envelope = numbers[lowest], lags[lowest]
    line = _slope(positions, envelope) * positions
    flat = envelope - line
    smooth = np.array(
        [np.min(flat[max(0, i - _SMOOTH) : i + _SMOOTH + 1]) for i in range(len(flat))]
    )
    blocks = np.diff(numbers) / RATE_HZ
    block_s = float(np.percentile(blocks, 99)) if len(blocks) else _BLOCK_S
    return (positions, smooth + line), block_s + float(np.max(flat - smooth))


def _slope(positions: NDArray[np.float64], envelope: NDArray[np.float64]) -> float:
    """Median slope over all pairs (Theil and Sen): one late second does not tilt it."""
    every = max(1, len(positions) // 200)
    x, y = positions[::every], envelope[::every]
    first, second = np.triu_indices(len(x), 1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first]))) if len(first) else 0.0


@dataclass(frozen=True, slots=True)
class SoundCard:
    """The running server: `environment` points a program's PulseAudio output at it."""

    environment: dict[str, str]
    sink: str

    def recorder(self) -> Recorder:
        """Return a new recorder of what the sink plays."""
        return Recorder(self.environment, f"{self.sink}.monitor")


@contextmanager
def sound_card() -> Iterator[SoundCard]:
    """Run a private PulseAudio daemon with one null sink of 48 kHz; raises SoundError."""
    with tempfile.TemporaryDirectory(prefix="tell-sound-") as folder:
        socket = Path(folder) / "native"
        environment = {
            **os.environ,
            # Everything that the daemon and its clients would read from or write to a home.
            "HOME": folder, "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder,
            "PULSE_RUNTIME_PATH": folder, "PULSE_STATE_PATH": folder, "PULSE_CONFIG_PATH": folder,
            "PULSE_SERVER": f"unix:{socket}",
        }  # fmt: skip
        daemon = subprocess.Popen(
            ["pulseaudio",
             "-n",                                   # no configuration file at all
             "--daemonize=no", "--use-pid-file=no",  # our child, ended by its own id
             "--exit-idle-time=-1",                  # not while a test thinks
             "--disable-shm=yes",                    # works where /dev/shm is small or absent
             "--log-target=stderr", "--log-level=info",  # there it says when it is ready
             # A real card does not wait for a busy machine. Refused to an ordinary user, which
             # PulseAudio takes in its stride.
             "--realtime=yes", "--high-priority=yes",
             f"--load=module-null-sink sink_name=tell rate={RATE_HZ} channels=2 format=s16le",
             f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1"],
            # In C its words are the ones that are waited for.
            env={**environment, "LC_ALL": "C"}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, errors="replace",
        )  # fmt: skip
        try:
            _wait_until_ready(daemon)
            yield SoundCard(environment, "tell")
        finally:
            _stop(daemon)


def _wait_until_ready(daemon: subprocess.Popen[str]) -> None:
    """Return once the daemon has loaded its modules; raises SoundError with its last words."""
    said: deque[str] = deque(maxlen=20)
    started: SimpleQueue[bool] = SimpleQueue()
    listener = threading.Thread(
        target=_listen, args=(daemon, said, started), name="pulseaudio's log", daemon=True
    )
    listener.start()
    with suppress(Empty):
        if started.get(timeout=_START_TIMEOUT_S):
            return
    raise SoundError(f"PulseAudio did not start: {''.join(said)[-500:]}")


def _listen(daemon: subprocess.Popen[str], said: deque[str], started: SimpleQueue[bool]) -> None:
    """Read what the daemon says until it ends, so that its pipe never fills up."""
    assert daemon.stderr is not None  # it was started with a pipe
    with daemon.stderr:
        for line in daemon.stderr:
            said.append(line)
            if _READY in line:
                started.put(True)
    started.put(False)


def _stop(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """Terminate, wait, kill, reap."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
