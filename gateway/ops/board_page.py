"""Tonight, as the operator's first page shows it, section by section. Pure: time is an argument.

Each section has an id and is replaced on its own when it changes; what a screen reader stands on
stays where it is (gateway/web_ops/ops.js).
"""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from catalog.models import PurchaseState
from gateway.ops import wording
from gateway.ops.layout import hidden, page, table
from gateway.ops.markup import Child, Markup, html, tag
from gateway.ops.tonight import Line, Tonight
from gateway.schemas import Ready

# A page that nobody can read through helps nobody; the command lists all.
_MOST_LINES = 200
# What is normal while the partner is slow for a moment.
_LONG_WAIT = timedelta(minutes=15)
_TITLES = {
    "alarms": "Alarms",
    "screenings": "Screenings tonight",
    "parked": "Purchases that wait for a person",
    "changes": "Changes",
    "parts": "Parts of this server",
}


def board_page(tonight: Tonight, ready: Ready, form_token: str, said: str | None) -> str:
    """The whole page; *said* is what was done just now."""
    inner = sections(tonight, ready, form_token)
    return page(
        "Tonight",
        tag("h1", "Tonight"),
        tag("p", said, role="status", class_="good") if said else None,
        tag("p", inner["taken"], id="taken", class_="quiet"),
        # Filled by the script with new alarms alone: numbers that change are not read out.
        tag("p", role="status", id="announcer", class_="unseen"),
        [
            tag(
                "section",
                tag("h2", title, id=f"{name}-title"),
                tag("div", inner[name], id=name),
                aria_labelledby=f"{name}-title",
            )
            for name, title in _TITLES.items()
        ],
        form_token=form_token,
        live=True,
    )


def sections(tonight: Tonight, ready: Ready, form_token: str) -> dict[str, Markup]:
    """What stands in each part of the page, by its id."""
    return {
        "taken": html(("As of ", tag("time", f"{tonight.taken_at:%H:%M:%S} UTC"))),
        "alarms": _alarms(tonight, ready),
        "screenings": _screenings(tonight),
        "parked": _parked(tonight, form_token),
        "changes": _changes(tonight),
        "parts": _parts(ready),
    }


def screening_path(environment: str, showtime_id: str) -> str:
    """Address of a screening's own page."""
    return f"/ops/screenings/{quote(environment, safe='')}/{quote(showtime_id, safe='')}"


def _alarms(tonight: Tonight, ready: Ready) -> Markup:
    found = [*_missing(tonight), *_broken(ready), *_waiting(tonight)]
    if not found:
        return tag("p", "Nothing needs you.", class_="good")
    return tag("ul", [tag("li", each, class_="bad") for each in found], class_="alarms")


def _missing(tonight: Tonight) -> list[Child]:
    found: list[Child] = [
        (
            tag("strong", f"Nobody will hear {each.title}"),
            f" ({each.movie_id}, {each.environment}): {each.why}. It starts ",
            wording.local(each.next_start, each.time_zone),
            f", {wording.until(each.next_start, tonight.taken_at)}, in "
            f"{_many(each.screenings, 'screening')} of the next seven days. ",
            tag("code", f"tell-package add master.wav --movie-id {each.movie_id}"),
        )
        for each in tonight.shelf.missing
    ]
    if tonight.shelf.unknown:
        films = _many(tonight.shelf.unknown, "film")
        found.append(f"Of {films} it is not known whether there is a track: the storage fails.")
    return found


def _broken(ready: Ready) -> list[Child]:
    return [
        (tag("strong", f"{name} does not work"), f": {check.detail}.")
        for name, check in ready.checks.items()
        if not check.ok
    ]


def _waiting(tonight: Tonight) -> list[Child]:
    found: list[Child] = []
    for pile in tonight.piles:
        waits = tonight.taken_at - pile.oldest_at
        many = _many(pile.purchases, "purchase")
        if pile.state is PurchaseState.PARKED:
            named = f"{many} of {pile.environment}"
            needs = "needs" if pile.purchases == 1 else "need"
            found.append((tag("a", named, href="#parked-title"), f" {needs} a person."))
        elif waits > _LONG_WAIT:
            span = wording.span(waits.total_seconds())
            found.append(f"{many} of {pile.environment} wait for the partner, since {span}.")
    return found


def _screenings(tonight: Tonight) -> Markup:
    if not tonight.lines:
        return tag("p", "None with tickets runs or begins within twelve hours.")
    shown = sorted(tonight.lines, key=lambda line: not line.running)[:_MOST_LINES]
    running = sum(line.running for line in tonight.lines)
    listeners = str(tonight.listeners) if tonight.listeners else "<3"
    more = len(tonight.lines) - len(shown)
    return html(
        (
            tag("p", f"{_many(running, 'screening')} running, {listeners} listeners now."),
            table(
                "Screenings tonight",
                ["Film", "Where", "Starts", "By", "Phase", "Listeners", "Sync"],
                [_row(line) for line in shown],
            ),
            tag("p", f"And {more} more: tell screenings list.") if more else None,
        )
    )


def _row(line: Line) -> list[Child]:
    showing, screening = line.showing, line.showing.screening
    return [
        tag(
            "a",
            showing.title,
            href=screening_path(screening.environment, screening.showtime_id),
        ),
        wording.where(showing),
        wording.local(screening.movie_start, showing.time_zone),
        wording.said_by(screening.movie_start_source, screening.movie_start_bound_ms),
        wording.phase(line.phase, screening.status),
        line.listeners,
        wording.quality(line.quality),
    ]


def _parked(tonight: Tonight, form_token: str) -> Markup:
    if not tonight.parked:
        return tag("p", "There are none.")
    rows: list[list[Child]] = [
        [
            tag("code", each.correlation_id),
            f"{each.environment}, {each.showtime_id}",
            f"{each.failure_code}: {each.failure_detail}",
            f"{each.failing_since or each.accepted_at:%Y-%m-%d %H:%M} UTC",
            tag(
                "form",
                hidden(form_token=form_token),
                tag(
                    "button",
                    "Look up again",
                    tag("span", f" {each.correlation_id}", class_="unseen"),
                    type="submit",
                ),
                method="post",
                action=f"/ops/purchases/{each.correlation_id}/retry",
            ),
        ]
        for each in tonight.parked
    ]
    return html(
        (
            table(
                "Purchases that wait for a person",
                ["Purchase", "Showtime", "Why", "Since", "What to do"],
                rows,
            ),
            tag(
                "form",
                hidden(form_token=form_token),
                tag("button", "Look up all of them again", type="submit"),
                method="post",
                action="/ops/purchases/retry",
            ),
        )
    )


def _changes(tonight: Tonight) -> Markup:
    if not tonight.changes:
        return tag("p", "None in twelve hours.")
    return tag(
        "ul",
        [
            tag(
                "li",
                wording.local(each.at, each.time_zone),
                " ",
                tag("a", each.title, href=screening_path(each.environment, each.showtime_id)),
                f", auditorium {each.auditorium_number}: ",
                wording.change(each),
            )
            for each in tonight.changes
        ],
    )


def _parts(ready: Ready) -> Markup:
    return table(
        "Parts of this server",
        ["Part", "State", "Says"],
        [
            [name, "works" if check.ok else "does not work", check.detail]
            for name, check in ready.checks.items()
        ],
    )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
