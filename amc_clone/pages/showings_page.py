"""The page of one theater's day: its films, and a button for each screening."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from amc_clone.models import Movie, Screening
from amc_clone.pages.choosing import day_links, theater_links
from amc_clone.pages.layout import page
from amc_clone.pages.markup import Markup, tag
from amc_clone.pages.wording import (
    duration,
    how_far,
    local_time,
    long_date,
    zone_name,
)
from amc_clone.theater_day import TheaterDay
from amc_clone.timeline import standing


def showings_page(shown: TheaterDay, now: datetime) -> str:
    """The page at *now*; screenings that are over have no button."""
    theater = shown.theater
    zone = zone_name(now, theater.time_zone)
    return page(
        f"{theater.name}, {long_date(shown.day)}",
        theater_links("/", shown.theaters, shown.theater),
        tag(
            "div",
            tag("h1", theater.name),
            tag(
                "p",
                f"{theater.city}, where it is ",
                local_time(now, theater.time_zone),
                f" {zone}. Times are the theater's own.",
                class_="lead",
            ),
            class_="title",
        ),
        day_links("/", theater, shown.today, shown.day),
        tag("h2", f"Showings on {long_date(shown.day)}", class_="day"),
        _films(shown, now),
    )


def _films(shown: TheaterDay, now: datetime) -> Markup:
    by_movie: dict[Movie, list[Screening]] = {}
    for screening in shown.screenings:
        by_movie.setdefault(screening.movie, []).append(screening)
    if not by_movie:
        return tag("p", "Nothing is shown on this day. Choose another one above.", class_="empty")
    films = sorted(by_movie.items(), key=lambda item: _sorting_title(item[0].title))
    return tag("div", (_film(movie, found, now) for movie, found in films), class_="films")


def _sorting_title(title: str) -> str:
    return title.removeprefix("The ")


def _film(movie: Movie, screenings: Sequence[Screening], now: datetime) -> Markup:
    heading = f"film-{movie.movie_id}"
    described = movie.audio_description_path is not None
    return tag(
        "article",
        # The title beside it says it all, so the poster is silent.
        tag("img", src=movie.poster_path, alt="", width="600", height="900", loading="lazy"),
        tag(
            "div",
            tag("h3", movie.title, id=heading),
            tag(
                "p",
                f"{movie.year} · {duration(movie.running_time_s)}",
                class_="minor",
            ),
            tag(
                "p",
                "Audio description" if described else "No audio description",
                class_="badge" if described else "badge none",
            ),
            tag("ul", _times(screenings, now), class_="times"),
        ),
        class_="film",
        aria_labelledby=heading,
    )


def _times(screenings: Sequence[Screening], now: datetime) -> Iterator[Markup]:
    for screening in screenings:
        begins = local_time(screening.previews_start, screening.theater.time_zone)
        place = f"Auditorium {screening.auditorium_number}"
        progress = how_far(screening, now)
        note = tag("span", f" {progress}", class_="note") if progress else None
        if standing(screening, now).on_sale:
            yield tag("li", _buy_button(screening, begins, place, note))
        else:
            yield tag(
                "li",
                tag("div", begins, tag("span", f" {place}", class_="place"), note, class_="gone"),
            )


def _buy_button(screening: Screening, begins: Markup, place: str, note: Markup | None) -> Markup:
    return tag(
        "form",
        tag("input", type="hidden", name="showtime_id", value=screening.showtime_id),
        tag(
            "button",
            # Heard, not seen: a list of buttons out of context names the film of each.
            tag("span", f"Buy a ticket for {screening.movie.title}, ", class_="hidden"),
            begins,
            tag("span", f" {place}", class_="place"),
            note,
            type="submit",
        ),
        method="post",
        action="/purchases",
    )
