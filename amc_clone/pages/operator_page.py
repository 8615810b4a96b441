"""The operator's page: each screening of a day, and what can be done to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from amc_clone.models import Screening, ScreeningStatus
from amc_clone.pages.choosing import day_links, theater_links
from amc_clone.pages.layout import page
from amc_clone.pages.markup import Child, Markup, tag
from amc_clone.pages.wording import how_far, local_time, long_date
from amc_clone.theater_day import TheaterDay
from amc_clone.timeline import standing

_PATH = "/operator"
_DELAY_MIN = 5


@dataclass(frozen=True, slots=True)
class DeskView:
    """What the page shows. `changed` is the screening that was changed last, if any.

    `waiting` messages have not reached Tell yet.
    """

    shown: TheaterDay
    auditoriums: Sequence[str]
    waiting: int
    changed: Screening | None
    ticket_cancelled: bool


def operator_page(view: DeskView, now: datetime) -> str:
    """The page at *now*; what is over or cancelled has no buttons."""
    shown = view.shown
    return page(
        f"Operator, {shown.theater.name}, {long_date(shown.day)}",
        theater_links(_PATH, shown.theaters, shown.theater),
        tag(
            "div",
            tag("p", "Operator", class_="eyebrow"),
            tag("h1", shown.theater.name),
            tag(
                "p",
                "It is ",
                local_time(now, shown.theater.time_zone),
                ". Each change is told to Tell at once, and to its listeners within two seconds.",
                class_="lead",
            ),
            class_="title",
        ),
        tag("div", _done(view), tag("p", _waiting(view.waiting)), role="status", class_="done"),
        day_links(_PATH, shown.theater, shown.today, shown.day),
        tag("h2", f"Screenings on {long_date(shown.day)}", class_="day"),
        _screenings(view, now),
        _ticket_form(),
    )


def _done(view: DeskView) -> Child:
    if view.ticket_cancelled:
        return tag("p", "The ticket is cancelled.")
    if view.changed is None:
        return None
    it = view.changed
    zone = it.theater.time_zone
    what = f"{it.movie.title}, auditorium {it.auditorium_number}: "
    if it.status is ScreeningStatus.CANCELLED:
        return tag("p", f"{what}cancelled.")
    begins = "started at " if it.status is ScreeningStatus.STARTED else "the film starts at "
    return tag("p", what, begins, local_time(it.movie_start, zone), ".")


def _waiting(count: int) -> str:
    if count == 0:
        return "Tell knows of everything."
    return "One message waits for Tell." if count == 1 else f"{count} messages wait for Tell."


def _screenings(view: DeskView, now: datetime) -> Markup:
    if not view.shown.screenings:
        return tag("p", "Nothing is shown on this day. Choose another one above.", class_="empty")
    return tag(
        "ul",
        (tag("li", _screening(each, view, now)) for each in view.shown.screenings),
        class_="desk",
    )


def _screening(screening: Screening, view: DeskView, now: datetime) -> Markup:
    heading = f"screening-{screening.showtime_id}"
    zone = screening.theater.time_zone
    progress = how_far(screening, now)
    return tag(
        "article",
        tag(
            "div",
            tag("h3", screening.movie.title, id=heading),
            tag(
                "p",
                f"Auditorium {screening.auditorium_number}. Previews ",
                local_time(screening.previews_start, zone),
                ", film ",
                local_time(screening.movie_start, zone),
                ".",
                tag("span", f" {progress}", class_="note") if progress else None,
            ),
        ),
        tag("div", _forms(screening, view, now), class_="actions"),
        class_="screening",
        aria_labelledby=heading,
    )


def _forms(screening: Screening, view: DeskView, now: datetime) -> Iterator[Markup]:
    if not standing(screening, now).on_sale:
        return
    has_started = screening.status is ScreeningStatus.STARTED
    # Heard, not seen: a list of buttons out of context names the screening of each.
    of = tag(
        "span",
        f" {screening.movie.title}, ",
        local_time(screening.previews_start, screening.theater.time_zone),
        f" in auditorium {screening.auditorium_number}",
        class_="hidden",
    )
    yield _form(
        screening, "start", None, "Start again now" if has_started else "Start now", of, "primary"
    )
    if not has_started:
        yield _form(screening, "delay", _minutes(screening), "Delay", of)
    yield _form(screening, "move", _auditorium_choice(screening, view), "Move", of)
    yield _form(screening, "cancel", None, "Cancel", of, "grave")


def _form(
    screening: Screening,
    action: str,
    field: Markup | None,
    label: str,
    of: Markup,
    kind: str | None = None,
) -> Markup:
    return tag(
        "form",
        field,
        tag("button", label, of, type="submit", class_=kind),
        method="post",
        action=f"{_PATH}/{screening.showtime_id}/{action}",
    )


def _minutes(screening: Screening) -> Markup:
    name = f"minutes-{screening.showtime_id}"
    return tag(
        "span",
        tag("label", "Minutes", for_=name),
        tag(
            "input",
            id=name,
            name="minutes",
            type="number",
            min="1",
            max="240",
            value=str(_DELAY_MIN),
            required=True,
        ),
        class_="field",
    )


def _auditorium_choice(screening: Screening, view: DeskView) -> Markup:
    name = f"auditorium-{screening.showtime_id}"
    return tag(
        "span",
        tag("label", "Auditorium", for_=name),
        tag(
            "select",
            (
                tag("option", number, value=number)
                for number in view.auditoriums
                if number != screening.auditorium_number
            ),
            id=name,
            name="auditorium_number",
        ),
        class_="field",
    )


def _ticket_form() -> Markup:
    return tag(
        "section",
        tag("h2", "Cancel a ticket", id="ticket-heading"),
        tag(
            "form",
            tag(
                "span",
                tag("label", "Purchase id, the last part of the ticket's address", for_="ticket"),
                tag(
                    "input",
                    id="ticket",
                    name="purchase_id",
                    type="text",
                    required=True,
                    autocomplete="off",
                    spellcheck="false",
                ),
                class_="field",
            ),
            tag("button", "Cancel the ticket", type="submit", class_="grave"),
            method="post",
            action=f"{_PATH}/tickets/cancel",
        ),
        class_="listen actions",
        aria_labelledby="ticket-heading",
    )
