"""Times, lengths and rates as people read them: in the report, the summary and the lists."""

from __future__ import annotations


def clock_time(at_s: float) -> str:
    """A time in a track as its player shows it: 0:08, 12:03, 1:35:20."""
    whole = int(at_s)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def length(duration_s: float) -> str:
    """A length in words: 8.3 s, 12 min 3.0 s, 1 h 52 min 3.2 s."""
    tenths = round(duration_s * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minute = divmod(minutes, 60)
    words = [f"{hours} h"] if hours else []
    if minutes:
        words.append(f"{minute} min")
    return " ".join([*words, f"{rest / 10:.1f} s"])


def kbps(bit_rate_bps: int) -> str:
    """A bit rate in kbit/s, the unit left to the reader's table."""
    return f"{bit_rate_bps / 1000:.1f}"


def megabytes(size_bytes: int) -> str:
    """A size in MB of a million bytes."""
    return f"{size_bytes / 1e6:.2f}"


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
