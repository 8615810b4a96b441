"""Choosing a theater and a day: the links that the showings and the operator's page share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from urllib.parse import urlencode

from amc_clone.models import Theater
from amc_clone.pages.markup import Markup, tag
from amc_clone.pages.wording import day_name

_DAYS_AHEAD = 7


def theater_links(path: str, theaters: Sequence[Theater], current: Theater) -> Markup:
    """Links to *path* for each theater."""
    return tag(
        "nav",
        tag(
            "ul",
            (
                tag(
                    "li",
                    tag(
                        "a",
                        tag("span", theater.name),
                        tag("span", theater.city, class_="minor"),
                        href=f"{path}?{urlencode({'theater': theater.place_id})}",
                        aria_current="true" if theater == current else None,
                    ),
                )
                for theater in theaters
            ),
        ),
        class_="theaters",
        aria_label="Theaters",
    )


def day_links(path: str, theater: Theater, today: date, current: date) -> Markup:
    """Links to *path* for yesterday, today and the week, and for *current*."""
    days = [today + timedelta(days=ahead) for ahead in range(-1, _DAYS_AHEAD)]
    if current not in days:
        days = sorted([*days, current])
    return tag(
        "nav",
        tag(
            "ul",
            (
                tag(
                    "li",
                    tag(
                        "a",
                        day_name(day, today),
                        href=f"{path}?{_query(theater, day)}",
                        aria_current="date" if day == current else None,
                    ),
                )
                for day in days
            ),
        ),
        class_="days",
        aria_label="Days",
    )


def _query(theater: Theater, day: date) -> str:
    return urlencode({"theater": theater.place_id, "day": day.isoformat()})
