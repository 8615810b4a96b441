"""Titles are drawn, letter by letter."""

from __future__ import annotations

import pytest

from amc_clone.films import FILMS
from amc_clone.posters.lettering import lettering


@pytest.mark.parametrize("title", [movie.title for movie in FILMS])
def test_every_title_can_be_written(title: str) -> None:
    """The alphabet has what the films need, one path for each letter."""
    drawn = lettering(title, 0, 0, 500, "#000")
    assert drawn.count("<path") == len(title.replace(" ", ""))


def test_letters_fill_the_width() -> None:
    """Two I are two strokes: height follows from the width, or the gap from the height."""
    assert lettering("II", 0, 0, 90, "#000", weight=0.15, spacing=0.3) == (
        '<g transform="translate(0 0) scale(200)" fill="none" stroke="#000" stroke-width="0.15" '
        'stroke-linecap="square" stroke-miterlimit="2">'
        '<path transform="translate(0.07)" d="M0 0V1"/>'
        '<path transform="translate(0.38)" d="M0 0V1"/></g>'
    )
    assert 'translate(0.82)" d' in lettering("II", 0, 0, 90, "#000", height=100)
