"""Writing HTML so that nothing unescaped gets in: text is escaped unless it is Markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

# HTML Living Standard 13.1.2: these have no end tag.
_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Markup:
    """One element. `class_` and `aria_label` become `class` and `aria-label`.

    An attribute that is None or False is left out, one that is True has no value.
    """
    start = f"<{name}{''.join(_attribute(*each) for each in attributes.items())}>"
    return Markup(start if name in _VOID else f"{start}{_html(children)}</{name}>")


def document(*children: Child, lang: str) -> str:
    """A whole page."""
    return f"<!doctype html>\n{tag('html', *children, lang=lang)}\n"


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(value)}"'


def _html(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child)
    return "".join(_html(each) for each in child)
