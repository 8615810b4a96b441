"""Writing HTML so that nothing unescaped gets in: text is escaped unless it is Markup. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

# HTML Living Standard 13.1.2: these have no end tag.
_VOID = frozenset({"br", "input", "link", "meta"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = "str | Iterable[Child] | None"


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Markup:
    """One element. `class_` and `aria_label` become `class` and `aria-label`.

    An attribute that is None or False is left out, one that is True has no value.
    """
    start = f"<{name}{''.join(_attribute(*each) for each in attributes.items())}>"
    return Markup(start if name in _VOID else f"{start}{html(children)}</{name}>")


def html(child: Child) -> Markup:
    """Several pieces as one."""
    if child is None:
        return Markup("")
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return Markup(escape(child))
    return Markup("".join(html(each) for each in child))


def _attribute(name: str, value: str | bool | None) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(value)}"'
