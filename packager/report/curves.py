"""Curves over the length of a track, as inline SVG: waveform, loudness, pauses, findings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from packager.report.wording import clock_time

_WIDTH = 1000
_WAVE_HEIGHT = 160
_LOUDNESS_HEIGHT = 160
_AXIS_HEIGHT = 22
# Below this a loudness curve is silence, and is drawn at the bottom.
_FLOOR_LUFS = -60.0
# As many labels as fit beside each other on a phone held upright, at steps that people count in.
_MOST_TICKS = 8
_STEPS_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)


def waveform_svg(
    waveform: NDArray[np.float32],
    gain_db: float,
    pauses_s: Sequence[tuple[float, float]],
    marks_s: Sequence[float],
    duration_s: float,
    description: str,
) -> str:
    """Lowest and highest sample of each moment after the gain, over the pauses, under the marks."""
    columns = _columns(waveform, _WIDTH) * 10 ** (gain_db / 20)
    middle = _WAVE_HEIGHT / 2
    count = len(columns)
    steps = [
        f"M{(i + 0.5) * _WIDTH / count:.1f} {middle - high * middle:.1f}"
        f"V{max(middle - low * middle, middle - high * middle + 0.5):.1f}"
        for i, (low, high) in enumerate(np.clip(columns, -1.0, 1.0).tolist())
    ]
    stroke = max(_WIDTH / max(count, 1), 1.0)
    path = f'<path class="wave" stroke-width="{stroke:.2f}" d="{"".join(steps)}"/>'
    return _picture(
        "waveform",
        "Waveform",
        description,
        _WAVE_HEIGHT,
        duration_s,
        [_pauses(pauses_s, duration_s), path, _marks(marks_s, duration_s, _WAVE_HEIGHT)],
    )


def loudness_svg(
    momentary_lufs: NDArray[np.float32],
    short_term_lufs: NDArray[np.float32],
    gain_db: float,
    target_lufs: float | None,
    duration_s: float,
    description: str,
) -> str:
    """Momentary and short-term loudness (EBU Tech 3341) of each second, after the gain."""
    parts = [
        f'<line class="grid" x1="0" x2="{_WIDTH}" y1="{_level(lufs):.1f}" y2="{_level(lufs):.1f}"/>'
        f'<text x="2" y="{_level(lufs) - 3:.1f}">{lufs} LUFS</text>'
        for lufs in (-50, -40, -30, -20, -10)
    ]
    parts.append(_curve("wave", momentary_lufs, gain_db, duration_s))
    parts.append(_curve("short", short_term_lufs, gain_db, duration_s))
    if target_lufs is not None:
        y = _level(target_lufs)
        parts.append(
            f'<line class="mark" stroke-dasharray="4 4" x1="0" x2="{_WIDTH}" '
            f'y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    return _picture(
        "loudness", "Loudness over time", description, _LOUDNESS_HEIGHT, duration_s, parts
    )


def _picture(
    name: str, title: str, description: str, height: int, duration_s: float, parts: Sequence[str]
) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height + _AXIS_HEIGHT}" role="img" '
        f'aria-labelledby="{name}-title {name}-text" data-seek="{duration_s:.3f}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-text">{escape(description)}</desc>'
        f"{''.join(parts)}{_axis(duration_s, height)}</svg>"
    )


def _columns(pairs: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """At most *most* rows, each with the lowest and highest of the rows that it stands for."""
    if len(pairs) <= most:
        return pairs
    starts = np.linspace(0, len(pairs), most, endpoint=False).astype(int)
    low = np.minimum.reduceat(pairs[:, 0], starts)
    high = np.maximum.reduceat(pairs[:, 1], starts)
    return np.stack((low, high), axis=1)


def _curve(kind: str, lufs: NDArray[np.float32], gain_db: float, duration_s: float) -> str:
    if len(lufs) == 0:
        return ""
    values = lufs
    if len(lufs) > _WIDTH:
        starts = np.linspace(0, len(lufs), _WIDTH, endpoint=False).astype(int)
        values = np.maximum.reduceat(lufs, starts)
    # The last second may be a part of one.
    step = _WIDTH * len(lufs) / max(duration_s, 1e-9) / len(values)
    points = " ".join(
        f"{min((i + 0.5) * step, _WIDTH):.1f},{_level(value + gain_db):.1f}"
        for i, value in enumerate(values.tolist())
    )
    return f'<polyline class="{kind}" points="{points}"/>'


def _level(lufs: float) -> float:
    """Height of a loudness in the picture: 0 LUFS at its top, the floor at its bottom."""
    inside = min(max(lufs, _FLOOR_LUFS), 0.0)
    return _LOUDNESS_HEIGHT * inside / _FLOOR_LUFS


def _pauses(pauses_s: Sequence[tuple[float, float]], duration_s: float) -> str:
    scale = _WIDTH / duration_s
    # One path for all: two hours have thousands of them.
    steps = "".join(
        f"M{begin * scale:.2f} 0H{end * scale:.2f}V{_WAVE_HEIGHT}H{begin * scale:.2f}Z"
        for begin, end in pauses_s
    )
    return f'<path class="pause" d="{steps}"/>' if steps else ""


def _marks(marks_s: Sequence[float], duration_s: float, height: int) -> str:
    return "".join(
        f'<line class="mark" x1="{at * _WIDTH / duration_s:.1f}" '
        f'x2="{at * _WIDTH / duration_s:.1f}" y1="0" y2="{height}"/>'
        for at in marks_s
    )


def _axis(duration_s: float, height: int) -> str:
    step = next((s for s in _STEPS_S if duration_s / s <= _MOST_TICKS), _STEPS_S[-1])
    labels = []
    for at in range(0, int(duration_s) + 1, step):
        x = at * _WIDTH / duration_s
        anchor = "start" if at == 0 else "end" if x > _WIDTH - 40 else "middle"
        labels.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{height}" y2="{height + 5}"/>'
            f'<text x="{x:.1f}" y="{height + 17}" text-anchor="{anchor}">{clock_time(at)}</text>'
        )
    return "".join(labels)
