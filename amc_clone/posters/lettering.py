"""A geometric alphabet of lines and arcs, so that titles look the same without any font.

A letter is (advance, path): it stands between y 0 and the baseline at y 1, and its advance is the
width of the stroke's middle line.
"""

from __future__ import annotations

from typing import Final

from amc_clone.posters.drawing import number

_BOWL = "M0 1V0H.32A.27 .27 0 0 1 .32 .54H0"
_ROUND = "M.5 0A.5 .5 0 1 1 .5 1A.5 .5 0 1 1 .5 0Z"

_LETTERS: Final[dict[str, tuple[float, str]]] = {
    "A": (0.84, "M0 1L.42 0L.84 1M.15 .66H.69"),
    "B": (0.59, "M.33 .48H0V0H.33A.24 .24 0 0 1 .33 .48A.26 .26 0 0 1 .33 1H0V.48"),
    "C": (0.9, "M.9 .2A.5 .5 0 1 0 .9 .8"),
    "D": (0.8, "M0 0H.3A.5 .5 0 0 1 .3 1H0Z"),
    "E": (0.52, "M.52 0H0V1H.52M0 .5H.44"),
    "F": (0.5, "M.52 0H0V1M0 .5H.42"),
    "G": (1.0, "M.9 .2A.5 .5 0 1 0 1 .54H.62"),
    "H": (0.68, "M0 0V1M.68 0V1M0 .5H.68"),
    "I": (0.0, "M0 0V1"),
    "J": (0.44, "M.44 0V.78A.22 .22 0 0 1 0 .78"),
    "K": (0.62, "M0 0V1M.6 0L0 .58M.2 .4L.64 1"),
    "L": (0.48, "M0 0V1H.48"),
    "M": (0.88, "M0 1V0L.44 .7L.88 0V1"),
    "N": (0.7, "M0 1V0L.7 1V0"),
    "O": (1.0, _ROUND),
    "P": (0.59, _BOWL),
    "Q": (1.0, f"{_ROUND}M.62 .64L.98 1"),
    "R": (0.6, f"{_BOWL}M.3 .54L.6 1"),
    "S": (0.56, "M.54 .18A.27 .25 0 1 0 .28 .5A.27 .25 0 1 1 .02 .8"),
    "T": (0.64, "M0 0H.64M.32 0V1"),
    "U": (0.68, "M0 0V.66A.34 .34 0 0 0 .68 .66V0"),
    "V": (0.8, "M0 0L.4 1L.8 0"),
    "W": (1.12, "M0 0L.3 1L.56 .1L.82 1L1.12 0"),
    "X": (0.68, "M0 0L.68 1M.68 0L0 1"),
    "Y": (0.72, "M0 0L.36 .5L.72 0M.36 .5V1"),
    "Z": (0.62, "M0 0H.62L0 1H.62"),
    "0": (0.64, "M.32 0A.32 .5 0 1 1 .32 1A.32 .5 0 1 1 .32 0Z"),
    "1": (0.22, "M0 .2L.22 0V1"),
    "2": (0.58, "M.02 .27A.28 .27 0 1 1 .5 .44L0 1H.58"),
    "3": (0.54, "M.02 .16A.25 .24 0 1 1 .26 .48A.27 .26 0 1 1 0 .82"),
    "4": (0.62, "M.46 1V0L0 .7H.62"),
    "5": (0.58, "M.52 0H.08L.04 .44A.29 .3 0 1 1 0 .84"),
    "6": (0.59, "M.46 0L.06 .56M.3 .42A.29 .29 0 1 1 .3 1A.29 .29 0 1 1 .3 .42Z"),
    "7": (0.58, "M0 0H.58L.16 1"),
    "8": (
        0.56,
        "M.29 .46A.23 .23 0 1 1 .29 0A.23 .23 0 1 1 .29 .46"
        "A.27 .27 0 1 1 .29 1A.27 .27 0 1 1 .29 .46Z",
    ),
    "9": (0.59, "M.14 1L.54 .44M.3 .58A.29 .29 0 1 1 .3 0A.29 .29 0 1 1 .3 .58Z"),
    ".": (0.0, "M0 .99V1"),
    ",": (0.04, "M.04 .98L0 1.12"),
    "!": (0.0, "M0 0V.68M0 .99V1"),
    " ": (0.2, ""),
}


def lettering(
    text: str,
    x: float,
    y: float,
    width: float,
    colour: str,
    *,
    weight: float = 0.15,
    spacing: float = 0.3,
    height: float | None = None,
) -> str:
    """*text* in capitals from (x, y), the top left, as wide as *width*.

    Without *height* the letters take the one that their form gives. With it they keep that height,
    and the space between them is stretched. *weight* and *spacing* are parts of the height.
    """
    letters = [_LETTERS[letter] for letter in text.upper()]
    gaps = len(letters) - 1
    advance = sum(letter[0] for letter in letters)
    if height is None:
        height = width / (advance + gaps * spacing + weight)
    elif gaps:
        spacing = ((width / height) - advance - weight) / gaps
    at = weight / 2
    drawn = []
    for letter_advance, outline in letters:
        if outline:
            drawn.append(f'<path transform="translate({number(at)})" d="{outline}"/>')
        at += letter_advance + spacing
    return (
        f'<g transform="translate({number(x)} {number(y)}) scale({number(height)})" fill="none" '
        f'stroke="{colour}" stroke-width="{number(weight)}" stroke-linecap="square" '
        f'stroke-miterlimit="2">{"".join(drawn)}</g>'
    )
