"""The rules between fields that JSON Schema cannot say, kept in what schemathesis makes up.

Texts are printable without spaces at the ends, zones exist, films end after they start, the status
is the one that the type of the event tells, and a day is some theater's.
"""

from __future__ import annotations

from typing import Any

_PLAN = {
    "previews_start": "2027-03-05T19:10:00Z",
    "movie_start": "2027-03-05T19:30:00Z",
    "credits_end": "2027-03-05T20:48:00Z",
}
_STATUS = {"screening.cancelled": "cancelled", "screening.started": "started"}
_INSTANTS = frozenset({"starts_from", "starts_before", "ends_after", "soldAt"})


def sensible_body(value: Any, world: dict[str, Any]) -> Any:
    """*value* with what breaks those rules set right."""
    if isinstance(value, str):
        kept = "".join(character for character in value if character.isprintable()).strip()
        return kept if kept not in {"", ".", ".."} else "x"
    if isinstance(value, list):
        return [sensible_body(item, world) for item in value]
    if not isinstance(value, dict):
        return value
    body = {name: sensible_body(item, world) for name, item in value.items()}
    if "movie_start" in body:
        body |= _PLAN
    if "time_zone" in body:
        body["time_zone"] = "America/Chicago"
        if body["poster_path"] is not None:
            body["poster_path"] = "/posters/film.jpg"
    data = body.get("data")
    if isinstance(data, dict) and "status" in data and body.get("type") in _STATUS:
        data["status"] = _STATUS[body["type"]]
    return body


def sensible_query(query: dict[str, Any], world: dict[str, Any]) -> dict[str, Any]:
    """*query* with a day that stands alone and has its theater, and instants that can be shown."""
    kept = {
        name: _PLAN["movie_start"] if name in _INSTANTS else value for name, value in query.items()
    }
    if "day" in kept:
        kept = {name: value for name, value in kept.items() if name not in _INSTANTS}
        kept |= {"day": "2027-03-05", "place_id": world["place_id"]}
    if "cursor" in kept:
        kept["cursor"] = "1804275000000000-1"
    return kept
