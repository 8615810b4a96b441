"""A screening's own page, and what a correction of its start would do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from catalog.models import Screening, StartSource
from catalog.screenings.corrections import NOTE_CHARS, RecordedStart
from catalog.screenings.timeline import position
from gateway.ops import wording
from gateway.ops.board_page import screening_path
from gateway.ops.effects import Effect
from gateway.ops.layout import facts, hidden, page, table
from gateway.ops.markup import Child, Markup, html, tag
from gateway.ops.tonight import Line


def screening_page(
    line: Line, history: Sequence[RecordedStart], now: datetime, form_token: str, said: str | None
) -> str:
    """All about one screening; *said* is what was done just now."""
    showing, screening = line.showing, line.showing.screening
    return page(
        f"{showing.title}, auditorium {showing.auditorium_number}",
        tag("p", tag("a", "Tonight", href="/ops")),
        tag("h1", showing.title),
        tag("p", said, role="status", class_="good") if said else None,
        facts(
            [
                ("Where", wording.where(showing)),
                ("Showtime", f"{screening.environment}, {screening.showtime_id}"),
                ("Starts", _start(screening, showing.time_zone)),
                ("Phase", wording.phase(line.phase, screening.status)),
                ("The film is at", _place(screening, now)),
                ("Credits end", wording.local(screening.credits_end, showing.time_zone)),
                ("Tickets", line.tickets),
                ("Listeners now", line.listeners),
                ("Sync", wording.quality(line.quality)),
            ]
        ),
        _corrections(line),
        tag("h2", "What was said of the start"),
        table(
            "What was said of the start",
            ["Said at", "Starts", "By", "Note"],
            [_said(each, showing.time_zone) for each in reversed(history)],
        ),
        form_token=form_token,
    )


def effect_page(line: Line, effect: Effect, now: datetime, form_token: str) -> str:
    """From what to what, for whom; and the button that does it."""
    showing, before, after = line.showing, effect.before, effect.after
    path = screening_path(before.environment, before.showtime_id)
    fields = {"form_token": form_token, "expected": before.movie_start.isoformat()}
    if not effect.cleared:
        fields["movie_start"] = after.movie_start.isoformat()
        fields["bound_ms"] = str(after.movie_start_bound_ms)
    return page(
        f"Correct the start of {showing.title}?",
        tag("h1", f"Correct the start of {showing.title}?"),
        tag("p", wording.where(showing)),
        facts(
            [
                ("Starts now at", _start(before, showing.time_zone)),
                ("Would start at", _start(after, showing.time_zone)),
                ("That is", _shift(effect.later_s)),
                ("The film is at", f"{_place(before, now)}; it would be at {_place(after, now)}"),
                ("Listeners now", line.listeners),
                ("Tickets", line.tickets),
            ]
        ),
        tag(
            "p",
            "All who listen hear the new place within two seconds. ",
            "The cinema's word counts again from then on."
            if effect.cleared
            else "It stands above the cinema's word until it is cleared.",
        ),
        tag(
            "form",
            hidden(**fields),
            tag("label", "Note for the history (name no listener)", for_="note"),
            tag("input", id="note", name="note", maxlength=str(NOTE_CHARS), autocomplete="off"),
            tag("button", "Correct it", type="submit"),
            tag("a", "Leave it as it is", href=path),
            method="post",
            action=f"{path}/correction",
            class_="stacked",
        ),
        form_token=form_token,
    )


def _corrections(line: Line) -> Markup:
    screening = line.showing.screening
    action = f"{screening_path(screening.environment, screening.showtime_id)}/correction"
    forms: list[Child] = [
        _form(action, "now", "It starts now"),
        _form(
            action,
            "at",
            "It starts at this time",
            tag("label", "Time at the theater", for_="time"),
            tag("input", id="time", name="time", type="time", step="1", required=True),
        ),
        _form(
            action,
            "delay",
            "It starts so much later",
            tag("label", "Minutes later; - is earlier", for_="minutes"),
            tag(
                "input",
                id="minutes",
                name="minutes",
                type="number",
                step="any",
                min="-720",
                max="720",
                required=True,
            ),
        ),
    ]
    if screening.movie_start_source is StartSource.OPERATOR:
        forms.append(_form(action, "clear", "Let the cinema's word count again"))
    return html(
        (
            tag("h2", "Correct the start"),
            tag("p", "Each button first shows what it would do; nothing is changed by it."),
            tag("div", forms, class_="forms"),
        )
    )


def _form(action: str, name: str, button: str, *fields: Child) -> Markup:
    return tag(
        "form",
        hidden(action=name),
        *fields,
        tag("button", button, type="submit"),
        method="get",
        action=action,
        class_="stacked",
    )


def _start(screening: Screening, time_zone: str) -> Markup:
    said = wording.said_by(screening.movie_start_source, screening.movie_start_bound_ms)
    return html((wording.local(screening.movie_start, time_zone), f" by {said}"))


def _place(screening: Screening, now: datetime) -> str:
    offset_s = position(screening, now).offset_s
    span = wording.span(offset_s)
    return span if offset_s >= 0 else f"{span} before its start"


def _shift(later_s: float) -> str:
    if not round(later_s, 3):
        return "the same instant"
    if later_s > 0:
        return f"{wording.span(later_s)} later: what they hear goes back by as much"
    return f"{wording.span(later_s)} earlier: what they hear goes on by as much"


def _said(each: RecordedStart, time_zone: str) -> list[Child]:
    revision = "" if each.revision is None else f", revision {each.revision}"
    return [
        wording.local(each.recorded_at, time_zone),
        wording.local(each.movie_start, time_zone),
        f"{wording.said_by(each.source, each.bound_ms)}{revision}",
        each.note or "",
    ]
