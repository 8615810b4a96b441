"""The page of a sold ticket: where to sit and when, and the way into Tell."""

from __future__ import annotations

from datetime import datetime

from amc_clone.localday import cinema_day
from amc_clone.models import DeliveryState, Purchase, Screening
from amc_clone.pages.layout import page
from amc_clone.pages.markup import Child, Markup, tag
from amc_clone.pages.wording import duration, how_far, local_time, long_date, zone_name

_REFRESH_S = 5


def purchase_page(purchase: Purchase, now: datetime) -> str:
    """The page at *now*. While Tell has not answered, a script looks again and tells of it.

    Without scripts the page itself is loaded anew. With them it must not be: that takes a
    screen reader back to the top (WCAG 2.2, F41).
    """
    undelivered = purchase.delivery.state is DeliveryState.PENDING
    pending = undelivered and purchase.cancelled_at is None
    waiting: Child = (
        (
            tag("script", src="/static/ticket.js", type="module"),
            tag("noscript", tag("meta", http_equiv="refresh", content=str(_REFRESH_S))),
        )
        if pending
        else None
    )
    screening = purchase.screening
    return page(
        f"Your ticket for {screening.movie.title}",
        tag(
            "article",
            tag("img", src=screening.movie.poster_path, alt="", width="600", height="900"),
            tag(
                "div",
                tag("p", "Your ticket", class_="eyebrow"),
                tag("h1", screening.movie.title),
                tag(
                    "p",
                    f"{screening.movie.year} · {duration(screening.movie.running_time_s)}",
                    class_="minor",
                ),
                _facts(screening, now),
                class_="ticket-facts",
            ),
            class_="ticket",
        ),
        tag(
            "section",
            tag("h2", "Audio description", id="listen-heading"),
            tag("div", _listen(purchase), id="listen", role="status"),
            class_="listen",
            aria_labelledby="listen-heading",
        ),
        tag("p", tag("a", "Back to the showings", href=_back(screening)), class_="back"),
        head=waiting,
    )


def _facts(screening: Screening, now: datetime) -> Markup:
    zone = screening.theater.time_zone
    day = cinema_day(screening.previews_start, zone)
    progress = how_far(screening, now)
    facts: list[tuple[str, Child]] = [
        ("Theater", f"{screening.theater.name}, {screening.theater.city}"),
        ("Auditorium", screening.auditorium_number),
        ("Day", long_date(day)),
        (
            "Previews",
            (
                local_time(screening.previews_start, zone),
                f" {zone_name(screening.previews_start, zone)}",
            ),
        ),
        ("Film", local_time(screening.movie_start, zone)),
        ("Ends", ("about ", local_time(screening.credits_end, zone))),
    ]
    if progress:
        facts.append(("Now", progress))
    return tag(
        "dl",
        (tag("div", tag("dt", name), tag("dd", value)) for name, value in facts),
    )


def _listen(purchase: Purchase) -> Child:
    """What is known of the listen link."""
    if purchase.cancelled_at is not None:
        return tag("p", "This ticket was cancelled, so there is nothing to listen to.")
    if purchase.listen_url is not None:
        return _link(purchase.purchase_id, purchase.listen_url)
    if purchase.delivery.state is DeliveryState.FAILED:
        return tag(
            "p",
            "Tell could not take this ticket, so there is no listen link. Please show this page at "
            "the desk: your seat is not affected.",
            class_="refused",
        )
    return (
        tag(
            "p",
            tag("span", class_="pulse", aria_hidden="true"),
            "Your listen link is on its way. Your ticket is safe, and this page shows the link as "
            "soon as it is here.",
            class_="waiting",
        ),
        tag("p", tag("a", "Look again", href=f"/purchases/{purchase.purchase_id}")),
    )


def _link(purchase_id: str, listen_url: str) -> Child:
    return tag(
        "div",
        tag(
            "div",
            tag("a", "Listen with Tell", href=listen_url, class_="primary", rel="noreferrer"),
            tag(
                "p",
                "Open it on the phone that you take to the cinema, or scan the code with it. The "
                "link is yours alone: whoever has it can listen in your place.",
            ),
        ),
        tag(
            "img",
            src=f"/purchases/{purchase_id}/qr.svg",
            alt="QR code of your listen link",
            width="200",
            height="200",
        ),
        class_="link",
    )


def _back(screening: Screening) -> str:
    day = cinema_day(screening.previews_start, screening.theater.time_zone)
    return f"/?theater={screening.theater.place_id}&day={day.isoformat()}"
