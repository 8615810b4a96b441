"""The page for what could not be done."""

from __future__ import annotations

from http import HTTPStatus

from amc_clone.pages.layout import page
from amc_clone.pages.markup import tag

_HEADINGS = {
    HTTPStatus.NOT_FOUND: "That is not here",
    HTTPStatus.CONFLICT: "That cannot be done any more",
    HTTPStatus.FORBIDDEN: "That came from elsewhere",
    HTTPStatus.BAD_REQUEST: "That could not be read",
}


def error_page(status: HTTPStatus, detail: str) -> str:
    """A page that says what is wrong and leads back to the showings."""
    heading = _HEADINGS.get(status, "That did not work")
    return page(
        heading,
        tag(
            "div",
            tag("p", str(int(status)), class_="eyebrow"),
            tag("h1", heading),
            tag("p", f"{detail[:1].upper()}{detail[1:]}.", class_="lead"),
            tag("p", tag("a", "See today's showings", href="/"), class_="back"),
            class_="title",
        ),
    )
