"""What all pages share: head, header, main and footer."""

from __future__ import annotations

from amc_clone.pages.markup import Child, document, tag


def page(title: str, *content: Child, head: Child = None) -> str:
    """A page whose title, as told by a screen reader, begins with what is special to it."""
    return document(
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", f"{title} · AMC-clone"),
            tag("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
            tag("link", rel="stylesheet", href="/static/style.css"),
            head,
        ),
        tag(
            "body",
            tag("a", "Skip to the content", href="#content", class_="skip"),
            tag(
                "header",
                tag(
                    "a",
                    tag("span", class_="brand-mark", aria_hidden="true"),
                    "AMC-clone",
                    href="/",
                    class_="brand",
                ),
                class_="site",
            ),
            tag("main", *content, id="content", tabindex="-1"),
            tag(
                "footer",
                tag("p", "A simulated cinema chain. No money changes hands, no seat is kept."),
                tag("p", tag("a", "Operator's desk", href="/operator")),
                class_="site",
            ),
        ),
        lang="en",
    )
