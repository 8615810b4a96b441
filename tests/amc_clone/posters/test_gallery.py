"""Posters are whole, different and harmless."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from amc_clone.films import FILMS
from amc_clone.posters.gallery import poster

HARMLESS = {"svg", "rect", "circle", "ellipse", "polygon", "line", "path", "g"}


@pytest.mark.parametrize("movie_id", [movie.movie_id for movie in FILMS])
def test_a_poster_is_a_drawing_and_nothing_else(movie_id: str) -> None:
    """2 by 3, no script, no style, no font, nothing from elsewhere."""
    drawn = poster(movie_id)
    assert drawn is not None
    root = ElementTree.fromstring(drawn)  # noqa: S314  (made by the code under test)
    assert root.attrib["viewBox"] == "0 0 600 900"
    names = {each.tag.removeprefix("{http://www.w3.org/2000/svg}") for each in root.iter()}
    assert names <= HARMLESS
    attributes = {name for each in root.iter() for name in each.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name}
    assert "style" not in attributes


def test_no_two_posters_are_alike() -> None:
    """Each film has its own."""
    assert len({poster(movie.movie_id) for movie in FILMS}) == len(FILMS)


def test_an_unknown_film_has_none() -> None:
    """It is said, not drawn."""
    assert poster("heat") is None
