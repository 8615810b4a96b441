"""Film files: small pictures, and several audio tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.packager.signals import convert, speech, tone, write_sound

_PICTURE = ("-f", "lavfi", "-i")


def write_film(path: Path, *, seconds: float = 2.0, rate: str = "25", late_s: float = 0.0) -> Path:
    """A film at *rate*: an English 5.1 mix, English AD (flagged), a French and a nameless track.

    The AD is speech and the others are tones. With *late_s* all sound begins that much after the
    pictures.
    """
    described = write_sound(path.with_suffix(".ad.wav"), speech(seconds))
    other = write_sound(path.with_suffix(".tone.wav"), tone(-20, seconds))
    surround = write_sound(path.with_suffix(".mix.wav"), np.column_stack([tone(-20, seconds)] * 6))
    late = ("-itsoffset", str(late_s))
    inputs = (*late, "-i", str(surround), *late, "-i", str(described), *late)
    picture = f"testsrc=size=64x64:rate={rate}:duration={seconds}"
    return convert(
        other,
        path,
        *("-map", "0:v", "-map", "1:a", "-map", "2:a", "-map", "3:a", "-map", "3:a"),
        *("-c:v", "mpeg4", "-c:a", "pcm_s16le" if path.suffix == ".mov" else "flac"),
        *("-ac:a:0", "6", "-metadata:s:a:0", "language=eng"),
        *("-metadata:s:a:1", "language=eng", "-metadata:s:a:1", "title=Described"),
        *("-disposition:a:1", "visual_impaired", "-metadata:s:a:2", "language=fre"),
        before=(*_PICTURE, picture, *inputs),
    )
