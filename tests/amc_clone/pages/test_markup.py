"""HTML is written escaped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amc_clone.pages.markup import Markup, document, tag
from tests.amc_clone.pages.reading import read_page


def test_text_and_attributes_are_escaped() -> None:
    """Markup stays as it is, text does not become any."""
    written = tag("p", "<b>", Markup("<i>x</i>"), title='"><script>', hidden=True, id=None)
    assert written == ('<p title="&quot;&gt;&lt;script&gt;" hidden>&lt;b&gt;<i>x</i></p>')


def test_names_of_attributes() -> None:
    """Python's reserved words and HTML's dashes."""
    assert tag("br", class_="a", aria_label="b") == '<br class="a" aria-label="b">'


@given(text=st.text(st.characters(exclude_characters="\r\x00", exclude_categories=["Cs"])))
def test_no_text_can_break_out(text: str) -> None:
    """Whatever a title holds, it is read back as that text and nothing else."""
    page = read_page(document(tag("p", text, title=text), lang="en"))
    (paragraph,) = page.all("p")
    assert "".join(str(child) for child in paragraph.children) == text
    assert paragraph.attributes["title"] == text
