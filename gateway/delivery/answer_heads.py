"""Heads of answers, prepared: all that is the same each time is written once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.headers import EVERY_ANSWER, UNLESS_SAID


def answer_head(status: str, headers: Mapping[str, str], filled: Sequence[str]) -> bytes:
    """Head of an answer such as "200 OK", with what every answer says.

    What stands in *headers* for the names in *filled* is a format, `%d` or `%s`: these lines come
    last and in that order, to be filled by the `%` operator with integers and bytes.
    """
    every = UNLESS_SAID | EVERY_ANSWER | dict(headers)
    lines = [
        f"{name}: {value}".replace("%", "%%") for name, value in every.items() if name not in filled
    ]
    lines += [f"{name}: {every[name]}" for name in filled]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode("latin-1")
