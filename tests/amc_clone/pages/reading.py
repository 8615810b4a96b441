"""Reading a page as a program that helps people would: elements, their text and their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

_VOID = {"br", "hr", "img", "input", "link", "meta"}


@dataclass
class Element:
    """An element and what is in it."""

    name: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in the page's order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, *names: str) -> list[Element]:
        """All elements of these names."""
        return [each for each in self.walk() if each.name in names]

    @property
    def text(self) -> str:
        """All text in it, with single spaces."""
        words = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(words).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("#page", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        element = Element(tag, dict(attrs))
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def read_page(html: str) -> Element:
    """The page's root; fails where elements are not closed in their order."""
    assert html.startswith("<!doctype html>")
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert [each.name for each in reader._open] == ["#page"]
    (root,) = reader.root.all("html")
    return root


def check_accessible(html: str) -> Element:
    """The basics that every page keeps (WCAG 2.2 and our CSP); returns the page's root."""
    root = read_page(html)
    assert root.attributes["lang"] == "en"
    (title,) = root.all("title")
    assert title.text.endswith("· AMC-clone")
    for landmark in ("main", "h1"):
        assert len(root.all(landmark)) == 1, landmark
    levels = [int(each.name[1]) for each in root.all("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    ids = [each.attributes["id"] for each in root.walk() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    labelled = {each.attributes["for"] for each in root.all("label") if each.text}
    for each in root.walk():
        _check(each, set(ids))
        if each.name in {"input", "select"} and each.attributes.get("type") != "hidden":
            assert each.attributes["id"] in labelled, f"<{each.name}> has no label"
    skip = root.all("a")[0]
    assert skip.attributes["href"] == "#content"
    return root


def _check(element: Element, ids: set[str | None]) -> None:
    attributes = element.attributes
    assert element.name != "style"
    assert "style" not in attributes
    assert not [name for name in attributes if name.startswith("on")]
    assert not element.attributes.get("href", "") or not str(attributes["href"]).startswith(
        "javascript:"
    )
    if element.name == "script":
        assert attributes.get("src")
        assert not element.text
    if element.name == "img":
        assert attributes.get("alt") is not None
        assert attributes["width"]
        assert attributes["height"]
    if element.name in {"a", "button"}:
        assert element.text, f"<{element.name}> has no name"
    if element.name == "nav":
        assert attributes["aria-label"]
    if "aria-labelledby" in attributes:
        assert attributes["aria-labelledby"] in ids
