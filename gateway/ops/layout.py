"""What all pages of the operator share: head, header and main; the log-in, and what went wrong.

Pure. Nothing in a page is inline: its policy allows files from here alone.
"""

from __future__ import annotations

from gateway.ops.markup import Child, Markup, html, tag

# Columns that fit a phone.
_FEW = 3
# What the pages may do (CSP Level 3).
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def page(title: str, *main: Child, form_token: str | None = None, live: bool = False) -> str:
    """A whole page; *form_token* is the session's, and without one nobody is in."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · Tell operations"),
        tag("link", rel="stylesheet", href="/ops/static/ops.css"),
        tag("script", type="module", src="/ops/static/ops.js") if live else None,
    )
    header = tag(
        "header",
        tag("a", "Tell operations", href="/ops", class_="home"),
        None if form_token is None else _log_out(form_token),
    )
    body = tag(
        "body",
        tag("a", "Skip to the content", href="#main", class_="skip"),
        header,
        tag("main", *main, id="main", tabindex="-1"),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def login_page(fault: str | None = None) -> str:
    """The form that asks for the token; *fault* says why the last one did not open."""
    return page(
        "Log in",
        tag("h1", "Log in"),
        None if fault is None else tag("p", fault, role="alert", class_="bad"),
        tag(
            "form",
            tag("label", "Operator's token", for_="token"),
            tag(
                "input",
                id="token",
                name="token",
                type="password",
                required=True,
                autocomplete="current-password",
                maxlength="200",
                aria_describedby="where",
            ),
            tag("p", "It stands in ops.token, beside the keys of this server.", id="where"),
            tag("button", "Log in", type="submit"),
            method="post",
            action="/ops/login",
            class_="stacked",
        ),
    )


def fault_page(title: str, detail: str, correlation_id: str) -> str:
    """What could not be done, why, and where to go on."""
    return page(
        title,
        tag("h1", title),
        tag("p", detail, class_="bad"),
        tag("p", "Named ", tag("code", correlation_id), " in the log."),
        tag("p", tag("a", "Back to tonight", href="/ops")),
    )


def hidden(**fields: str) -> Markup:
    """Fields of a form that nobody sees."""
    return html(
        [tag("input", type="hidden", name=name, value=value) for name, value in fields.items()]
    )


def facts(rows: list[tuple[str, Child]]) -> Markup:
    """A list of names and what they are."""
    return tag("dl", [html((tag("dt", name), tag("dd", what))) for name, what in rows])


def table(caption: str, head: list[str], rows: list[list[Child]]) -> Markup:
    """A table whose first column names the row; narrow screens scroll it, by keyboard too."""
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption, class_="unseen"),
            tag("thead", tag("tr", [tag("th", name, scope="col") for name in head])),
            tag(
                "tbody",
                [
                    tag(
                        "tr",
                        tag("th", first, scope="row"),
                        [tag("td", cell) for cell in cells],
                    )
                    for first, *cells in rows
                ],
            ),
            class_="many" if len(head) > _FEW else None,
        ),
        class_="wide",
        role="group",
        aria_label=caption,
        tabindex="0",
    )


def _log_out(form_token: str) -> Markup:
    return tag(
        "form",
        hidden(form_token=form_token),
        tag("button", "Log out", type="submit"),
        method="post",
        action="/ops/logout",
    )
